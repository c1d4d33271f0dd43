"""Colours that can be seen on both pages and told apart by colour-blind eyes."""

import itertools

import numpy as np
import pytest

from cnnlab.plots.palette import (
    CATEGORICAL,
    NEUTRAL,
    SEQUENTIAL_DARK,
    SEQUENTIAL_LIGHT,
    SYMBOLS,
    colour_of,
    sequential,
    symbol_of,
    with_alpha,
)

PAGES = ("#ffffff", "#0e1117", "#191816")
OKABE_ITO = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9")
# Machado, Oliveira and Fernandes 2009, severity 1, on linear RGB.
SIGHT = {
    "usual": np.eye(3),
    "protan": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deutan": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
}


def linear(colour):
    values = np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def contrast(one, two):
    """WCAG 2.2's ratio of relative luminances."""
    high, low = sorted((float(linear(colour) @ [0.2126, 0.7152, 0.0722]) for colour in (one, two)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def oklab(light):
    """Ottosson 2020."""
    cones = np.array([[0.4122, 0.5363, 0.0514], [0.2119, 0.6807, 0.1074], [0.0883, 0.2817, 0.6300]]) @ light
    mix = np.array([[0.2105, 0.7936, -0.0041], [1.9780, -2.4286, 0.4506], [0.0259, 0.7828, -0.8087]])
    return mix @ np.cbrt(cones)


def nearest(colours, sight):
    seen = [oklab(np.clip(SIGHT[sight] @ linear(colour), 0, 1)) for colour in colours]
    return min(float(np.linalg.norm(one - two)) for one, two in itertools.combinations(seen, 2))


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("colour", [*CATEGORICAL, NEUTRAL])
def test_every_colour_stands_out_from_the_page(colour, page):
    assert contrast(colour, page) >= 3.0


@pytest.mark.parametrize("sight", SIGHT)
def test_eight_colours_are_as_far_apart_as_the_worst_two_of_okabe_and_ito(sight):
    worst_of_theirs = min(nearest(OKABE_ITO, each) for each in SIGHT)
    assert nearest(CATEGORICAL, sight) >= worst_of_theirs


@pytest.mark.parametrize("scale", [SEQUENTIAL_LIGHT, SEQUENTIAL_DARK])
def test_the_scale_of_tables_runs_one_way(scale):
    lightness = [oklab(linear(colour))[0] for colour in scale]
    assert lightness in (sorted(lightness), sorted(lightness, reverse=True))


def test_a_scale_is_what_plotly_takes():
    stops = [stop for stop, _ in sequential(power=2.0)]
    assert (stops[0], stops[-1]) == (0, 1)
    assert stops == sorted(stops)
    assert stops[1] == pytest.approx(0.2**2)


def test_colours_follow_the_order_given():
    assert colour_of(["b", "a", "b"]) == {"b": CATEGORICAL[0], "a": CATEGORICAL[1]}
    assert colour_of(["b", "a", "c"])["a"] == colour_of(["b", "a"])["a"]


def test_beyond_eight_runs_the_symbol_tells_them_apart():
    names = [f"run{place}" for place in range(len(CATEGORICAL) * len(SYMBOLS))]
    pairs = set(zip(colour_of(names).values(), symbol_of(names).values(), strict=True))
    assert len(pairs) == len(names)


def test_alpha():
    assert with_alpha("#0078b4", 0.25) == "rgba(0,120,180,0.25)"
