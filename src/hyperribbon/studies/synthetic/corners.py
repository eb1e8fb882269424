"""InPCA of trainings from one corner and from several, and of slices of them."""

import argparse
from pathlib import Path

import pandas as pd

from hyperribbon.storage.manifest import store_path
from hyperribbon.storage.tables import coordinate_table, write_table
from hyperribbon.studies.step import logger, run_step, step_parser
from hyperribbon.studies.synthetic.analysis import (
    Trainings,
    embed,
    geodesic_table,
    of_corners,
    slice_eigenvalues,
    stress_bounds,
    stress_table,
)


def main(args: argparse.Namespace) -> None:
    trainings = Trainings(store_path(args.predictions))
    slices = {"start": 0}
    if "slice_checkpoint" in trainings.store.attrs:
        at = trainings.store.attrs["slice_checkpoint"]
        slices[f"{trainings.store['fraction'].values[at]:.1%} of training"] = at
    found: dict[str, list[pd.DataFrame]] = {"corners_stress": [], "slices": []}
    for corners in args.counts:
        rows = of_corners(trainings.table, corners, args.trajectories)
        P = trainings.predictions("train", rows)
        for when, checkpoint in slices.items():
            values = slice_eigenvalues(P[:, checkpoint], args.threads)
            part = pd.DataFrame({"index": range(1, len(values) + 1), "eigenvalue": values})
            about = {"decay": args.decay, "corners": corners, "when": when}
            found["slices"].append(pd.DataFrame(about, part.index).join(part))
        P = P.reshape(-1, *P.shape[2:])
        D, inpca = embed(P, args.threads)
        stress = stress_table(inpca)
        models = trainings.models(rows)
        start = models["corner"].astype(str) + " " + models["seed"].astype(str)
        low, high = stress_bounds(D, start, stress["explained_stress"])
        stress = stress.assign(low=low, high=high, trajectories=len(rows))
        stress.insert(0, "corners", corners)
        stress.insert(0, "decay", args.decay)
        found["corners_stress"].append(stress)
        logger.info(
            "c = %g, %d corners: %d trajectories, explained stress of 3 dimensions %.3f",
            args.decay, corners, len(rows), stress["explained_stress"][:3].iloc[-1],
        )  # fmt: skip
        if corners == max(args.counts):
            embedding = pd.concat([models, coordinate_table(inpca.embedding_, 3)], axis=1)
            found["corner_embedding"] = [embedding]
            found["corner_geodesic"] = [
                geodesic_table(inpca, P, trainings.labels("train"), args.threads)
            ]
    found["corner_trainings"] = [trainings.ends(["train"])]
    for name in ("corner_embedding", "corner_geodesic", "corner_trainings"):
        found[name][0].insert(0, "decay", args.decay)
    for path in args.output:
        write_table(pd.concat(found[path.stem.split("-")[0]]), path)


if __name__ == "__main__":
    parser = step_parser(__doc__)
    parser.add_argument("--predictions", type=Path, required=True, help="manifest")
    parser.add_argument("--decay", type=float, required=True, help="c of the inputs")
    parser.add_argument("--counts", type=int, nargs="+", required=True, help="of corners")
    parser.add_argument("--trajectories", type=int, required=True, help="for each count")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--output", type=Path, nargs="+", required=True, help="KIND-DECAY.csv ...")
    run_step(main, parser)
