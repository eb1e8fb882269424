"""The tables of a study of synthetic data, of what was computed decay by decay."""

import argparse
from pathlib import Path

import pandas as pd

from hyperribbon.data.sloppy import load
from hyperribbon.storage.tables import read_tables, write_table
from hyperribbon.studies.step import logger, run_step, step_parser
from hyperribbon.studies.synthetic.config import SyntheticDataConfig
from hyperribbon.studies.synthetic.spectrum import input_spectrum

SHOWN = ("embedding", "geodesic")  # of some decays only: they have a row a model


def main(args: argparse.Namespace) -> None:
    found: dict[str, list[pd.DataFrame]] = {}
    for name, table in read_tables(args.parts).items():
        kind = name.split("-")[0]
        if kind not in SHOWN or table["decay"].isin(args.shown).all():
            found.setdefault(kind, []).append(table)
    data = SyntheticDataConfig.model_validate_json(args.data)
    for decay in args.decays:
        train, _ = load(decay=decay, **data.model_dump())
        spectrum = input_spectrum(train.images, decay)
        spectrum.insert(0, "data", "synthetic")
        spectrum.insert(1, "decay", decay)
        found.setdefault("spectra", []).append(spectrum)
    for path in args.output:
        write_table(pd.concat(found[path.stem.removeprefix("synthetic_")]), path)
    logger.info("%d tables of %d decays", len(args.output), len(args.decays))


if __name__ == "__main__":
    parser = step_parser(__doc__)
    parser.add_argument("--parts", type=Path, nargs="+", required=True, help="KIND-DECAY.csv ...")
    parser.add_argument("--data", required=True, help="section of the study, JSON")
    parser.add_argument("--decays", type=float, nargs="+", required=True, help="of the inputs")
    parser.add_argument("--shown", type=float, nargs="+", required=True, help="those embedded")
    parser.add_argument("--output", type=Path, nargs="+", required=True, help="CSVs to write")
    run_step(main, parser)
