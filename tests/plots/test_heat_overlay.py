"""Colours over a grey image."""

import numpy as np
import pytest

from cnnlab.plots.heat_overlay import RAMP, STRONGEST, WEAKEST, heat_overlay, legend_css, ramp_colours


def rgb(colour: str) -> list[int]:
    return [int(colour[place : place + 2], 16) for place in (1, 3, 5)]


def test_the_ends_of_the_ramp_are_its_colours_and_it_gets_brighter():
    colours = ramp_colours(np.linspace(0, 1, 50))
    assert colours[0].tolist() == rgb(RAMP[0])
    assert colours[-1].tolist() == rgb(RAMP[-1])
    brightness = colours @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(brightness) > 0).all(), "it reads without colours"
    assert all(colour in legend_css() for colour in RAMP)


@pytest.mark.parametrize(("value", "share"), [(0.0, WEAKEST), (1.0, STRONGEST)])
def test_the_image_shows_through(value, share):
    pixels = np.full((4, 4, 3), 200, np.uint8)
    overlay = heat_overlay(pixels, np.full((2, 2), value), side_px=4)
    expected = (1 - share) * 200 + share * np.array(rgb(RAMP[0] if value == 0 else RAMP[-1]))
    assert overlay[0, 0] == pytest.approx(np.rint(expected))


@pytest.mark.parametrize(
    ("shape", "size"), [((8, 8, 1), (112, 112)), ((32, 24, 3), (128, 96)), ((224, 200, 3), (224, 200))]
)
def test_small_images_are_enlarged_by_whole_factors(shape, size):
    assert heat_overlay(np.zeros(shape, np.uint8), np.zeros((3, 3))).shape == (*size, 3)


def test_the_brightest_place_is_where_the_map_is_highest():
    values = np.zeros((4, 4))
    values[3, 0] = 1
    overlay = heat_overlay(np.zeros((32, 32, 3), np.uint8), values).astype(int).sum(axis=2)
    row, column = np.unravel_index(overlay.argmax(), overlay.shape)
    assert row > 3 * overlay.shape[0] // 4
    assert column < overlay.shape[1] // 4
