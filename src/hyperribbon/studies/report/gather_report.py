"""Gather tables, figures and pages into one report: Snakemake's own, made by a second Snakemake."""

import argparse
import subprocess
import sys
from pathlib import Path

from hyperribbon.errors import StoreError
from hyperribbon.reporting.pages import asset_path
from hyperribbon.storage.files import written_whole
from hyperribbon.studies.parts import PARTS
from hyperribbon.studies.step import logger, run_step, step_parser


def main(args: argparse.Namespace) -> None:
    report, study, keys = args.output
    with written_whole(study) as partial:
        partial.write_text(args.study)
    for part in PARTS:
        for name, text in part.captions():
            path = study.parent / "captions" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    # It only reads, and is given the resolved study.
    command = [sys.executable, "-m", "snakemake", "--nolock", "--quiet", "all"]
    command += ["--snakefile", args.snakefile, "--configfile", study]
    command += ["--report", report, "--report-stylesheet", asset_path("report.css"), "--"]
    run = subprocess.run(
        [*command, *args.results], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    logger.info("%s", run.stdout.strip())
    if run.returncode:
        said = " ".join(run.stdout.split()) or f"exit status {run.returncode}"
        raise StoreError(f"{report}: Snakemake could not make it: {said}")
    with written_whole(keys) as partial:
        partial.write_text(args.keys)


if __name__ == "__main__":
    parser = step_parser(__doc__)
    parser.add_argument("--results", nargs="+", required=True, help="all files but the report")
    parser.add_argument("--snakefile", type=Path, required=True, help="of this workflow")
    parser.add_argument("--study", required=True, help="the resolved study, JSON")
    parser.add_argument("--keys", required=True, help="keys of the rules, JSON")
    parser.add_argument(
        "--output", type=Path, nargs=3, required=True, help="report, study, keys to write"
    )
    run_step(main, parser)
