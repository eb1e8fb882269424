"""See that the raw files of a data set lie in the cache, and say where they came from."""

import json
from importlib import import_module
from pathlib import Path

from hyperribbon.storage.files import written_whole
from hyperribbon.studies.step import logger, run_step


def main(name: str, output: Path) -> None:
    """Fetch a data set, unless it is in the cache.

    Parameters
    ----------
    name : of the data set
    output : JSON file to write
    """
    files = import_module(f"hyperribbon.data.{name}").FILES
    found = files.fetch()
    with written_whole(output) as partial:
        partial.write_text(json.dumps({"name": name, **found}, indent=1))
    logger.info(
        "%s: %d files in %s, from %s", name, len(found["files"]), files.folder, found["source"]
    )


if __name__ == "__main__":
    run_step(main)
