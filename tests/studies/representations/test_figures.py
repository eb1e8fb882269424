"""Figures and page of representations are drawn, without a warning, of small studies."""

import json
import re

import numpy as np
import pytest

from hyperribbon.reporting.style import LeftOut
from hyperribbon.studies.parts import figure_function
from hyperribbon.studies.representations.explorer import representations_maps
from hyperribbon.studies.representations.image_figures import image_of
from hyperribbon.studies.representations.part import PART

FIGURES = {name: figure_function(name) for figure in PART.figures for name in figure.drawn()}

pytestmark = [
    pytest.mark.filterwarnings("error"),
    # Of torch, about itself, in the process that is the first to differentiate forward.
    pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated"),
    pytest.mark.usefixtures("style"),
]


@pytest.mark.parametrize("name", [name for name in FIGURES if name.startswith("plane")])
def test_every_figure_of_the_plane_is_drawn(name, of_planes, assert_legible):
    assert_legible(FIGURES[name](of_planes))


@pytest.mark.parametrize("name", [name for name in FIGURES if name.startswith("image")])
def test_every_figure_of_images_is_drawn(name, of_images, assert_legible):
    assert_legible(FIGURES[name](of_images))


def test_the_figure_of_widths_says_how_fast_asymmetry_falls(of_widths, assert_legible):
    figure = FIGURES["width_deviations"](of_widths)
    assert_legible(figure)
    (legend,) = figure.legends
    slope = of_widths["width_rates"].query("activation == 'erf' and quantity == 'asymmetry'")
    words = [text.get_text() for text in legend.texts]
    assert words[0].startswith(f"erf: slope {slope['slope'].item():.2f}")
    assert words[-1] == "1/n"


def test_of_one_task_alone_its_maps_are_drawn(of_planes):
    only = {name: table[table["task"] == "xor"] for name, table in of_planes.items()}
    for name in ("plane_maps_xor", "plane_magnification", "plane_accuracy"):
        FIGURES[name](only)
    with pytest.raises(LeftOut, match="no task sinusoid"):
        FIGURES["plane_maps_sinusoid"](only)


def test_without_planes_through_images_there_is_no_figure(of_images):
    empty = of_images["image_planes"].iloc[:0]
    with pytest.raises(LeftOut, match="planes is 0"):
        FIGURES["image_planes"]({**of_images, "image_planes": empty})


def test_pixels_of_colour_images_have_their_channels_last():
    image = np.arange(12, dtype=np.uint8)
    found = image_of(image.tobytes().hex(), "3x2x2")
    np.testing.assert_array_equal(found, image.reshape(3, 2, 2).transpose(1, 2, 0))
    assert image_of("00", "1") is None


def test_all_maps_are_in_the_page_and_nothing_is_loaded(of_planes):
    html = representations_maps(of_planes)
    data = json.loads(re.search(r'type="application/json">(.*?)</script>', html, re.S)[1])
    names = {found["name"]: found for found in data["maps"]}
    assert set(names) == {"XOR, standard", "XOR, relu", "sinusoid, standard", "sinusoid, relu",
                          "sinusoid, random labels", "sinusoid, 4-4"}  # fmt: skip
    assert names["XOR, relu"]["ranges"]["ricci"] is None
    found = names["XOR, standard"]
    assert [moment["epoch"] for moment in found["moments"]] == [0, 1, 20]
    maps = of_planes["plane_maps"].query("task == 'xor' and variant == 'standard' and epoch == 20")
    place = maps[(maps["x"] == found["x"][2]) & (maps["y"] == found["y"][5])]
    shown = found["moments"][-1]["log_volume"][5][2]
    assert shown == pytest.approx(place["log_volume"].item(), rel=1e-3)
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=", html)
    assert all(f'id="{name}"' in html for name in ("map", "moment", "play", "explorer"))


def test_the_page_draws_both_maps_with_both_boundaries(of_planes, javascript):
    html = representations_maps(of_planes)
    data = json.loads(re.search(r'type="application/json">(.*?)</script>', html, re.S)[1])
    relu = next(found for found in data["maps"] if found["name"] == "XOR, relu")
    smooth = data["maps"][0]
    both, boundaries = ["heatmap", "contour", "contour"] * 2, ["contour", "contour"]
    for width in (1200, 400):
        for map_, kinds in ((smooth, both), (relu, both[:3] + boundaries)):
            found = javascript(
                f"""(() => {{ const map = {json.dumps(map_)};
                  return mapFigure(map, map.moments[0], places({width})); }})()""",
                "representations_figure.js",
            )
            assert [trace["type"] for trace in found["traces"]] == kinds
            assert len(found["layout"]["annotations"]) == 2 + (map_ is relu)
