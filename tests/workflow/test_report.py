"""Captions: names and patterns are shown as they are, and none is missing."""

import shutil
from html.parser import HTMLParser
from urllib.parse import quote

import pytest
import yaml
from docutils.core import publish_parts
from jinja2 import Environment
from running import ROOT, copy_repository, snakemake

from hyperribbon.studies.parts import PARTS
from hyperribbon.studies.report.chapters import chapters
from hyperribbon.studies.study import parse_study

CAPTIONS = {path: text for part in PARTS for path, text in part.captions()}
CAPTIONS["study.rst"] = (ROOT / "workflow" / "report" / "study.rst").read_text()
SMOKE = yaml.safe_load((ROOT / "config" / "smoke.yaml").read_text())
HOSTILE = ["*a*/b_", "``c` |d|_ \\e", "<b>&amp;\"'", "__x__ [1]_ :f:`g`", "{{ 7 * 7 }}", "$h$ {% i"]


def words_of(page: str) -> str:
    """Text of HTML, with single spaces."""
    found = []
    parser = HTMLParser()
    parser.handle_data = found.append
    parser.feed(page)
    return " ".join("".join(found).split())


def rendered(caption: str, study: dict, **more: str) -> str:
    """As Snakemake renders a caption; what docutils complains of is an error."""
    config = parse_study(study).model_dump(mode="json") | more
    page = Environment(trim_blocks=True, lstrip_blocks=True).from_string(caption)
    text = page.render(snakemake={"config": config})
    settings = {"halt_level": 2, "report_level": 2}
    return publish_parts(text, writer="html", settings_overrides=settings)["html_body"]


@pytest.mark.parametrize("name", CAPTIONS)
def test_every_caption_is_restructured_text(name):
    assert words_of(rendered(CAPTIONS[name], SMOKE))


def test_links_to_categories_are_restructured_text():
    """Snakemake adds them to every caption."""
    figures = [figure for part in PARTS for figure in part.figures]
    categories = list(chapters(figure.category for figure in figures).values())
    assert len(categories) > 8
    assert categories == sorted(categories)  # as Snakemake lists them
    links = [f".. _{name}: javascript:app.showCategory('{quote(name)}')" for name in categories]
    assert words_of(rendered("\n".join(["Words.\n", *links]), SMOKE)) == "Words."


def test_the_opening_is_on_the_first_page():
    text = (ROOT / "workflow/report/study.rst").read_text()
    html = '<p>Claims: <strong>2</strong>\n\n<img src="data:,A\nB"></p>\n* {{ 1 }}'
    page = rendered(text, SMOKE, opening=html)
    assert page.index("<strong>2</strong>") < page.index('<img src="data:,A') < page.index("smoke")
    assert "* {{ 1 }}" in page


def test_names_and_patterns_are_shown_as_they_are():
    names = {"Net_": {"architecture": "fully_connected", "widths": [4]}}
    optimisers = {"a__": {"algorithm": "sgd", "learning_rate": 0.1}}
    study = {"study": "s_t_", "external": HOSTILE, "networks": names, "optimisers": optimisers}
    study |= {key: SMOKE[key] for key in ("data", "training")}
    text = words_of(rendered((ROOT / "workflow/report/study.rst").read_text(), study))
    assert f"from {', '.join(HOSTILE)}." in text
    assert "s_t_: networks Net_, each trained with a__ from" in text


MODULE = """
configfile: "config/smoke.yaml"
module hyperribbon:
    snakefile: "../repository/Snakefile"
    config: config
{prefix}
use rule * from hyperribbon as its_*
"""


@pytest.mark.workflow
def test_a_module_with_a_prefix_is_refused(tmp_path):
    repository = copy_repository(tmp_path / "repository")
    other = tmp_path / "other"
    shutil.copytree(repository / "config", other / "config")
    (other / "Snakefile").write_text(MODULE.format(prefix='    prefix: "geo"'))
    run = snakemake(other, "--cores", "1")
    assert run.returncode != 0
    assert "module: prefix: and replace_prefix: are not supported" in run.stdout
    assert "Traceback" not in run.stdout


@pytest.mark.workflow
def test_a_module_with_renamed_rules_makes_the_report(finished, tmp_path):
    repository = copy_repository(tmp_path / "repository")
    other = tmp_path / "other"
    shutil.copytree(repository / "config", other / "config")
    shutil.copytree(finished / "results", other / "results", symlinks=True)
    (other / "results" / "smoke" / "report.html").unlink()
    (other / "Snakefile").write_text(MODULE.format(prefix=""))
    run = snakemake(other, "--cores", "1", "--allowed-rules", "its_gather_report", "its_all")
    assert run.returncode == 0, run.stdout
    assert "its_gather_report" in run.stdout
    assert "figures/tubes.png" in (other / "results" / "smoke" / "report.html").read_text()
