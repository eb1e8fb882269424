"""Put the tables of the data sets of a study of class manifolds together."""

from hyperribbon.studies.linear.tables import main
from hyperribbon.studies.step import run_step

if __name__ == "__main__":
    run_step(main)
