"""InPCA of all trainings of the grid on the data of one decay."""

import argparse
from pathlib import Path

import pandas as pd

from hyperribbon.storage.dataset import SPLITS
from hyperribbon.storage.manifest import store_path
from hyperribbon.storage.tables import coordinate_table, write_table
from hyperribbon.studies.step import logger, run_step, step_parser
from hyperribbon.studies.synthetic.analysis import (
    FACTORS,
    Trainings,
    embed,
    geodesic_table,
    separation,
    stress_bounds,
    stress_table,
)


def main(args: argparse.Namespace) -> None:
    trainings = Trainings(store_path(args.predictions))
    models = trainings.models()
    configuration = models[FACTORS].astype(str).agg("-".join, axis=1)
    found: dict[str, list[pd.DataFrame]] = {
        name: [] for name in ("stress", "embedding", "geodesic", "separation")
    }
    for split in SPLITS:
        P = trainings.predictions(split)
        checkpoints = P.shape[1]
        P = P.reshape(-1, *P.shape[2:])
        D, inpca = embed(P, args.threads)
        stress = stress_table(inpca)
        low, high = stress_bounds(D, configuration, stress["explained_stress"])
        parts = {
            "stress": stress.assign(low=low, high=high),
            "embedding": pd.concat([models, coordinate_table(inpca.embedding_, 3)], axis=1),
            "geodesic": geodesic_table(inpca, P, trainings.labels(split), args.threads),
            "separation": separation(D, trainings.table, checkpoints),
        }
        for name, part in parts.items():
            part.insert(0, "split", split)
            part.insert(0, "decay", args.decay)
            found[name].append(part)
        row = stress["explained_stress"]
        logger.info(
            "c = %g, %s: %d models, explained stress of 3 dimensions %.3f, of 10 %.3f",
            args.decay, split, len(P), row[:3].iloc[-1], row[:10].iloc[-1],
        )  # fmt: skip
    ends = trainings.ends(SPLITS)
    ends.insert(0, "decay", args.decay)
    found["trainings"] = [ends]
    for path in args.output:
        write_table(pd.concat(found[path.stem.split("-")[0]]), path)


if __name__ == "__main__":
    parser = step_parser(__doc__)
    parser.add_argument("--predictions", type=Path, required=True, help="manifest")
    parser.add_argument("--decay", type=float, required=True, help="c of the inputs")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--output", type=Path, nargs="+", required=True, help="KIND-DECAY.csv ...")
    run_step(main, parser)
