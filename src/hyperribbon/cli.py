"""The command line: ``hyperribbon run``, ``explore``, ``watch``, ``compare``, and others.

Exit codes: 0, all is well; 1, something is wrong that one line names; 2, a command that does not
exist or an option that it does not have.
"""

from __future__ import annotations

import re
import subprocess
import sys
import webbrowser
from collections.abc import Callable
from functools import wraps
from pathlib import Path

import click

from hyperribbon import __version__
from hyperribbon.errors import ConfigError, HyperribbonError, StoreError
from hyperribbon.extras import needs
from hyperribbon.registry import NAME


def in_one_line(command: Callable) -> Callable:
    """Decorate a command so that a user's slip is one line, with exit code 1."""

    @wraps(command)
    def guarded(*args, **options):
        try:
            return command(*args, **options)
        except HyperribbonError as error:
            raise click.ClickException(str(error)) from None

    return guarded


def output_option(default: str, words: str) -> Callable[[Callable], Callable]:
    """Option for the file that a command writes."""
    return click.option(
        "-o",
        "--output",
        type=click.Path(path_type=Path),
        default=Path(default),
        show_default=True,
        help=words,
    )


open_option = click.option(
    "--open/--no-open", "opens", default=True, help="Open the page in a browser."
)


def say_and_open(page: Path, opens: bool) -> None:
    """Name a page that was written, with its size, and perhaps open it."""
    click.echo(f"{page}: {page.stat().st_size / 1e6:.1f} MB")
    if opens:
        webbrowser.open(page.resolve().as_uri())


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="hyperribbon")
def main() -> None:
    """The geometry of learning: what a family of networks did, as probability distributions."""


@main.command(context_settings={"ignore_unknown_options": True})
@click.argument("config", type=click.Path(path_type=Path), required=False)
@click.option("--cores", default="all", show_default=True, help="Processor cores to use.")
@click.argument("snakemake", nargs=-1, type=click.UNPROCESSED)
@in_one_line
def run(config: Path | None, cores: str, snakemake: tuple[str, ...]) -> None:
    """Run a study, or continue it.

    CONFIG is the study's YAML file; without one, the default study runs. Results go to
    results/STUDY/. What is finished stays, and only what changed is made again. Further arguments
    are Snakemake's, such as --dry-run.
    """
    needs("snakemake", "workflow", "hyperribbon run")
    from hyperribbon.studies.workflow_files import default_config, snakefile

    if config is not None and str(config).startswith("-"):
        config, snakemake = None, (str(config), *snakemake)
    if config is not None and not config.is_file():
        raise ConfigError(f"{config}: no such file; `hyperribbon new study NAME` writes one")
    chosen = default_config() if config is None else config
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(snakefile())]
    command += ["--cores", cores, "--configfile", str(chosen), *snakemake]
    sys.exit(subprocess.run(command, check=False).returncode)


@main.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@output_option("explorer.html", "The page to write.")
@open_option
@click.option(
    "--prior",
    type=click.Choice(["uniform", "frequencies"]),
    default="uniform",
    show_default=True,
    help="What ignorance predicts: all classes alike, or their frequencies.",
)
@in_one_line
def explore(paths: tuple[str, ...], output: Path, opens: bool, prior: str) -> None:
    """Write the picture of any trainings as one page, and open it.

    PATHs are folders of recordings, recordings (NAME.zarr), folders of results of studies, or any
    mix of these. The page can be rotated and pointed at; it loads nothing from the network.
    """
    from hyperribbon.studies.opened import open_any

    study = open_any(paths, prior=None if prior == "uniform" else prior)
    click.echo(f"{study!r}")
    page = study.explore(output)
    say_and_open(page, opens)


@main.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "--split",
    type=click.Choice(["train", "test"]),
    help="Compare models on these samples; by default train, if there are any.",
)
@click.option("--port", type=int, default=0, help="Port of the page; by default any that is free.")
@open_option
@in_one_line
def watch(paths: tuple[str, ...], split: str | None, port: int, opens: bool) -> None:
    """Show the picture of trainings while they train.

    PATHs are folders into which trainings record, or recordings. The page is served to this
    computer alone, at an address that nobody can guess. Recordings are only read, so watching may
    begin, end and begin again at any time. Ctrl-C ends it.
    """
    from hyperribbon.watching.serving import watch_paths

    watch_paths(paths, split, port, opened=webbrowser.open if opens else None, say=click.echo)


@main.command()
@click.argument("paths", nargs=-1, required=True, metavar="STUDY STUDY...")
@output_option("compare.html", "The page to write; tables go beside it.")
@open_option
@in_one_line
def compare(paths: tuple[str, ...], output: Path, opens: bool) -> None:
    """Put studies side by side on one page.

    Each STUDY is a folder of a study's results, such as results/mnist5k, a folder of recordings or
    one recording (NAME.zarr). Studies that share samples are in one picture. What the first
    dimensions explain is beside null models, and claims are beside each other.
    """
    from hyperribbon.reporting.page import page_path
    from hyperribbon.studies.across import compare_paths

    page_path(output)
    comparison = compare_paths(paths)
    for sentence in comparison.about:
        click.echo(sentence)
    page, *tables = comparison.write(output)
    for table in tables:
        click.echo(table)
    say_and_open(page, opens)


@main.command()
@click.argument("results", nargs=-1, required=True, metavar="RESULTS...")
@output_option("claims_by_study.md", "The file to write, in Markdown.")
@in_one_line
def claims(results: tuple[str, ...], output: Path) -> None:
    """Write the verdicts of studies as one table, claim by claim.

    RESULTS are folders of studies' results, such as results/mnist5k. The file says how it was made
    and has hashes of the studies: equal studies give an equal file.
    """
    from hyperribbon.reporting.page import write_text
    from hyperribbon.studies.across import claims_as_markdown

    command = ["hyperribbon", "claims", *results, "-o", str(output)]
    write_text(output, claims_as_markdown(results, command))
    click.echo(output)


@main.command()
@click.argument(
    "paths", nargs=-1, required=True, metavar="PATH...", type=click.Path(path_type=Path)
)
@in_one_line
def verify(paths: tuple[Path, ...]) -> None:
    """Compare every stored byte with its checksum.

    PATHs are folders of results of studies, recordings (NAME.zarr) and folders of recordings.
    """
    from hyperribbon.analysis.study import find_stores
    from hyperribbon.storage.verification import faults_of, verify
    from hyperribbon.studies.opened import is_study

    faults: list[str] = []
    for path in paths:
        if is_study(path):
            found = verify(path, progress_bar=True)
            faults += [finding.what for finding in found.findings]
            counted = f"{found.stores} stores and {found.files} other files"
        else:
            stores = find_stores(path)
            faults += faults_of(stores, progress_bar=True)
            counted = f"{len(stores)} stores"
        click.echo(f"{path}: {counted} read")
    if faults:
        raise StoreError("; ".join(faults))
    click.echo("all are as they were written")


@main.command()
@click.argument("results", type=click.Path(path_type=Path))
@click.option("--open/--no-open", "opens", default=True, help="Open the report in a browser.")
@in_one_line
def report(results: Path, opens: bool) -> None:
    """Open the report of a study.

    RESULTS is the folder of the study's results, such as results/mnist5k.
    """
    page = results / "report.html"
    if not page.is_file():
        raise StoreError(f"{page}: no report is there yet; `hyperribbon run` makes it at the end")
    click.echo(page)
    if opens:
        webbrowser.open(page.resolve().as_uri())


@main.group()
def new() -> None:
    """Write a file to begin with."""


@new.command()
@click.argument("name")
@in_one_line
def study(name: str) -> None:
    """Write config/NAME.yaml, a study to change and run; it begins as the default study."""
    from hyperribbon.studies.workflow_files import default_config

    if not NAME.fullmatch(name):
        expected = "at most 40 letters, digits, - and _, beginning with a letter or digit"
        raise ConfigError(f"name = {name!r}: expected {expected}")
    path = Path("config", f"{name}.yaml")
    if path.exists():
        raise ConfigError(f"{path}: exists already, not replaced")
    text = default_config().read_text(encoding="utf-8")
    path.parent.mkdir(exist_ok=True)
    path.write_text(re.sub(r"(?m)^study:.*$", f"study: {name}", text, count=1), encoding="utf-8")
    click.echo(f"{path}: change it, then `hyperribbon run {path}`")


@main.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print what completes commands in a shell.

    For bash: eval "$(hyperribbon completion bash)" in ~/.bashrc.
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None, "one of the choices"
    click.echo(kind(main, {}, "hyperribbon", "_HYPERRIBBON_COMPLETE").source())


if __name__ == "__main__":
    main(prog_name="hyperribbon")
