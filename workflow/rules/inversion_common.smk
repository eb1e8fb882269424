# What the rules of class manifolds share.
from hyperribbon.config import DATA_SOURCES

INVERSION = STUDY.inversion
# In an order of their own: that of a mapping is not kept where a study is written again.
INVERSION_DATA = [name for name in DATA_SOURCES if name in INVERSION.data]
INVERSION_INPUTS_FILE = f"{RESULTS}/inversion/{{inversion_data}}.npz"
INVERSION_PART = f"{RESULTS}/inversion/{{table}}-{{inversion_data}}.csv"
INVERSION_NAMES = list(step_named("inversion_tables")[1].tables)


wildcard_constraints:
    inversion_data="|".join(INVERSION_DATA),


def inversion_size(name):
    """Pixels per side of the images of a data set."""
    return INVERSION.data[name].image_size or DATA_SOURCES[name].shape[1]


def inversion_json(name):
    """The settings that determine the trainings on a data set, without those of the others."""
    section = INVERSION.model_dump(mode="json")
    return canonical_json({**section, "data": {name: section["data"][name]}})
