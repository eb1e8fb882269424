"""Check all that a study left against its checksums, and name what is damaged."""

import shlex
from pathlib import Path

from hyperribbon.errors import StoreError
from hyperribbon.storage.verification import UNCHECKED, verify
from hyperribbon.studies.step import logger, run_step

NAMED = 10  # files without checksums that are named


def main(results: Path, recorded: tuple[Path, ...] = (), stale: tuple[str, ...] = ()) -> None:
    """Verify a study.

    Parameters
    ----------
    results : folder of the study
    recorded : manifests of recordings made elsewhere
    stale : rules whose results were made with other code or settings
    """
    found = verify(results, recorded, progress_bar=True)
    for finding in found.findings:
        logger.error("%s", finding.what)
    if stale:
        print(
            f"made with other code or settings than are here now: {', '.join(stale)}; "
            "Snakemake makes them again, unless they were copied without its folder .snakemake: "
            f"then add --forcerun {stale[0]}"
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
        raise StoreError(f"{results}: {len(found.findings)} damaged{advice if pieces else ''}")
    print(
        f"{results}: {found.stores} stores and {found.files} other files are as they were "
        f"written; {', '.join(f'{name}/' for name in UNCHECKED)} are not checked"
    )


if __name__ == "__main__":
    run_step(main)
