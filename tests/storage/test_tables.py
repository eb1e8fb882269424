import pandas as pd

from hyperribbon.storage.tables import join_tables, read_tables


def test_names_stay_text_and_gaps_stay_gaps(tmp_path):
    """``NA`` and ``01`` are names that a study may have."""
    table = pd.DataFrame({"network": ["NA", "01", "null"], "error": [0.1, None, 0.3]})
    table.to_csv(tmp_path / "models.csv", index=False)
    read = read_tables([tmp_path / "models.csv"])["models"]
    assert read["network"].tolist() == ["NA", "01", "null"]
    assert read["error"].isna().tolist() == [False, True, False]


def test_names_that_are_numbers_stay_text_in_long_tables(tmp_path):
    """Of which pandas would guess the type piece by piece."""
    table = pd.DataFrame({"near_geodesic": ["0.50"] * 300_000 + ["none"]})
    table.to_csv(tmp_path / "models.csv", index=False)
    read = read_tables([tmp_path / "models.csv"])["models"]
    assert set(read["near_geodesic"]) == {"0.50", "none"}


def test_tables_of_several_jobs_are_joined_as_they_are_written(tmp_path):
    """A name that begins as another one is another table."""
    for name, text in {"a-x": "n,v\nA,1.10\n", "a-y": "n,v\nNA,\n", "a_b-x": "n,v\nC,3\n"}.items():
        (tmp_path / f"{name}.csv").write_text(text)
    output = [tmp_path / "a.csv", tmp_path / "a_b.csv"]
    join_tables(sorted(tmp_path.glob("*-*.csv")), output)
    assert [path.read_text() for path in output] == ["n,v\nA,1.10\nNA,\n", "n,v\nC,3\n"]
