"""Snakemake, imported once: each run is a fork of this process, which spares it the imports.

Reads lines of JSON, {"folder", "arguments", "output"}, and answers each with the exit status of
``snakemake ARGUMENTS`` in that folder, whose output goes to the file.
"""

import json
import os
import sys

import pandas  # noqa: F401
import snakemake.cli
import snakemake.utils


def main() -> None:
    for line in sys.stdin:
        run = json.loads(line)
        child = os.fork()
        if child == 0:
            break
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)
    else:
        return
    os.chdir(run["folder"])
    sys.path[0] = run["folder"]
    sys.argv[:] = ["snakemake", *run["arguments"]]
    output = os.open(run["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream, source in ((0, os.open(os.devnull, os.O_RDONLY)), (1, output), (2, output)):
        os.dup2(source, stream)
    snakemake.cli.main(run["arguments"])


if __name__ == "__main__":
    main()
