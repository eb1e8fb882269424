"""Gather tables, figures and pages into one report: Snakemake's own, made by a second Snakemake."""

import subprocess
import sys
from pathlib import Path

from hyperribbon.errors import StoreError
from hyperribbon.reporting.pages import asset_path
from hyperribbon.storage.files import written_whole
from hyperribbon.studies.parts import captions
from hyperribbon.studies.step import logger, run_step


def main(
    results: list[Path], snakefile: Path, study: str, keys: str, output: tuple[Path, Path, Path]
) -> list[Path]:
    """Make the report.

    Parameters
    ----------
    results : all files but the report
    snakefile : of this workflow
    study : the resolved study, JSON
    keys : of the rules, JSON
    output : report, study and keys to write

    Returns
    -------
    Files of the captions
    """
    report, study_path, keys_path = output
    with written_whole(study_path) as partial:
        partial.write_text(study)
    folder = study_path.parent / "captions"
    written = {folder / name: text for name, text in captions()}
    for path, text in written.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    # It only reads, and is given the resolved study.
    command: list[str | Path] = [sys.executable, "-m", "snakemake", "--nolock", "--quiet", "all"]
    command += ["--snakefile", snakefile, "--configfile", study_path]
    command += ["--report", report, "--report-stylesheet", asset_path("report.css"), "--"]
    run = subprocess.run(
        [*command, *results], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    logger.info("%s", run.stdout.strip())
    if run.returncode:
        said = " ".join(run.stdout.split()) or f"exit status {run.returncode}"
        raise StoreError(f"{report}: Snakemake could not make it: {said}")
    with written_whole(keys_path) as partial:
        partial.write_text(keys)
    return list(written)


if __name__ == "__main__":
    run_step(main)
