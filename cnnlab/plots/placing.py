"""Where the names of points may stand so that they do not cover one another."""

from collections.abc import Sequence

Box = tuple[float, float, float, float]  # left, top, right, bottom in pixels

CHARACTER_PX = 6.6
LINE_PX = 15.0


def place_labels(
    points: Sequence[tuple[float, float]],
    radii: Sequence[float],
    labels: Sequence[str],
    width_px: float,
    bars: Sequence[Box],
) -> list[str | None]:
    """Return plotly's `textposition` for each label, or None where there is no room (hover names it).

    Each label takes the first of four sides that covers no label placed before, no other point's
    bar, and stays between the left and right edge; beside before above, where its own bar is.
    Large bubbles come first.

    Args:
        points: x and y in pixels, y downwards.
        radii: Of the bubbles, in pixels.
        labels: The texts.
        width_px: Of the plot area.
        bars: The interval of each point; it may be as short as the point.
    """
    placed: list[Box] = []
    positions: list[str | None] = [None] * len(labels)
    for place in sorted(range(len(labels)), key=lambda item: (-radii[item], item)):
        others = [bar for item, bar in enumerate(bars) if item != place]
        for side in ("middle right", "middle left", "top center", "bottom center"):
            box = _box(points[place], radii[place], len(labels[place]) * CHARACTER_PX, side)
            is_free = not any(_overlap(box, other) for other in [*placed, *others])
            if is_free and box[0] >= 0 and box[2] <= width_px:
                placed.append(box)
                positions[place] = side
                break
    return positions


def _box(point: tuple[float, float], radius: float, length: float, side: str) -> Box:
    x, y = point
    gap = radius + 3
    if side == "middle right":
        return x + gap, y - LINE_PX / 2, x + gap + length, y + LINE_PX / 2
    if side == "middle left":
        return x - gap - length, y - LINE_PX / 2, x - gap, y + LINE_PX / 2
    top = y - gap - LINE_PX if side == "top center" else y + gap
    return x - length / 2, top, x + length / 2, top + LINE_PX


def _overlap(one: Box, two: Box) -> bool:
    return one[0] < two[2] and two[0] < one[2] and one[1] <= two[3] and two[1] <= one[3]
