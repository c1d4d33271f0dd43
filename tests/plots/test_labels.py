"""Names in figures: as they are, short, distinct; and where there is room for them."""

from hypothesis import given, settings
from hypothesis import strategies as st

from cnnlab.plots.labels import distinct, escaped, listed_with_reasons, plural, shortened, unique_labels
from cnnlab.plots.placing import place_labels


def test_markup_in_a_name_is_text():
    assert escaped("<a href='x'>R&D</a>") == "&lt;a href='x'&gt;R&amp;D&lt;/a&gt;"


@settings(deadline=None)
@given(st.text(), st.integers(5, 40))
def test_shortened_fits(text, length):
    short = shortened(text, length)
    assert len(short) <= length
    assert (short == text) == (len(text) <= length)


@settings(deadline=None)
@given(st.lists(st.text("ab() 2", max_size=5)))
def test_labels_of_an_axis_are_distinct(names):
    assert len(set(unique_labels(names))) == len(names)


def test_runs_that_share_a_name_are_numbered():
    assert distinct({"x": "net", "y": "other", "z": "net"}) == {"x": "net #1", "y": "other", "z": "net #2"}


def test_plural():
    assert [plural(0, "run"), plural(1, "run"), plural(1200, "class", "classes")] == [
        "0 runs",
        "1 run",
        "1,200 classes",
    ]


def test_long_lists_of_reasons_end_in_a_number():
    reasons = {f"r{place}": "failed" for place in range(4)}
    assert listed_with_reasons(reasons, {"r0": "net"}, most=2) == "net (failed), r1 (failed) and 2 more"


def bar(point):
    return point[0] - 3, point[1], point[0] + 3, point[1]


def test_a_lonely_label_stands_beside_its_point():
    assert place_labels([(100.0, 50.0)], [5.0], ["lenet5"], 500, [bar((100.0, 50.0))]) == ["middle right"]


def test_labels_that_would_cover_one_another_move_or_leave():
    points = [(100.0, 50.0)] * 6
    positions = place_labels(points, [5.0] * 6, ["lenet5"] * 6, 500, [bar(point) for point in points])
    shown = [position for position in positions if position]
    assert len(set(shown)) == len(shown)
    assert None in positions


def test_a_label_at_the_edge_turns_inwards():
    assert place_labels([(490.0, 50.0)], [5.0], ["resnet"], 500, [bar((490.0, 50.0))]) == ["middle left"]


def test_a_label_avoids_the_bars_of_others():
    points = [(100.0, 50.0), (130.0, 80.0)]
    bars = [bar(points[0]), (127.0, 20.0, 133.0, 120.0)]
    assert place_labels(points, [5.0, 5.0], ["lenet5", "x"], 500, bars)[0] == "middle left"
