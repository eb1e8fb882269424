"""The trainings of a study: networks by optimisers by augmentations."""

from hyperribbon.studies.part import Part, Step

PART = Part(
    name="grid",
    title="Data and trainings",
    applies=lambda study: bool(study.configurations()),
    steps=(
        Step("fetch_data"),
        Step("prepare_data"),
        Step("train"),
    ),
    files={
        "data.zarr": (
            "The raw samples with labels, their positions in the source, the mean and standard "
            "deviation that standardise them for networks, and a SHA-256 of all of this. If "
            "files were downloaded, `source.json` in the same folder says from where."
        ),
        "predictions/<configuration>.zarr": (
            "Predictions of all seeds and checkpoints of one configuration, with labels, "
            "losses, errors and snapshots. `{train,test}_predictions` are probabilities; a "
            "study with `training.predictions: sqrt_float16` has their square roots instead, "
            "`{train,test}_sqrt_predictions`."
        ),
    },
)
