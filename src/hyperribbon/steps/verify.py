"""Check every store of a study against its manifest, and name what is damaged."""

import argparse
import shlex
from pathlib import Path

from hyperribbon.errors import StoreError
from hyperribbon.steps import logger, run_step, step_parser
from hyperribbon.verification import verify


def main(args: argparse.Namespace) -> None:
    pieces = []
    for finding in verify(args.results, progress=True):
        logger.error("%s", finding.what)
        pieces.append(str(finding.piece))
    if args.stale:
        print(
            f"made with other code or settings than are here now: {', '.join(args.stale)}; "
            "Snakemake makes them again, unless they were copied without its folder .snakemake: "
            f"then add --forcerun {args.stale[0]}"
        )
    if pieces:
        raise StoreError(
            f"{args.results}: {len(pieces)} damaged; delete what is named and run again, which "
            f"makes just that: rm -r {shlex.join(pieces)}"
        )
    print(f"{args.results}: every file is as it was written")


if __name__ == "__main__":
    parser = step_parser(__doc__)
    parser.add_argument("--results", type=Path, required=True, help="folder of the study")
    parser.add_argument("--stale", nargs="*", default=[], help="rules whose results are others'")
    run_step(main, parser)
