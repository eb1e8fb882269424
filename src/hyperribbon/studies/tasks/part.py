"""The space of tasks (chapter 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hyperribbon.studies.part import Figure, Part, Step, When
from hyperribbon.studies.tasks.config import TasksConfig
from hyperribbon.studies.tasks.names import (
    CONTRASTIVE,
    EPISODIC,
    FINE_TUNING,
    METHODS,
    TASKS,
    TREE,
    WAYS,
)

if TYPE_CHECKING:
    from hyperribbon.studies.study import Study

CATEGORY = "The space of tasks"
MEASURES = "measure_figures"
PAIR = """\
Left: models in the first three InPCA coordinates of their predictions on all classes, with a thin
line along each training, and the mean trajectory of each group (bold), embedded together with them.
Right: Bhattacharyya distance of the mean trajectories from the reference at equal progress, in
units of the mean radius of both tubes (Remark 3.3.3); below 1 (dashed), the tubes intersect.
"""


def _compares(name: str) -> When:
    def when(study: Study) -> bool:
        return name in study.section("tasks").comparisons

    return when


def _maps(study: Study) -> bool:
    return study.section("tasks").mapped > 0


PART = Part(
    name="tasks",
    title="The space of tasks",
    section=TasksConfig,
    about="Networks that learn different tasks, by different methods; by default, none.",
    needs_trainings=True,
    steps=(
        Step("task_means", "means"),
        Step(
            "task_embedding",
            "embedding",
            tables={
                "task_embedding": (
                    "One row per comparison and model or point of a mean trajectory: group, "
                    "progress and InPCA coordinates."
                ),
                "task_stress": (
                    "One row per comparison and dimension: explained stress of the models with the "
                    "mean trajectories, of the models alone with an interval, and of models whose "
                    "samples are shuffled within classes, draw by draw."
                ),
                "task_projection": (
                    "One row per comparison, number of classes to which all are mixed at random, "
                    "and draw: correlation of the distances with the original ones, relative "
                    "error after a common factor, explained stress of three dimensions, and RMSD "
                    "from the original embedding, relative to its size."
                ),
            },
        ),
        Step(
            "task_tables",
            "tables",
            tables={
                "task_trainings": (
                    "One row per configuration: what it learned, by which method, from where and "
                    "how long."
                ),
                "task_checkpoints": (
                    "One row per split and model: progress, loss (nats) and error on all classes, "
                    "and error on the classes of its own task."
                ),
                "task_classes": (
                    "One row per training and class: whether it was trained on, progress at the "
                    "beginning and at the end, and error at the end, on test samples."
                ),
                "task_distances": (
                    "One row per comparison, group, reference and value of progress: distance of "
                    "the mean trajectories (nats), both radii, and the distance divided by the "
                    "mean radius."
                ),
                "task_lengths": (
                    "One row per split, training and number of checkpoints: Riemannian length, and "
                    "the arc from the first to the last model (radians)."
                ),
                "task_groups": (
                    "One row per split and group: mean distance between two of its trainings at "
                    "equal progress and at their ends, mean and largest radius of its tube, and "
                    "distance to the truth at the end (nats)."
                ),
                "task_excursions": (
                    "One row per fine-tuned training: epoch of departure, largest and final "
                    "distance from the start (nats), length (radians), and backward progress."
                ),
                "task_tree": (
                    "One row per pair of nodes of the tree: edges between them, mean distance of "
                    "the mean trajectories at equal progress, in nats and in tube radii, and "
                    "distance of the last models (nats)."
                ),
                "task_tree_test": (
                    "One row per kind of distance: its agreement with the tree, by correlation and "
                    "p-value of Mantel's test (from how many orders of the tasks, and whether "
                    "these are all), and by the cophenetic correlation."
                ),
            },
        ),
        Step(
            "task_mappings",
            "mappings",
            tables={
                "mapping_models": (
                    "One row per network whose weights are kept and way to predict the classes "
                    "from its features: test error, progress, and distance (nats) to the linear "
                    "probe's predictions."
                ),
                "mapping_embedding": "One row per such model: InPCA coordinates.",
                "mapping_stress": (
                    "One row per mapping and dimension: explained stress as observed, and with "
                    "samples shuffled within classes."
                ),
            },
            when=_maps,
        ),
    ),
    figures=(
        Figure(
            "task_manifold",
            CATEGORY,
            "Supervised learning of several tasks: embedding, explained stress, accuracy (3.1).",
            """
            Networks trained on different sets of classes, all mapped to all classes by imprinting.
            Left: models in the first three InPCA coordinates, with the mean trajectory of each task
            (bold). Upper right: explained stress of the models (black, with its interval), of
            models and mean trajectories together (dashed), and of models whose samples are shuffled
            within classes, which share only how far they got. Lower right: test accuracy within the
            classes of the task. Thesis Fig. 3.1.
            """,
            when=_compares(TASKS),
        ),
        Figure(
            "class_progress",
            CATEGORY,
            "Progress on classes that were trained on and on others, and by epoch (3.2).",
            """
            Left: progress restricted to the samples of one class, at the end of training; one point
            per class (mean over seeds), for classes of the task (left, lighter) and all others
            (right). Right: progress on all classes by epoch, with the range over seeds. Thesis
            Fig. 3.2.
            """,
            module=MEASURES,
            when=_compares(TASKS),
        ),
        Figure(
            "tree_manifold",
            CATEGORY,
            "Trainings of nodes of the tree of classes, and distances of their means (3.3).",
            PAIR + "Thesis Fig. 3.3.",
            when=_compares(TREE),
        ),
        Figure(
            "tree_agreement",
            CATEGORY,
            "Distances between tasks against the tree of classes, with Mantel's test.",
            """
            How far two tasks are apart, against the number of edges between them in the tree of
            classes: distance of the mean trajectories at equal progress, in tube radii (left), and
            of the last models (right). Titles give Mantel's correlation and the p-value of its
            permutation test.
            """,
            module=MEASURES,
            when=_compares(TREE),
        ),
        Figure(
            "episodic_manifold",
            CATEGORY,
            "Episodic meta-learning and supervised learning, on train samples (3.4a, 3.9).",
            PAIR + "Thesis Figs. 3.4a and 3.9.",
            when=_compares(EPISODIC),
        ),
        Figure(
            "ways_manifold",
            CATEGORY,
            "Supervised learning of a few random classes, on train samples (3.4b).",
            PAIR + "Trainings of one group differ in their classes, too. Thesis Fig. 3.4b.",
            when=_compares(WAYS),
        ),
        Figure(
            "ways",
            CATEGORY,
            "Spread of trainings on few classes, and their distance to the truth (3.5).",
            """
            Trainings on random sets of classes, by the size of the set. Left: mean distance between
            the last models of two trainings, and mean radius of their tube over the progress that
            they reach. Right: distance of their last models to the truth. Train samples. Thesis
            Fig. 3.5.
            """,
            module=MEASURES,
            when=_compares(WAYS),
        ),
        Figure(
            "methods_manifold",
            CATEGORY,
            "Contrastive, semi-supervised and supervised learning (3.6).",
            PAIR + "Thesis Fig. 3.6.",
            when=_compares(METHODS),
        ),
        Figure(
            "fine_tuning_manifold",
            CATEGORY,
            "Fine-tuning from several epochs of another training (3.7).",
            PAIR + "Thesis Fig. 3.7.",
            when=_compares(FINE_TUNING),
        ),
        Figure(
            "excursions",
            CATEGORY,
            "How far fine-tuning moves a network, by the epoch from which it starts.",
            """
            Fine-tuning of the whole network on two classes, by the epoch at which it departs from
            the training on all classes: distance between its first and last model, Riemannian
            length of its trajectory, and backward progress, by how much its progress falls below
            that of the start. Lines are means over seeds, points are trainings.
            """,
            module=MEASURES,
            when=_compares(FINE_TUNING),
        ),
        Figure(
            "contrastive_manifold",
            CATEGORY,
            "Contrastive learning of two classes and of all, and supervised learning (3.8).",
            PAIR + "Thesis Fig. 3.8.",
            when=_compares(CONTRASTIVE),
        ),
        Figure(
            "task_distances",
            CATEGORY,
            "Distances of mean trajectories at equal progress, in tube radii (3.10).",
            """
            Bhattacharyya distance of each group's mean trajectory from that of the reference at
            equal progress, divided by the mean radius of both tubes, for every comparison. Below 1
            (dashed), the tubes intersect. Thesis Fig. 3.10.
            """,
        ),
        Figure(
            "task_stress",
            CATEGORY,
            "Explained stress of each comparison, and of models whose samples are shuffled.",
            """
            Explained stress by number of dimensions: of the models of a comparison (with its
            interval), with their mean trajectories, and of models whose samples are shuffled within
            classes, differently in each training. The latter share nothing but how far they got.
            """,
        ),
        Figure(
            "task_lengths",
            CATEGORY,
            "Riemannian lengths, by number of checkpoints and relative to the displacement.",
            """
            Left: Riemannian length of trajectories whose checkpoints are thinned evenly, against
            their number: where training is noisy, it grows without a limit, so that lengths are
            compared only at equal numbers. Right: length relative to the arc from the first to the
            last model. Test samples, means over seeds.
            """,
            module=MEASURES,
        ),
        Figure(
            "mappings",
            CATEGORY,
            "The same networks under four ways to predict all classes from their features.",
            """
            Networks whose weights are kept, mapped to all classes from the same features in four
            ways. Above: first two InPCA coordinates, each mapping on its own. Below: progress
            against test accuracy. The length of the features is the inverse temperature of
            imprinting, so it decides how far progress reaches.
            """,
            module=MEASURES,
            when=_maps,
        ),
        Figure(
            "imprinting_quality",
            CATEGORY,
            "Accuracy of imprinting against a trained linear classifier (3.5.4).",
            """
            Test accuracy on all classes of predictions from the same features: imprinted and by
            Euclidean prototypes against a linear classifier trained on the features, one point per
            network and kept checkpoint.
            """,
            module=MEASURES,
            when=_maps,
        ),
    ),
    claims=("claims", "further_claims"),
)
