"""The section `tasks`: which trainings it makes, and what it refuses."""

import copy
import json

import pytest
import yaml
from running import ROOT

from hyperribbon.errors import ConfigError
from hyperribbon.storage.digest import canonical_json
from hyperribbon.studies.study import parse_study
from hyperribbon.studies.tasks.plan import TaskPlan

CONFIG = ROOT / "config"
STUDY = {
    "study": "small",
    "data": {"name": "cifar10", "train_size": 500, "test_size": 100, "image_size": 8},
    "networks": {"WRN": {"architecture": "wide_resnet", "width": 2, "widen_factor": 1}},
    "optimisers": {"SGD": {"algorithm": "sgd", "learning_rate": 0.1}},
    "training": {"epochs": 2, "batch_size": 25, "seeds": 2},
    "tasks": {
        "tree": "cifar10",
        "sets": {
            "vehicles": "Vehicles",
            "pair": ["bird", "cat"],
            "two": {"random": 2, "draws": 3, "seed": 5},
            "kinds": {"superclasses": "vertebrates"},
        },
        "trainings": {
            "all": {},
            "vehicles": {"tasks": ["vehicles"]},
            "pair": {"tasks": ["pair"], "epochs": 4, "seeds": 1},
            "two": {"tasks": ["two"]},
            "joint": {
                "tasks": ["vehicles", "pair"],
                "method": {"name": "joint"},
                "optimiser": "SGD",
            },
            "tuned": {"tasks": ["pair"], "start": {"training": "all", "epochs": [0.5, 2]}},
        },
        "comparisons": {
            "mine": {"trainings": ["all", "tuned", "two"], "reference": "all", "split": "train"}
        },
    },
}


def study(**changes):
    """The study with some keys of the section changed; None removes one."""
    given = copy.deepcopy(STUDY)
    given["data"] |= {"train_size": 500}
    given["training"]["batch_size"] = 24  # which two tasks can share
    for path, value in changes.items():
        *parents, last = path.split("__")
        section = given
        for key in parents:
            section = section[key]
        if value is None:
            section.pop(last)
        else:
            section[last] = value
    return parse_study(given)


def test_each_training_draw_and_departure_is_a_configuration():
    found = list(study().section("tasks").expanded(study()))
    names = [c.learning.name for _, _, c in found]
    assert names == [
        "all", "vehicles", "pair", "two-1", "two-2", "two-3", "joint",
        "tuned-from-0_5", "tuned-from-2",
    ]  # fmt: skip
    by_name = {c.learning.name: c for _, _, c in found}
    assert [t.classes for t in by_name["pair"].learning.tasks] == [((2,), (3,))]
    assert [t.classes for t in by_name["vehicles"].learning.tasks] == [((0,), (1,), (8,), (9,))]
    assert [t.name for t in by_name["joint"].learning.tasks] == ["vehicles", "pair"]
    assert by_name["pair"].training.epochs == 4 and by_name["pair"].training.seeds == 1
    assert len({by_name[f"two-{k}"].learning.tasks[0].classes for k in (1, 2, 3)}) == 3
    # The weights from which others start are kept.
    assert by_name["all"].training.keep_weights == (0.0, 0.275, 0.5, 1.0)
    tuned = by_name["tuned-from-0_5"]
    assert tuned.start == by_name["all"] and tuned.learning.start_epoch == 0.5
    assert len({c.id for c in by_name.values()}) == len(names)
    assert study().configurations() == [c for _, _, c in found]


def test_groups_join_draws_but_not_departures():
    plan = TaskPlan.of(study().section("tasks"), study())
    assert plan.groups["two-3"] == "two" and plan.groups["tuned-from-2"] == "tuned-from-2"
    mine = plan.comparisons["mine"]
    assert mine.groups == ("all", "tuned-from-0_5", "tuned-from-2", "two")
    assert mine.references == ("all",) and plan.splits == ["train"]
    assert plan.kinds["two"] == "random" and plan.kinds["vehicles"] == "node"
    assert TaskPlan.model_validate_json(plan.to_json()) == plan


def test_superclasses_are_the_children_of_a_node():
    kinds = {"tasks": ["kinds"]}
    found = study(tasks__trainings__kinds=kinds).configurations()
    [task] = next(c for c in found if c.learning.name == "kinds").learning.tasks
    assert sorted(task.classes) == [(2,), (3, 4, 5, 7), (6,)]


def test_a_study_that_was_written_again_has_the_same_trainings():
    """Keys are sorted then, as in what is stored, so that no default may follow their order."""
    for name in ("tasks_cpu", "tasks_cifar10"):
        found = parse_study(yaml.safe_load((CONFIG / f"{name}.yaml").read_text()))
        again = parse_study(json.loads(canonical_json(found.model_dump(mode="json"))))
        assert {c.id for c in found.configurations()} == {c.id for c in again.configurations()}
        assert TaskPlan.of(again.tasks, again) == TaskPlan.of(found.tasks, found)


def test_other_studies_keep_their_configurations():
    assert all(c.learning is not None for c in study().configurations())
    alone = {key: value for key, value in STUDY.items() if key != "tasks"}
    [configuration] = parse_study(alone).configurations()
    assert configuration.learning is None and "learning" not in configuration.label


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"tasks__sets__pair": ["bird", "cow"]},
            'tasks.sets.pair = "cow": one of the classes: air',
        ),
        ({"tasks__sets__pair": [3, 12]}, "tasks.sets.pair = 12: a class from 0 to 9"),
        ({"tasks__sets__pair": ["bird", 2]}, "each class once"),
        (
            {"tasks__sets__two": {"random": 11}},
            "tasks.sets.two.random = 11: at most the 10 classes",
        ),
        ({"tasks__sets__two": {"random": 9, "draws": 11}}, "two.draws = 11: at most 10, of 10"),
        ({"tasks__sets__vehicles": "vehicel"}, "did you mean vehicles?"),
        ({"tasks__comparisons": {}}, "tasks.comparisons = {}"),
        ({"tasks__comparisons": None}, "tasks.comparisons"),
        ({"tasks__tree": None}, "nodes need tasks.tree"),
        ({"tasks__tree": "nowhere.yaml"}, "tasks.tree = "),
        ({"tasks__sets__all": "vehicles"}, "this one stands for all classes"),
        ({"tasks__trainings__pair": {"tasks": ["pear"]}}, 'tasks = "pear": one of all, vehicles'),
        ({"tasks__trainings__pair": {"network": "ViT"}}, 'network = "ViT": one of networks: WRN'),
        ({"tasks__trainings__tuned__start__training": "none"}, "one of tasks.trainings: all"),
        ({"tasks__trainings__tuned__start__training": "two"}, "with a single task"),
        ({"tasks__trainings__tuned__start__training": "tuned"}, "with a single task"),
        (
            {"tasks__trainings__tuned__start__epochs": [3]},
            "nothing is recorded at epoch 3, expected one of 0, 0.05",
        ),
        ({"tasks__trainings__tuned__seeds": 3}, "at most 2, as all has"),
        ({"tasks__comparisons__mine__reference": "pair"}, "one of its trainings: all, tuned, two"),
        ({"tasks__comparisons__mine__trainings": ["all", "other"]}, 'trainings = "other": one of'),
        ({"tasks__trainings__joint__tasks": ["vehicles", "two"]}, "no random set with several"),
        ({"tasks__trainings__joint__tasks": ["vehicles"]}, "tasks.trainings.joint.tasks = "),
        (
            {"tasks__trainings__two__method": {"name": "prototypical", "way": 5, "queries": 50}},
            "tasks.trainings.two-1.method.way = 5: at most 2",
        ),
        (
            {"tasks__trainings__all__method": {"name": "prototypical", "way": 2, "queries": 100}},
            "samples of class",
        ),
        ({"tasks__trainings__all__method": {"name": "moco"}}, "method"),
        (
            {"networks__unused": {"architecture": "allcnn"}, "tasks__network": "WRN"},
            "is in none of tasks.trainings",
        ),
        (
            {"optimisers__Adam": {"algorithm": "adam", "learning_rate": 0.001}},
            "tasks.optimiser = null: one of optimisers: SGD, Adam, because all names none",
        ),
        ({"tasks__network": "ViT"}, 'tasks.network = "ViT": one of networks: WRN'),
        ({"combinations": [{"networks": ["WRN"]}]}, "tasks.trainings lists all trainings"),
    ],
)
def test_what_is_impossible_is_refused_with_its_key(changes, words):
    with pytest.raises(ConfigError) as error:
        study(**changes)
    assert words in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_tasks_of_imagenet_are_nodes_of_wordnet(tmp_path):
    """With two dogs, a cat and a car of a WordNet in small."""
    nouns = {
        100: (),
        300: (100,),
        500: (300,),
        700: (300,),
        900: (100,),
        1100: (900,),
        1300: (500,),
    }
    content = bytearray(b"\n" * 2000)
    for number, above in nouns.items():
        pointers = "".join(f" @ {p:08d} n 0000" for p in above)
        name = {300: "animal", 500: "dog", 900: "artifact"}.get(number, f"w{number}")
        line = f"{number:08d} 05 n 01 {name} 0 {len(above):03d}{pointers} | x\n".encode()
        content[number : number + len(line)] = line
    (tmp_path / "data.noun").write_bytes(bytes(content))
    for split in ("train", "val"):
        for leaf in ("n00000700", "n00001100", "n00001300", "n00000501"):
            (tmp_path / split / leaf).mkdir(parents=True)
    given = yaml.safe_load((CONFIG / "tasks_imagenet.yaml").read_text())
    given["data"] |= {"path": str(tmp_path), "classes": 4}
    given["tasks"] |= {
        "tree": {"wordnet": str(tmp_path / "data.noun")},
        "sets": {"animals": "animal"},
        "trainings": {"all": {}, "animals": {"tasks": ["animals"]}},
        "comparisons": {"tree": {"trainings": ["all", "animals"], "reference": "all"}},
    }
    with pytest.raises(ConfigError, match="no noun n00000501"):
        parse_study(given)
    for split in ("train", "val"):
        (tmp_path / split / "n00000501").rmdir()
    given["data"]["classes"] = 3
    animals = parse_study(given).configurations()[1]
    assert animals.learning.tasks[0].classes == ((0,), (2,))
