from datetime import UTC, datetime

import pytest

from dashboard.components import numbers


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (float("nan"), "–"),
        (0, "0"),
        (999, "999"),
        (61_706, "61.7 k"),
        (416_520, "417 k"),
        (40_812_544, "40.8 M"),
        (999_960, "1.00 M"),
    ],
)
def test_short(value, text):
    assert numbers.short(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "–"), (0.44, "0.4 s"), (42.4, "42 s"), (185, "3 min 05 s"), (7620, "2 h 07 min"), (273_600, "3 d 4 h")],
)
def test_duration(seconds, text):
    assert numbers.duration(seconds) == text


def test_percent_says_missing_and_never_zero():
    assert numbers.percent(0.9731) == "97.3 %"
    assert numbers.percent(None) == numbers.percent(float("nan")) == "–"
    assert numbers.percent_interval(0.95, 0.98) == "95.0 to 98.0 %"
    assert numbers.percent_interval(None, 0.98) == "–"


def test_number_says_nan():
    assert numbers.number(float("nan")) == "NaN"
    assert numbers.number(0.123456) == "0.1235"


def test_ago():
    now = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
    assert numbers.ago("2026-01-02T11:59:40+00:00", now) == "just now"
    assert numbers.ago("2026-01-02T11:57:00", now) == "3 min ago"
    assert numbers.ago("2025-12-31T12:00:00+00:00", now) == "2 d ago"
    assert numbers.ago("torn", now) == "–"
    assert numbers.between("2026-01-02T11:59:00+00:00", None, now) == 60
