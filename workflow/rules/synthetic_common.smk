# What the rules of synthetic data share: the trainings for each decay, and their parameters.
SYNTHETIC = STUDY.synthetic
DECAYS = {decay_name(decay): decay for decay in SYNTHETIC.decays}
SHOWN = {decay_name(decay): decay for decay in SYNTHETIC.shown}
STUDENT_DECAYS = {decay_name(decay): decay for decay in SYNTHETIC.students.decays}
EXPERIMENTS = {
    experiment.id: experiment
    for name, decays in (("grid", DECAYS), ("corners", SHOWN))
    for experiment in (SYNTHETIC.experiment(name, decay) for decay in decays.values())
}
BESIDE = [f"{RESULTS}/synthetic/spectra-beside.csv"] if SYNTHETIC.beside else []
PART = f"{RESULTS}/synthetic/{{kind}}-{{decay}}.csv"
GRID_KINDS = ["stress", "embedding", "geodesic", "separation", "trainings"]
CORNER_KINDS = [
    "corners_stress",
    "slices",
    "corner_embedding",
    "corner_geodesic",
    "corner_trainings",
]
STUDENT_KINDS = [
    "students",
    "student_spectra",
    "student_sloppiness",
    "student_reduction",
    "student_critical",
]


wildcard_constraints:
    experiment="|".join(map(re.escape, EXPERIMENTS)),
    decay="|".join(map(re.escape, DECAYS | STUDENT_DECAYS)),


def predictions_of(experiment):
    """Manifest of the trainings of an experiment on the data of a decay."""

    def found(wildcards):
        id = f"{experiment}-{wildcards.decay}"
        return settled(f"synthetic_train {id}", f"{RESULTS}/synthetic/{id}.json")

    return found


def parts(step, kinds, decays):
    """Tables of a rule, one per decay."""
    return [
        settled(f"{step} {decay}", PART.format(kind=kind, decay=decay))
        for kind in kinds
        for decay in decays
    ]


def experiment_mb(experiment):
    """Memory of a training job: predictions of each stack, and all of them together."""
    return 1500 + 2 * experiment.prediction_bytes // 10**6


def manifold_mb(decay):
    """Memory of an analysis: predictions of a split, and float64 distances of all models."""
    experiment = EXPERIMENTS[f"grid-{decay}"]
    models = experiment.trainings * experiment.checkpoints
    return 2000 + (experiment.prediction_bytes + 3 * 8 * models**2) // 10**6
