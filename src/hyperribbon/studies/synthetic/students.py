"""Train students of all widths on the labels of teachers, on the data of one decay.

Of one, spectra of activations and curvature are found.
"""

import argparse
from pathlib import Path

from hyperribbon.storage.tables import write_table
from hyperribbon.studies.step import logger, run_step, step_parser
from hyperribbon.studies.synthetic.config import StudentsConfig
from hyperribbon.studies.synthetic.student_training import train_students


def main(args: argparse.Namespace) -> None:
    config = StudentsConfig.model_validate_json(args.students)
    tables = train_students(config, args.decay, args.work, code=args.code)
    for path in args.output:
        table = tables[path.stem.split("-")[0]]
        table.insert(0, "decay", args.decay)
        write_table(table, path)
    table = tables["students"]
    interpolating = (table["train_error"] == 0).sum()
    logger.info(
        "c = %g: %d of %d students interpolate; mean test error %.3f",
        args.decay, interpolating, len(table), table["test_error"].mean(),
    )  # fmt: skip


if __name__ == "__main__":
    parser = step_parser(__doc__)
    parser.add_argument("--students", required=True, help="what to train, JSON")
    parser.add_argument("--decay", type=float, required=True, help="c of the inputs")
    parser.add_argument("--work", type=Path, required=True, help="folder of work in progress")
    parser.add_argument(
        "--code", required=True, help="hash of the code; other work is not continued"
    )
    parser.add_argument("--output", type=Path, nargs="+", required=True, help="KIND-DECAY.csv ...")
    run_step(main, parser)
