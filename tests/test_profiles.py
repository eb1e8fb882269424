"""The profiles agree with the rules, and with each other."""

import re
from pathlib import Path

import pytest
import yaml
from running import ROOT, snakemake

pytestmark = pytest.mark.workflow

# Run where Snakemake runs.
LOCAL = {"all", "gather_report", "linear_inputs", "synthetic_beside", "verify"}


def profile(name: str) -> dict:
    return yaml.safe_load(Path(ROOT, "profiles", name, "config.yaml").read_text())


def test_on_slurm_every_rule_asks_for_memory_and_time_and_for_more_at_each_attempt():
    rules = set()
    for study in (
        "config",
        "corners",
        "sloppy_synthetic",
        "boston",
        "linear",
    ):  # which together have all
        listed = snakemake(ROOT, "--list-rules", "--configfile", f"config/{study}.yaml")
        assert listed.returncode == 0, listed.stdout
        rules |= set(re.findall(r"^\w+$", listed.stdout, re.MULTILINE)) - LOCAL
    resources = profile("slurm")["set-resources"]
    assert resources.keys() == rules
    assert "mem_mb" not in resources["train"]  # the rule asks for what its data take
    for rule, asked in resources.items():
        for resource in {"mem_mb", "runtime"} - ({"mem_mb"} if rule == "train" else set()):
            assert re.fullmatch(r"\d+ \* attempt", asked[resource])


def test_what_the_default_profile_says_of_all_runs_the_one_for_slurm_says_too():
    own = {"resources", "retries"}
    default, slurm = profile("default"), profile("slurm")
    assert default.keys() - own <= slurm.keys()
    for key in default.keys() - own:
        assert slurm[key] == default[key], key
