"""Write the interactive phase diagram as one HTML file that loads nothing from the network."""

import argparse
from pathlib import Path

from hyperribbon.linear.phase import true_weights
from hyperribbon.storage.files import written_whole
from hyperribbon.storage.tables import read_tables
from hyperribbon.studies.linear.config import LinearConfig
from hyperribbon.studies.linear.explorer import linear_explorer
from hyperribbon.studies.step import run_step, step_parser


def main(args: argparse.Namespace) -> None:
    config = LinearConfig.model_validate_json(args.linear)
    true = true_weights(config.draws, config.samples, config.seed)
    page = linear_explorer(read_tables([args.phase]), true, config.fraction)
    with written_whole(args.output) as partial:
        partial.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    parser = step_parser(__doc__)
    parser.add_argument("--phase", type=Path, required=True, help="linear_phase.csv")
    parser.add_argument("--linear", required=True, help="section of the study, JSON")
    parser.add_argument("--output", type=Path, required=True, help="HTML file to write")
    run_step(main, parser)
