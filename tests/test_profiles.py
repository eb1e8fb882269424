"""The profiles agree with the rules, and with each other."""

import re
from pathlib import Path

import pytest
import yaml
from running import ROOT, snakemake

pytestmark = pytest.mark.workflow

# Run where Snakemake runs.
LOCAL = {
    "all",
    "fetch_data",
    "gather_report",
    "inversion_inputs",
    "linear_inputs",
    "synthetic_image_spectrum",
    "verify",
}


def profile(name: str) -> dict:
    return yaml.safe_load(Path(ROOT, "profiles", name, "config.yaml").read_text())


def test_on_slurm_every_rule_asks_for_memory_and_time_and_for_more_at_each_attempt():
    texts = [path.read_text() for path in (ROOT / "workflow").rglob("*.smk")]
    rules = {name for text in texts for name in re.findall(r"^ *rule (\w+):$", text, re.M)}
    assert rules > LOCAL - {"all"}
    rules -= LOCAL
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


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read as YAML in UTF-8: [Errno 2] No such file or directory"),
        ("study: a".encode("utf-16"), "cannot be read as YAML in UTF-8: 'utf-8' codec"),
        (b"study: a\n\tdata: b", "line 2, column 1"),
        (b"study: a\nseeds: 010", "mine.yaml, line 2: seeds = 010: YAML reads it as 8, in base 8"),
        (b"study: a\nstudy: b", "mine.yaml, line 2: study is given twice, first in line 1"),
    ],
)
def test_a_file_that_is_no_study_is_one_line(tmp_path, content, words):
    path = tmp_path / "mine.yaml"
    if content is not None:
        path.write_bytes(content)
    run = snakemake(ROOT, "--dry-run", "--configfile", str(path))
    assert run.returncode == 1
    [line] = (line for line in run.stdout.splitlines() if str(path) in line)
    assert line.startswith(str(path))
    assert words in line
    assert "Traceback" not in run.stdout
