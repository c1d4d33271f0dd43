"""Names in figures: as they are, short, distinct; and where there is room for them."""

from hypothesis import given, settings
from hypothesis import strategies as st

from cnnlab.plots.labels import distinct, escaped, listed_with_reasons, plural, shortened, unique_labels
from cnnlab.plots.placing import Mark, label_box, overlap, place_labels


def test_markup_in_a_name_is_text():
    assert escaped("<a href='x'>R&D</a>") == "&lt;a href='x'&gt;R&amp;D&lt;/a&gt;"


def test_names_that_have_no_room_beside_stand_over_the_ends_of_their_own_intervals():
    name = "a name of a good length"
    marks = [mark(0.5, 100, name, 28, half=60), mark(0.5, 120, name, 28, half=60)]
    assert place_labels(marks, (270.0,)) == ["above bar", "below bar"]
    box = label_box(marks[0], "above bar", 270)
    assert box[3] <= marks[0].top_px, "its own interval does not run through it"


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


WIDTHS = (300.0, 500.0, 1200.0)


def mark(x, y, label="lenet5", radius=5.0, half=0.0):
    return Mark(x, y, radius, label, y - half, y + half)


def test_a_lonely_label_stands_beside_its_point():
    assert place_labels([mark(0.2, 50)], WIDTHS) == ["middle right"]


def test_labels_that_would_cover_one_another_move_or_leave():
    positions = place_labels([mark(0.4, 50)] * 6, WIDTHS)
    shown = [position for position in positions if position]
    assert len(set(shown)) == len(shown)
    assert None in positions


def test_a_label_at_the_edge_turns_inwards():
    assert place_labels([mark(0.98, 50, "resnet")], WIDTHS) == ["middle left"]


def test_a_label_avoids_the_bars_of_others():
    # The bar of `x` stands where the label of the first would end.
    assert place_labels([mark(0.5, 50), mark(0.56, 80, "x", half=60)], (500.0,))[0] == "middle left"


def test_a_label_keeps_clear_on_a_phone_too():
    marks = [mark(0.3, 50), mark(0.4, 50, "")]
    assert place_labels(marks, (1200.0,)) == ["middle right", None]
    assert place_labels(marks, (1200.0, 300.0))[0] == "middle left"


@settings(deadline=None)
@given(
    st.lists(
        st.builds(mark, st.floats(0, 1), st.floats(0, 400), st.text("ab", max_size=12), st.floats(0, 28),
                  st.floats(0, 60)),
        max_size=14,
    )
)  # fmt: skip
def test_no_label_covers_another_or_an_interval_at_any_width(marks):
    positions = place_labels(marks, WIDTHS)
    shown = [(place, side) for place, side in enumerate(positions) if side]
    for width in WIDTHS:
        boxes = {place: label_box(marks[place], side, width) for place, side in shown}
        for place, box in boxes.items():
            assert box[0] >= 0
            assert box[2] <= width
            for other, mark_of_other in enumerate(marks):
                x = mark_of_other.x * width
                bar = (x - 3, mark_of_other.top_px, x + 3, mark_of_other.bottom_px)
                is_beside = other == place and not positions[place].endswith(("center", "bar"))
                assert is_beside or not overlap(box, bar)
                assert other == place or other not in boxes or not overlap(box, boxes[other])
