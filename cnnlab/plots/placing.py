"""Where the names of points may stand so that they do not cover one another, on a wide screen and on a phone."""

from collections.abc import Sequence
from dataclasses import dataclass

Box = tuple[float, float, float, float]  # left, top, right, bottom in pixels

# A little more than the average letter of the page's fonts at 12 px (measured in Chromium: 5.5 to 6).
CHARACTER_PX = 6.2
LINE_PX = 15.0
# Half the width of a point's dot and of the caps of its interval.
DOT_PX = 3.0
# plotly moves a text away from its marker by so much of the radius, and a pixel.
GAP_OF_RADIUS = 1.25
SIDES = (
    "middle right",
    "middle left",
    "top left",
    "top right",
    "bottom right",
    "bottom left",
    "top center",
    "bottom center",
    "above bar",
    "below bar",
)
# Over the end of a point's own interval, where plotly knows no place: it is drawn as a text there.
BAR_ENDS = ("above bar", "below bar")
BAR_GAP_PX = 2.0


@dataclass(frozen=True)
class Mark:
    """A point that may have a name.

    Attributes:
        x: Share of the plot's width, which is not known when the figure is made.
        y_px: Downwards.
        radius_px: Of its bubble.
        label: Empty for a point that is only in the way.
        top_px: Upper end of its interval; `bottom_px` the lower.
        is_preferred: Its name comes before those of others.
    """

    x: float
    y_px: float
    radius_px: float
    label: str
    top_px: float
    bottom_px: float
    is_preferred: bool = False


def place_labels(marks: Sequence[Mark], widths_px: Sequence[float], lines: Sequence[Box] = ()) -> list[str | None]:
    """Return one of `SIDES` for each label, or None where there is no room (hover names it).

    Each label takes the first that, at every width, covers no label placed before, no interval, no line, and
    stays between the left and right edge; those beyond the ends of its own interval come last. Preferred ones
    come first, then large bubbles.

    Args:
        marks: Labelled or not.
        widths_px: That the plot may have. One that is right for a wide page is wrong for a narrow one.
        lines: Level or upright ones that are drawn: x as shares of the width, y in pixels.
    """
    placed: list[tuple[Box, ...]] = []
    positions: list[str | None] = [None] * len(marks)
    bars = [[_bar(mark, width) for width in widths_px] for mark in marks]
    walls = [[(left * width, top, right * width, bottom) for width in widths_px] for left, top, right, bottom in lines]
    for place in sorted(
        range(len(marks)), key=lambda item: (not marks[item].is_preferred, -marks[item].radius_px, item)
    ):
        if not marks[place].label:
            continue
        others = [*placed, *walls, *(bar for item, bar in enumerate(bars) if item != place)]
        for side in SIDES:
            # Beside the point its own interval is out of the way by the gap.
            in_the_way = [*others, bars[place]] if side.endswith("center") else others
            boxes = tuple(label_box(marks[place], side, width) for width in widths_px)
            if all(map(_is_inside, boxes, widths_px)) and not any(_any_overlap(boxes, other) for other in in_the_way):
                placed.append(boxes)
                positions[place] = side
                break
    return positions


def label_box(mark: Mark, side: str, width_px: float) -> Box:
    """Return the room that a label takes at one width of the plot."""
    x, y, length = mark.x * width_px, mark.y_px, len(mark.label) * CHARACTER_PX
    gap = GAP_OF_RADIUS * mark.radius_px + 1
    if side in BAR_ENDS:
        top = mark.top_px - BAR_GAP_PX - LINE_PX if side == "above bar" else mark.bottom_px + BAR_GAP_PX
        return x - length / 2, top, x + length / 2, top + LINE_PX
    vertical, horizontal = side.split()
    top = {"middle": y - LINE_PX / 2, "top": y - gap - LINE_PX, "bottom": y + gap}[vertical]
    left = {"right": x + gap, "left": x - gap - length, "center": x - length / 2}[horizontal]
    return left, top, left + length, top + LINE_PX


def overlap(one: Box, two: Box) -> bool:
    """Return whether two boxes share more than an edge, or a bar without height lies in the other."""
    return one[0] < two[2] and two[0] < one[2] and one[1] <= two[3] and two[1] <= one[3]


def _bar(mark: Mark, width_px: float) -> Box:
    x = mark.x * width_px
    return x - DOT_PX, mark.top_px, x + DOT_PX, mark.bottom_px


def _is_inside(box: Box, width_px: float) -> bool:
    return box[0] >= 0 and box[2] <= width_px


def _any_overlap(boxes: Sequence[Box], others: Sequence[Box]) -> bool:
    return any(map(overlap, boxes, others))
