"""Every part in a shipped study: which jobs make it up, by a dry run.

Small studies of these parts run to their ends in files of their own here, which are slow.
"""

import pytest
import yaml
from running import ROOT, copy_repository

from hyperribbon.studies.parts import PARTS, parts_of
from hyperribbon.studies.study import parse_study

pytestmark = pytest.mark.workflow

SHIPPED = {
    "bases": "bases",
    "corners": "corners",
    "certificates": "certificates_optimised",
    "synthetic": "sloppy_synthetic",
    "regression": "boston",
    "linear": "linear",
    "representations": "representations",
    "inversion": "inversion",
    "tasks": "tasks_cpu",
}


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    return copy_repository(tmp_path_factory.mktemp("parts") / "repository")


def shipped(name):
    return parse_study(yaml.safe_load((ROOT / "config" / f"{name}.yaml").read_text()))


@pytest.mark.parametrize("part", SHIPPED)
def test_all_its_steps_are_planned_and_none_of_parts_that_the_study_lacks(
    repository, planned, part
):
    study = shipped(SHIPPED[part])
    jobs = set(planned(repository, "--configfile", f"config/{SHIPPED[part]}.yaml"))
    [own] = ({step.name for step in each.steps} for each in PARTS if each.name == part)
    assert own <= jobs
    present = {step.name for each in parts_of(study) for step in each.steps}
    assert jobs - {"all"} <= present


def test_every_part_is_here_or_in_the_smoke_study():
    smoke = {part.name for part in parts_of(shipped("smoke"))}
    assert {part.name for part in PARTS} == {*SHIPPED, *smoke}
