"""What pictures are given becomes tables, or is refused in one line."""

import pandas as pd
import pytest

import hyperribbon as hr
from hyperribbon.errors import DataError
from hyperribbon.plot.tables import as_tables, in_order, run_columns

MAINS = {
    "embedding": "models",
    "pairs": "models",
    "progress": "models",
    "spectrum": "explained_stress",
    "tubes": "tubes",
    "to_geodesic": "tubes",
    "dendrogram": "configuration_distances",
}


@pytest.mark.parametrize("name", MAINS)
def test_one_table_is_enough(name, tables):
    getattr(hr.plot, name)(tables[MAINS[name]])


@pytest.mark.parametrize("name", MAINS)
@pytest.mark.parametrize("given", ["results/mnist5k", None, 3.5, object(), {"models": 3}])
def test_what_is_unknown_is_refused(name, given):
    with pytest.raises(DataError) as error:
        getattr(hr.plot, name)(given)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", MAINS)
def test_a_missing_column_is_named(name, tables):
    with pytest.raises(DataError, match="^data: no column .* in the table .*, which has split"):
        getattr(hr.plot, name)(tables[MAINS[name]][["split"]])


@pytest.mark.parametrize("name", MAINS)
def test_a_missing_table_is_named(name, tables):
    with pytest.raises(DataError, match=f"^data: no table {MAINS[name]}, only summary"):
        getattr(hr.plot, name)({"summary": tables["summary"]})


@pytest.mark.parametrize("name", MAINS)
def test_an_unknown_split_is_named(name, tables):
    with pytest.raises(DataError, match="split = 'tset': the table .* has train, test"):
        getattr(hr.plot, name)(tables, split="tset")


def test_the_only_split_is_the_default(tables):
    test = tables["models"].query("split == 'test'")
    assert as_tables(test, "models").split_of("models") == "test"
    assert as_tables(tables, "models").split_of("models") == "train"
    assert as_tables(test.drop(columns="split"), "models").split_of("models") is None


def test_a_table_without_the_split_is_not_drawn(tables):
    """A recording may have train predictions only."""
    tables["geodesic"] = tables["geodesic"].query("split == 'train'")
    found = as_tables(tables, "models", split="test")
    assert found.optional("geodesic", ["pc1"]) is None
    assert found.optional("explained_stress", ["no such column"]) is None


def test_labels_belong_to_predictions(tables, labels):
    with pytest.raises(DataError, match="^labels: given with tables"):
        hr.plot.embedding(tables, labels=labels)


def test_models_are_drawn_in_the_order_of_training():
    shuffled = pd.DataFrame({"training": 0, "checkpoint": [2, 0, 1]})
    assert in_order(shuffled)["checkpoint"].tolist() == [0, 1, 2]
    assert run_columns(shuffled) == ["training"]
    assert run_columns(pd.DataFrame({"seed": [0], "configuration": ["a"]})) == [
        "configuration",
        "seed",
    ]
    assert run_columns(pd.DataFrame({"pc1": [0.0]})) == []
