"""Check all that a study left against its checksums, and name what is damaged."""

import argparse
import shlex
from pathlib import Path

from hyperribbon.errors import StoreError
from hyperribbon.storage.verification import UNCHECKED, verify
from hyperribbon.studies.step import logger, run_step, step_parser

NAMED = 10  # files without checksums that are named


def main(args: argparse.Namespace) -> None:
    found = verify(args.results, args.recorded, progress_bar=True)
    for finding in found.findings:
        logger.error("%s", finding.what)
    if args.stale:
        print(
            f"made with other code or settings than are here now: {', '.join(args.stale)}; "
            "Snakemake makes them again, unless they were copied without its folder .snakemake: "
            f"then add --forcerun {args.stale[0]}"
        )
    if found.unknown:
        named = ", ".join(map(str, found.unknown[:NAMED]))
        more = f" and {len(found.unknown) - NAMED} more" if len(found.unknown) > NAMED else ""
        print(f"not checked, for no step left checksums of them: {named}{more}")
    if found.findings:
        pieces = {str(finding.piece): None for finding in found.findings if finding.piece}
        advice = (
            "; delete what is named and run again, which makes just that: "
            f"rm -r {shlex.join(pieces)}"
        )
        raise StoreError(f"{args.results}: {len(found.findings)} damaged{advice if pieces else ''}")
    print(
        f"{args.results}: {found.stores} stores and {found.files} other files are as they were "
        f"written; {', '.join(f'{name}/' for name in UNCHECKED)} are not checked"
    )


if __name__ == "__main__":
    parser = step_parser(__doc__)
    parser.add_argument("--results", type=Path, required=True, help="folder of the study")
    parser.add_argument(
        "--recorded", type=Path, nargs="*", default=[], help="manifests of recordings"
    )
    parser.add_argument("--stale", nargs="*", default=[], help="rules whose results are others'")
    run_step(main, parser)
