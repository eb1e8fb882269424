"""What counts as a step's code, in copies of the package that are changed."""

import ast
import os
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager

import pytest

from hyperribbon.studies import code_version as module
from hyperribbon.studies.code_version import PACKAGE, ROOT, code_version, import_closure
from hyperribbon.studies.parts import PARTS, step_module

STEPS = {step.name: step_module(step.name) for part in PARTS for step in part.steps}


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    """A copy of the package, in which tests put back what they change."""
    target = tmp_path_factory.mktemp("code") / PACKAGE
    return shutil.copytree(ROOT, target, ignore=shutil.ignore_patterns("__pycache__"))


@pytest.fixture
def package(copied, monkeypatch):
    """The copy, at which `code_version` looks; nothing is remembered of it."""
    monkeypatch.setattr(module, "ROOT", copied)
    forget()
    yield copied
    forget()


@contextmanager
def edited(file, edit):
    """A file that reads otherwise for a while."""
    text = file.read_text()
    file.write_text(edit(text))
    assert file.read_text() != text
    forget(but=module._path)  # files are where they were
    try:
        yield
    finally:
        file.write_text(text)


def forget(but=module._parsed):
    """Forget all that was found of files; what was found of texts holds for good."""
    for function in vars(module).values():
        if hasattr(function, "cache_clear") and function not in (module._parsed, but):
            function.cache_clear()


@pytest.fixture(scope="session")
def before():
    """The version of each step as it is here; a copy of the package has the same."""
    forget()
    return {step: code_version(module) for step, module in STEPS.items()}


def changed_by(package, path, edit, before):
    """Steps whose version an edit of a file changes."""
    with edited(package / path, edit):
        return {step for step, module in STEPS.items() if code_version(module) != before[step]}


def add_code(text):
    return f"{text}\nADDED = 1\n"


# Steps on the predictions of networks trained on synthetic data; those that train them.
SYNTHETIC = {"synthetic_corners", "synthetic_manifold"}
SYNTHETIC_TRAIN = {"synthetic_students", "synthetic_train"}
# Steps that prepare images.
PREPARE = {"prepare_data", "synthetic_image_spectrum", "linear_inputs"}
# The step that certifies networks.
CERTIFY = {"certify"}
# The step that trains networks whose class manifolds are followed.
MANIFOLDS = {"inversion"}
# Steps that read the predictions of all models.
MODELS = {
    "corners",
    "distance",
    "ensembles",
    "four_points",
    "joint",
    "metrics",
    "null_model",
    "progress",
    "subsets",
    "tables",
    "trajectories",
    "trajectory_space",
}
# Steps on bases of models and of samples; the one that compares them with tangent kernels.
BASES, KERNELS = {"model_bases", "sample_bases", "tangent_bases"}, {"kernel_tangents"}
MODELS |= BASES | KERNELS


TRAJECTORIES = {"tables", "trajectories", "trajectory_space"}
# Steps that fit an InPCA.
FITS = {"embed", "four_points", "joint", "metrics", "null_model", "subsets", "trajectory_space"}
FITS |= {"spectra", "task_embedding", "task_mappings"} | SYNTHETIC | BASES | KERNELS
CURVATURE = {"curvature", "spectra"}
# Steps that look at curvature.
SURVEYS = {"curvature", "synthetic_students"}
# The step that trains linear models and wide networks; steps that draw.
LINEAR = {"linear_experiment"}
DRAWN = {"draw", "explore", "linear_explore", "plane_explore"}
# Steps that look at representations: of networks in the plane, of networks of images.
PLANE, IMAGE = {"plane_geometry"}, {"image_geometry"}
# Steps on the predictions of networks that learned different tasks.
TASK_MODELS = {"task_embedding", "task_means", "task_tables"}
# The step that maps their networks to all classes in several ways.
MAPPINGS = {"task_mappings"}
# Steps that build networks.
NETWORKS = SYNTHETIC_TRAIN | LINEAR | MANIFOLDS | CURVATURE | PLANE | IMAGE | MAPPINGS | CERTIFY
NETWORKS |= {"train", "regression"} | KERNELS
# Steps that write a page.
PAGES = {"explore", "linear_explore", "plane_explore", "summarise", "claims"}


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("studies/manifold/embed.py", {"embed"}),
        ("studies/step.py", set(STEPS)),
        ("embedding/inpca.py", FITS | MANIFOLDS | {"tables"}),  # StoredGeometry is a Geometry
        ("embedding/iskl.py", set()),
        ("embedding/from_few.py", {"subsets", "task_embedding"}),
        # It no longer only passes names on.
        ("embedding/__init__.py", FITS | MANIFOLDS | {"ensembles", "tables"}),
        (
            "probability/geodesic.py",
            TRAJECTORIES | SYNTHETIC | {"corners", "distance", "metrics", "task_means"},
        ),
        ("probability/centroids.py", {"ensembles"}),
        (
            "pairwise/cpu.py",
            MODELS - {"corners", "progress"}
            | SYNTHETIC
            | MANIFOLDS
            | TASK_MODELS - {"task_tables"}
            | MAPPINGS
            | {"embed", "spectra"},
        ),
        ("trajectories/resampling.py", TRAJECTORIES | {"task_means"}),
        (
            "training/loop.py",
            SYNTHETIC_TRAIN | LINEAR | MANIFOLDS | PLANE | MAPPINGS | {"train", "regression"},
        ),
        ("training/schedule.py", SYNTHETIC_TRAIN | MANIFOLDS | MAPPINGS | {"train"}),
        ("networks/__init__.py", NETWORKS),
        ("networks/building.py", NETWORKS),
        ("networks/registry.py", NETWORKS),
        ("curvature/gram.py", SURVEYS | LINEAR | KERNELS | {"regression"}),
        (
            "curvature/sloppiness.py",
            LINEAR | MANIFOLDS | CERTIFY | {"spectra", "synthetic_students", "regression"},
        ),
        ("curvature/tables.py", LINEAR | {"spectra", "synthetic_students", "regression"}),
        ("curvature/survey_tables.py", {"spectra"}),
        ("pac_bayes/search.py", CERTIFY),
        ("representations/conservation.py", MANIFOLDS),
        ("linear/networks.py", LINEAR),
        ("linear/covariance.py", LINEAR | {"linear", "linear_explore"}),
        ("linear/spectra.py", {"linear"}),
        ("studies/synthetic/training.py", {"synthetic_train"}),
        ("studies/synthetic/student_training.py", {"synthetic_students"}),
        ("training/regression.py", {"regression"}),
        ("representations/riemann.py", PLANE | IMAGE),
        ("representations/finite_width.py", {"width_geometry"}),
        ("representations/image_tables.py", {"image_tables"}),
        ("data/boston.py", {"regression"}),
        ("studies/synthetic/analysis.py", SYNTHETIC),
        (
            "data/sloppy.py",
            SYNTHETIC_TRAIN | LINEAR | {"synthetic_image_spectrum", "synthetic_tables"},
        ),
        ("studies/synthetic/figures.py", set()),  # so it is with figures
        ("networks/vit.py", set()),  # a rule names it beside the step
        (
            "data/dataset.py",
            SYNTHETIC_TRAIN
            | PREPARE
            | MANIFOLDS
            | IMAGE
            | MAPPINGS
            | CERTIFY
            | KERNELS
            | {"train", "curvature"},
        ),
        ("data/prepare.py", PREPARE),
        (
            "storage/dataset.py",
            MODELS
            | CURVATURE
            | SYNTHETIC
            | SYNTHETIC_TRAIN
            | PREPARE
            | MANIFOLDS
            | IMAGE
            | TASK_MODELS
            | MAPPINGS
            | CERTIFY
            | {"embed", "explore", "image_tables", "train", "verify"},
        ),
        ("reporting/style.py", DRAWN - {"linear_explore"} | {"first_picture"}),
        ("config/plugins.py", set()),
        ("studies/plugins/claims.py", {"claims"}),
        ("studies/plugins/figures.py", set()),
        ("plot/_embedding.py", set()),  # as with figures
        ("plot/phase.py", {"linear_explore"}),
        ("plot/arrays.py", set()),  # figures of tables compute nothing
        ("studies/part.py", set()),
        ("studies/manifold/part.py", set()),
        ("analysis/explorer.py", {"explore"}),
        ("reporting/pages/__init__.py", PAGES | {"gather_report"}),
        ("studies/study.py", set()),
        ("__init__.py", set()),
        ("config/__init__.py", set()),
    ],
)
def test_only_steps_that_import_a_module_depend_on_it(before, package, path, steps):
    assert changed_by(package, path, add_code, before) == steps


@pytest.mark.parametrize(
    ("file", "steps"),
    [
        ("page.css", {"summarise", "claims"}),
        ("page.html", {"summarise", "claims"}),
        ("explorer.js", {"explore"}),
        ("report.css", {"gather_report"}),
        ("linear_covariance.js", {"linear_explore"}),
        ("representations_maps.js", {"plane_explore"}),
        ("interactive.js", {"explore", "linear_explore", "plane_explore"}),
    ],
)
def test_only_steps_that_write_a_page_with_a_file_depend_on_it(before, package, file, steps):
    assert changed_by(package, f"reporting/pages/{file}", "{}\n".format, before) == steps


def test_every_file_of_the_pages_is_named_by_a_module():
    """By a literal name; a file that none names would change without a step running again."""
    files = module._page_files()
    texts = [path.read_text() for path in ROOT.rglob("*.py")]
    assert len(files) > 5
    assert {file for file in files if not any(f'"{file}"' in text for text in texts)} == set()


def add_comment(text):
    return f"# A word.\n{text}\n\n\n# Another."


def change_docstrings(text):
    return re.sub(r'^( *)"""(?=[A-Z])', r'\1"""Indeed. ', text, flags=re.M)


def reformat(text):
    return ast.unparse(ast.parse(text))


@pytest.mark.parametrize("edit", [add_comment, change_docstrings, reformat])
@pytest.mark.parametrize(
    "path", ["training/loop.py", "studies/grid/train.py", "storage/dataset.py"]
)
def test_comments_docstrings_and_formatting_do_not_count(before, package, path, edit):
    assert changed_by(package, path, edit, before) == set()


def test_any_other_change_counts(package):
    versions = {code_version(f"{PACKAGE}.training.loop")}
    for old, new in [
        ("EVALUATION_BATCH = 500", "EVALUATION_BATCH = 501"),
        ("zero_grad", "zerograd"),
    ]:
        with edited(
            package / "training" / "loop.py", lambda text, o=old, n=new: text.replace(o, n)
        ):
            versions.add(code_version(f"{PACKAGE}.training.loop"))
    assert len(versions) == 3


def test_times_and_places_of_files_do_not_count(before, package):
    assert {step: code_version(module) for step, module in STEPS.items()} == before
    for path in package.rglob("*.py"):
        os.utime(path, (1, 1))
    forget()
    assert {step: code_version(module) for step, module in STEPS.items()} == before


def test_versions_of_libraries_count_where_they_are_used(monkeypatch):
    def versions():
        forget()
        return {step: code_version(module) for step, module in STEPS.items()}

    before, version = versions(), module.version
    monkeypatch.setattr(module, "version", lambda name: version(name) + ".1" * (name == "plotly"))
    after = versions()
    monkeypatch.undo()
    forget()
    changed = {step for step in STEPS if before[step] != after[step]}
    assert changed == {"explore", "linear_explore", "plane_explore"}


def test_a_module_beside_the_step_counts(package):
    with_vit = code_version(STEPS["train"], f"{PACKAGE}.networks.vit")
    with_cnn = code_version(STEPS["train"], f"{PACKAGE}.networks.allcnn")
    with edited(package / "networks" / "vit.py", add_code):
        assert code_version(STEPS["train"], f"{PACKAGE}.networks.vit") != with_vit
        assert code_version(STEPS["train"], f"{PACKAGE}.networks.allcnn") == with_cnn


@pytest.mark.parametrize(
    "statement",
    [
        "import pack.b",
        "from pack import b",
        "from pack.b import value",
        "from . import b",
        "from .b import value as other",
        "def f():\n    from pack.b import value",
        "if True:\n    import pack.b as c",
        "from pack.facade import value",
        "from pack.facade import renamed",
        "import pack.facade",
    ],
)
def test_every_form_of_import_is_followed(tmp_path, monkeypatch, statement):
    package = tmp_path / "pack"
    (package / "facade").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "a.py").write_text(statement)
    (package / "b.py").write_text("value = 1\n")
    (package / "facade" / "__init__.py").write_text(
        '"""Doc."""\nfrom pack.b import value, value as renamed\n\n__all__ = ["value"]\n'
    )
    monkeypatch.setattr(module, "PACKAGE", "pack")
    monkeypatch.setattr(module, "ROOT", package)
    forget()
    before = code_version("pack.a")
    (package / "b.py").write_text("value = 2\n")
    forget()
    assert code_version("pack.a") != before
    assert "pack.b" in import_closure("pack.a")
    forget()


def test_a_module_that_is_not_there_is_named():
    with pytest.raises(ModuleNotFoundError, match=r"hyperribbon\.studies\.tarin: no such module"):
        code_version(f"{PACKAGE}.studies.tarin")


def test_what_is_imported_by_a_computed_name_is_known():
    """A rule must name such modules beside its step; the API of the package computes nothing."""
    computed = {
        path.relative_to(ROOT).as_posix()
        for path in ROOT.rglob("*.py")
        if re.search(r"import_module\(|__import__\(", path.read_text())
    }
    assert computed == {
        "__init__.py",
        "callbacks/__init__.py",
        "callbacks/schedule.py",
        "config/plugins.py",
        "data/function.py",
        "extras.py",
        "networks/__init__.py",
        "networks/building.py",
        "plot/__init__.py",
        "plot/tables.py",
        "studies/grid/fetch_data.py",
        "studies/grid/prepare_data.py",
        "studies/inversion/inputs.py",
        "studies/linear/inputs.py",
        "studies/parts.py",
        "studies/report/claims.py",
        "studies/synthetic/image_spectrum.py",
        "training/methods/configured.py",
    }


def test_no_module_uses_the_public_names_of_the_package():
    """They are found when asked for, which a reader of syntax trees cannot see."""
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Import):
                assert PACKAGE not in {alias.name for alias in node.names}, path
            elif isinstance(node, ast.ImportFrom) and node.module == PACKAGE:
                for alias in node.names:
                    inside = ROOT / alias.name
                    whole = inside.is_dir() or inside.with_suffix(".py").exists()
                    assert whole or alias.name == "__version__", path


def test_nothing_is_imported_to_find_versions():
    code = (
        "import sys\n"
        "from hyperribbon.studies.code_version import code_version\n"
        f"for module in {list(STEPS.values())}: code_version(module)\n"
        "print({'torch', 'numpy', 'hyperribbon.studies.step'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"
