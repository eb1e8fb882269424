"""The explorer in a browser, used as a person would."""

import pytest

from hyperribbon.analysis.explorer import explorer


@pytest.fixture
def page(tables, apart_of, browser, tmp_path):
    """A browser with the explorer open, and its address; the page must not complain."""
    path = tmp_path / "explorer.html"
    path.write_text(explorer(tables, apart_of()))
    browser.said.clear()
    browser.open("about:blank")
    browser.open(path.as_uri())
    yield browser, path.as_uri()
    assert browser.problems() == []


def asked(browser) -> dict:
    """What the address keeps."""
    return browser.evaluate("Object.fromEntries(new URLSearchParams(location.hash.slice(1)))")


def shown(browser) -> int:
    """Number of models that are drawn."""
    return browser.evaluate(
        "[...Array(scene.models).keys()].filter((k) => cloud.of.look[2 * k + 1] > 0).length"
    )


def test_a_model_is_pointed_at_and_its_run_chosen(page):
    browser, _ = page
    x, y = browser.place_of(7)
    browser.mouse("mouseMoved", x, y)
    k = browser.evaluate("state.at")  # it may be behind another one
    assert 0 <= k < 10
    name = f"{'A-1 seed 0' if k < 5 else 'B-2 seed 1'}"
    assert browser.evaluate("document.querySelector('#tip p').textContent") == name
    assert name in browser.evaluate("panel.querySelector('p').textContent")
    assert browser.evaluate("panel.querySelectorAll('figure').length") == 2
    browser.click(x, y)
    assert asked(browser)["run"] == name
    assert name in browser.evaluate("chosenRun.textContent")


def test_keys_turn_walk_along_a_run_and_let_go(page):
    browser, _ = page
    browser.evaluate("canvas.focus()")
    yaw = browser.evaluate("state.from.yaw")
    for key in ("ArrowRight", "+", ".", "."):
        browser.key(key)
    assert browser.evaluate("state.from.yaw") > yaw
    assert browser.evaluate("state.from.zoom") > 1
    assert browser.evaluate("state.at") == 1
    assert browser.evaluate("document.querySelectorAll('#tip p')[1].textContent") == "epoch 1"
    assert {"yaw", "zoom", "run"} <= set(asked(browser))
    for key in ("0", "Escape"):
        browser.key(key)
    assert not {"yaw", "zoom", "run"} & set(asked(browser))
    assert browser.evaluate("tip.hidden")


def test_groups_are_hidden_and_isolated_by_the_legend(page):
    browser, _ = page
    button = "legend.querySelectorAll('button')[{}]"
    place = "(({{x, y}}) => [x + 5, y + 5])(" + button + ".getBoundingClientRect())"
    browser.click(*browser.evaluate(place.format(0)))
    assert shown(browser) == 5
    assert browser.evaluate(button.format(0) + ".ariaPressed") == "false"
    assert asked(browser)["hide"] == "A"
    browser.click(*browser.evaluate(place.format(0)))
    assert shown(browser) == 10
    browser.click(*browser.evaluate(place.format(1)), count=2)
    assert asked(browser)["hide"] == "A"
    assert browser.evaluate(button.format(1) + ".textContent") == "B</script> 5"


def test_time_goes_by_and_what_is_searched_for_is_shown(page):
    browser, _ = page
    browser.evaluate("canvas.focus()")
    browser.evaluate("until(1); changed()")
    assert asked(browser)["until"] == "1"
    browser.until("moment.textContent === 'epoch up to 1'")
    browser.key(" ")
    browser.until("moment.textContent === 'epoch: all'")
    assert browser.evaluate("play.textContent") == "play"
    browser.evaluate("element('find').focus()")
    for key in "b-2":
        browser.key(key)
    assert shown(browser) == 5
    assert browser.evaluate("chosenRun.textContent") == "1 of 2 runs"


@pytest.mark.parametrize("width", [400, 1300])
def test_an_address_brings_everything_back_and_all_is_in_the_window(page, width):
    browser, address = page
    chosen = "split=test&colour=error&until=2&run=B-2+seed+1&yaw=2&zoom=1.5&lines=no"
    browser.open(f"{address}#{chosen}", width, 760)
    browser.until("location.hash.length > 1 && state.run === 1")
    assert browser.evaluate("[select.split.value, select.colour.value]") == ["test", "error"]
    assert browser.evaluate("[state.until, state.from.yaw, state.from.zoom]") == [2, 2, 1.5]
    assert not browser.evaluate("element('lines').checked")
    browser.until("words && words.length > 3")
    inside = f"({{ right, bottom }}) => right <= {width} && bottom <= 760"
    parts = "['#title', '.view', '#legend', '#clock', '#chosen', '#apart', 'form']"
    boxes = f"{parts}.map((name) => document.querySelector(name).getBoundingClientRect())"
    assert browser.evaluate(f"{boxes}.every({inside})")
    assert browser.evaluate("size().every((side) => side > 150)")


def test_an_address_of_nonsense_shows_the_picture(page):
    browser, address = page
    browser.open("about:blank")
    browser.open(f"{address}#split=x&colour=__proto__&until=a&run=&yaw=NaN&zoom=1e99&hide=nobody")
    assert shown(browser) == 10
    assert browser.evaluate("state.from.zoom") == 40
