"""The registry: every piece of a part has what belongs to it."""

import ast
import re
from importlib import import_module
from pathlib import Path

import pytest

import hyperribbon
from hyperribbon.errors import DataError
from hyperribbon.reporting.claims import Claim, Rule
from hyperribbon.studies.parts import PARTS, figure_module, figure_named, step_module, step_named

ROOT = Path(hyperribbon.__file__).parents[2]
RULES = "".join(path.read_text() for path in (ROOT / "workflow" / "rules").glob("*.smk"))
FIGURES = {figure.name: part for part in PARTS for figure in part.figures}
TABLES = {table for part in PARTS for step in part.steps for table in step.tables}


def functions(module: str) -> dict[str, ast.FunctionDef]:
    path = ROOT / "src" / f"{module.replace('.', '/')}.py"
    body = ast.parse(path.read_bytes()).body
    return {node.name: node for node in body if isinstance(node, ast.FunctionDef)}


def test_names_are_given_once():
    for pieces in ("steps", "figures"):
        names = [piece.name for part in PARTS for piece in getattr(part, pieces)]
        assert len(set(names)) == len(names)
    tables = [table for part in PARTS for step in part.steps for table in step.tables]
    assert len(set(tables)) == len(tables)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_a_part_has_a_folder_rules_and_a_caption_of_everything(part):
    assert (ROOT / "src" / "hyperribbon" / "studies" / part.name / "part.py").exists()
    assert (ROOT / "workflow" / "rules" / f"{part.name}.smk").exists()
    captions = dict(part.captions())
    for figure in part.figures:
        assert len(captions[f"figures/{figure.name}.rst"].split()) > 15, figure.name
    assert all(about.endswith(".") for about in captions.values())
    longer = [text for path, text in captions.items() if path.startswith("figures")]
    assert len(set(longer)) == len(longer)


@pytest.mark.parametrize("name", [step.name for part in PARTS for step in part.steps])
def test_a_step_has_a_rule_and_a_module(name):
    assert f"rule {name}:" in RULES
    assert "main" in functions(step_module(name))
    if step_named(name)[1].tables:
        assert f'tables("{name}")' in RULES


def test_a_rule_has_a_step():
    for name in re.findall(r"^ *rule (\w+):", RULES, re.M):
        step_module(name)


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_has_a_function_that_reads_tables_that_some_step_writes(name):
    part = FIGURES[name]
    figure = next(figure for figure in part.figures if figure.name == name)
    module = part.module(figure.module)
    assert name in functions(module)
    read = {
        node.slice.value
        for node in ast.walk(functions(module)[name])
        if isinstance(node, ast.Subscript)
        and isinstance(node.value, ast.Name)
        and node.value.id == "tables"
        and isinstance(node.slice, ast.Constant)
    }
    assert read <= TABLES


@pytest.mark.parametrize("name", [f"{part.name}.{name}" for part in PARTS for name in part.claims])
def test_a_claim_has_a_rule_and_a_source(name):
    claims = import_module(f"hyperribbon.studies.{name}").CLAIMS
    assert claims
    for claim in claims:
        assert isinstance(claim, Claim) and isinstance(claim.rule, Rule)
        assert claim.source and claim.text


def test_what_no_part_has_is_named():
    with pytest.raises(DataError, match="figure = 'nothing': expected one of manifold_train, "):
        figure_named("nothing")
    with pytest.raises(DataError, match="figure = 'near': .*near_train, near_test"):
        figure_named("near")
    with pytest.raises(KeyError, match="step nothing: there is none of that name"):
        step_module("nothing")
    assert figure_module("near_test").endswith("figures.embedding")
