"""One setting changed at a time: what moves numbers that a study contradicts.

From the root of the repository,

    snakemake --cores all --configfile config/cifar10_controls.yaml
    python examples/controlled_trainings.py

the first trains two small networks on CIFAR-10 as they are in `config/cifar10_overnight.yaml` (the
base), and again with one setting changed (half an hour on two cores); the second prints, as a
table in Markdown, what came out for each setting: every row is a family of four configurations.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

import hyperribbon as hr

RESULTS = Path("results", "cifar10_controls")
NETWORKS = ["FullyConnected", "AllCNN"]
OPTIMISERS = ["SGD-Nesterov", "Adam"]
FAMILIES = {  # networks, optimisers, augmentation
    "base": (NETWORKS, OPTIMISERS, "none"),
    "width: fully connected four times wider, All-CNN half as wide": (
        ["WideFullyConnected", "NarrowAllCNN"],
        OPTIMISERS,
        "none",
    ),
    "epochs: 80 instead of 40": (NETWORKS, [f"{name}-long" for name in OPTIMISERS], "none"),
    "schedule: a constant rate": (NETWORKS, [f"{name}-constant" for name in OPTIMISERS], "none"),
    "labels: a fifth at random": (NETWORKS, OPTIMISERS, "random-labels"),
}


def family(results: Path, networks: list, optimisers: list, augmentation: str) -> hr.Study:
    """The trainings of some networks, optimisers and one augmentation."""
    trainings = hr.Study.from_runs(results / "predictions").trainings
    chosen = (
        trainings["network"].isin(networks)
        & trainings["optimiser"].isin(optimisers)
        & (trainings["augmentation"] == augmentation)
    )
    names = trainings.loc[chosen, "configuration"].unique()
    return hr.Study.from_runs([results / "predictions" / f"{name}.zarr" for name in names])


def numbers(study: hr.Study) -> dict[str, float]:
    """What the contradicted claims are about, on train and on test."""
    found = {}
    models, tubes = study.tables["models"], study.tables["tubes"]
    for split in ("train", "test"):
        of_split = models[models["split"] == split]
        ends = of_split.groupby(["configuration", "seed"]).last()
        found[f"{split} error, %"] = 100 * ends["error"].mean()
        found[f"R², {split}"] = np.corrcoef(of_split["progress"], of_split["error"])[0, 1] ** 2
        found[f"InPCA, {split}, %"] = 100 * study.embed(split).attrs["explained_stress"][2]
        euclidean = study.geometry(split, "euclidean").dimensions
        found[f"PCA, {split}, %"] = 100 * euclidean["explained_pairwise_distance"][2]
    labels, P = study.labels("test"), study.predictions("test")
    last = models.query("split == 'test'").reset_index().groupby(["configuration", "seed"]).tail(1)
    truth = hr.truth(labels, P.shape[2])
    found["from the truth, test, nats"] = hr.pairwise_distance(P[last.index], truth[None]).mean()
    widths = tubes.query("split == 'train'").groupby("network")["to_mean"].mean()
    found["tubes, widest over narrowest"] = widths.max() / widths.min()
    return found


def main(results: Path = RESULTS) -> None:
    """Print the table."""
    table = pd.DataFrame(
        {name: numbers(family(results, *about)) for name, about in FAMILIES.items()}
    )
    print(table.T.rename_axis("change").to_markdown(floatfmt=".3g"))


if __name__ == "__main__":
    try:
        main(*map(Path, sys.argv[1:]))
    except hr.HyperribbonError as error:  # such as: the study has not been run
        sys.exit(str(error))
