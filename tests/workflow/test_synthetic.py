"""A study of synthetic data alone, by the real workflow: what it leaves, and what runs again."""

import pandas as pd
import pytest
import xarray as xr
import yaml
from running import copy_repository, figures_of, finished_study, tables_of

from hyperribbon.studies.synthetic import further_claims
from hyperribbon.studies.synthetic.claims import CLAIMS

pytestmark = [pytest.mark.workflow, pytest.mark.slow]  # of its jobs, test_parts.py makes a plan

DATA = {"features": 12, "classes": 3, "train_size": 120}
SYNTHETIC = {
    "data": {**DATA, "teacher_width": 10, "test_size": 40},
    "decays": [0.5],
    "shown": [0.5],
    "beside": "digits",
    "networks": {"A": [16], "B": [8, 8]},
    "optimisers": {"SGD": {"algorithm": "sgd", "learning_rate": 0.05}},
    "batch_sizes": [20],
    "seeds": 2,
    "epochs": 2,
    "checkpoints": 4,
    "record_train": 60,
    "corners": {"counts": [1, 2], "trajectories": 4, "batch_size": 20, "epochs": 2, "slice": 0.2},
    "students": {
        **DATA, "teacher_widths": [20], "student_widths": [16], "decays": [0.5], "test_size": 40,
        "seeds": 1, "batch_size": 20, "epochs": 2,
    },
}  # fmt: skip


def write(repository, **changes):
    config = {"study": "tiny", "synthetic": {**SYNTHETIC, **changes}}
    (repository / "config" / "config.yaml").write_text(yaml.safe_dump(config))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    repository = copy_repository(tmp_path_factory.mktemp("synthetic") / "repository")
    write(repository)
    finished_study(repository, "tiny")
    return repository


def test_it_leaves_report_tables_and_figures_and_only_its_own(trained, planned):
    results = trained / "results" / "tiny"
    assert planned(trained) == {}
    tables = tables_of(results, figures_of("synthetic"))
    assert not [name for name, table in tables.items() if table.empty]
    store = xr.open_zarr(results / "synthetic" / "grid-0.5.zarr")
    models = tables["synthetic_embedding"].query("split == 'train'")
    assert len(models) == store.sizes["training"] * store.sizes["checkpoint"] == 2 * 2 * 4
    assert models["step"].tolist() == store["step"].values.ravel().tolist()
    inputs = tables["synthetic_spectra"].groupby("data").size()
    assert inputs.to_dict() == {"digits": 64, "synthetic": 12}
    claims = pd.read_csv(results / "claims.csv")
    assert len(claims) == len([*CLAIMS, *further_claims.CLAIMS])
    assert set(claims["data"]) == {"synthetic"}
    assert "All students interpolate" in (results / "claims.html").read_text()
    stress = tables["synthetic_corners_stress"].groupby("corners")["trajectories"].first()
    assert stress.to_dict() == {1: 4, 2: 4}


def test_another_decay_trains_only_that(trained, planned):
    analysed = {"synthetic_tables": 1, "draw": 1, "claims": 1, "gather_report": 1, "all": 1}
    try:
        write(trained, decays=[0.5, 0.01])
        jobs = planned(trained)
        assert jobs == {"synthetic_train": 1, "synthetic_manifold": 1, **analysed}
        write(trained, students={**SYNTHETIC["students"], "epochs": 3})
        assert planned(trained) == {"synthetic_students": 1, **analysed}
        write(trained, beside="mnist5k")
        assert planned(trained) == {"synthetic_image_spectrum": 1, **analysed}
        write(trained, corners={**SYNTHETIC["corners"], "epochs": 3})
        assert planned(trained) == {"synthetic_train": 1, "synthetic_corners": 1, **analysed}
    finally:
        write(trained)
