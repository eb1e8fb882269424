"""See that the raw files of a data set lie in the cache, and say where they came from."""

import argparse
import json
from importlib import import_module
from pathlib import Path

from hyperribbon.storage.files import written_whole
from hyperribbon.studies.step import logger, run_step, step_parser


def main(args: argparse.Namespace) -> None:
    files = import_module(f"hyperribbon.data.{args.name}").FILES
    found = files.fetch()
    with written_whole(args.output) as partial:
        partial.write_text(json.dumps({"name": args.name, **found}, indent=1))
    logger.info(
        "%s: %d files in %s, from %s", args.name, len(found["files"]), files.folder, found["source"]
    )


if __name__ == "__main__":
    parser = step_parser(__doc__)
    parser.add_argument("--name", required=True, help="of the data set")
    parser.add_argument("--output", type=Path, required=True, help="JSON to write")
    run_step(main, parser)
