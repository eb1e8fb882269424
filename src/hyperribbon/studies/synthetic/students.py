"""Train students of all widths on the labels of teachers, on the data of one decay.

For one of them, spectra of activations and of curvature are computed.
"""

from pathlib import Path

from hyperribbon.storage.tables import write_table
from hyperribbon.studies.step import logger, run_step
from hyperribbon.studies.synthetic.config import StudentsConfig
from hyperribbon.studies.synthetic.student_training import train_students


def main(students: StudentsConfig, decay: float, work: Path, code: str, output: list[Path]) -> None:
    """Train students, and tabulate what they learned.

    Parameters
    ----------
    students : what to train, JSON
    decay : c of the inputs
    work : folder of work in progress
    code : hash of the code; work done with other code is not continued
    output : CSV files, KIND-DECAY.csv
    """
    tables = train_students(students, decay, work, code=code)
    for path in output:
        table = tables[path.stem.split("-")[0]]
        table.insert(0, "decay", decay)
        write_table(table, path)
    table = tables["students"]
    interpolating = (table["train_error"] == 0).sum()
    logger.info(
        "c = %g: %d of %d students interpolate; mean test error %.3f",
        decay, interpolating, len(table), table["test_error"].mean(),
    )  # fmt: skip


if __name__ == "__main__":
    run_step(main)
