"""Receptive fields along one axis of the image: size, effective stride, effective padding.

Source: Araujo, Norris and Sim 2019, doi:10.23915/distill.00021. With the first and last input
pixel of an output known, a window of `kernel` taps moves both: the size grows by
`(kernel - 1) * stride`, the stride multiplies, the padding grows by `before * stride`. Here the
pixels themselves are kept, one pair for each output of a period: up-sampling makes outputs that
see different pixels take turns, and the bookkeeping stays exact.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction


@dataclass(frozen=True)
class Axis:
    """What the outputs of a layer see along one axis, in pixels of the image.

    Output `period * q + i` sees from `spans[i][0] + stride * q` to `spans[i][1] + stride * q`, both
    included, where pixels below zero and beyond the side are padding.

    Attributes:
        size: The largest over the paths. Where paths are not aligned, their union is larger.
        is_aligned: Whether all paths have one stride and one centre.
    """

    size: int = 1
    stride: int = 1
    spans: tuple[tuple[int, int], ...] = ((0, 0),)
    is_aligned: bool = True

    @property
    def period(self) -> int:
        return len(self.spans)

    @property
    def effective_stride(self) -> Fraction:
        """Return the pixels between neighbouring outputs; below one after up-sampling."""
        return Fraction(self.stride, self.period)

    @property
    def effective_padding(self) -> int | None:
        """Return how far the first output reaches over the image's edge; None where paths are not aligned."""
        return -self.spans[0][0] if self.is_aligned else None

    @property
    def union(self) -> int:
        """Return how many pixels lie between the first and the last that an output sees by any path."""
        return max(last - first for first, last in self.spans) + 1

    def pixels_of(self, index: int) -> tuple[int, int]:
        """Return the first and last pixel that output `index` sees."""
        turns, place = divmod(index, self.period)
        first, last = self.spans[place]
        return first + self.stride * turns, last + self.stride * turns

    def window(self, kernel: int, stride: int = 1, dilation: int = 1, before: int | None = 0) -> "Axis":
        """Return what is seen through a convolution or pooling.

        Args:
            before: Padding in front of the first output, None where nobody knows it.
        """
        reach = dilation * (kernel - 1)
        period = self.period // math.gcd(self.period, stride)
        first_taps = [stride * place - (before or 0) for place in range(period)]
        spans = tuple(self._union_of(tap, tap + reach, step=dilation) for tap in first_taps)
        size = self.size + reach * self.stride if self.period == 1 else max(last - first + 1 for first, last in spans)
        is_aligned = self.is_aligned and before is not None
        return Axis(size, self.stride * stride * period // self.period, spans, is_aligned)._simplest()

    def transposed(self, kernel: int, stride: int, dilation: int = 1, before: int = 0) -> "Axis":
        """Return what is seen through a transposed convolution whose output lost `before` at its start."""
        reach = dilation * (kernel - 1)
        spans = []
        for place in range(self.period * stride):
            # Input x writes to outputs stride * x + dilation * tap - before.
            sources = [
                (place + before - dilation * tap) // stride
                for tap in range(kernel)
                if (place + before - dilation * tap) % stride == 0
            ] or [(place + before - reach) // stride]
            spans.append(self._union_of(min(sources), max(sources)))
        return self._in_turns(spans)

    def repeated(self, factor: int) -> "Axis":
        """Return what is seen through up-sampling by the nearest neighbour."""
        return self._in_turns([self.pixels_of(place // factor) for place in range(self.period * factor)])

    def interpolated(self, factor: int) -> "Axis":
        """Return what is seen through bilinear up-sampling, between the centres of two neighbours."""
        places = [(2 * place + 1 - factor) / (2 * factor) for place in range(self.period * factor)]
        return self._in_turns([self._union_of(math.floor(place), math.ceil(place)) for place in places])

    def shifted(self, by: int) -> "Axis":
        """Return what is seen after cropping `by` outputs at the start, or padding where negative."""
        spans = tuple(self.pixels_of(place + by) for place in range(self.period))
        return replace(self, spans=spans)

    def _union_of(self, first: int, last: int, step: int = 1) -> tuple[int, int]:
        if self.period == 1:
            return self.pixels_of(first)[0], self.pixels_of(last)[1]
        seen = [self.pixels_of(index) for index in range(first, last + 1, step)]
        return min(one[0] for one in seen), max(one[1] for one in seen)

    def _in_turns(self, spans: list[tuple[int, int]]) -> "Axis":
        size = max(self.size, max(last - first + 1 for first, last in spans)) if self.is_aligned else self.size
        # As many more outputs per turn over the same pixels.
        return Axis(size, self.stride, tuple(spans), self.is_aligned)._simplest()

    def _simplest(self) -> "Axis":
        """Use a period of one where the outputs do not differ."""
        step, rest = divmod(self.stride, self.period)
        first, last = self.spans[0]
        if rest or any(span != (first + step * i, last + step * i) for i, span in enumerate(self.spans)):
            return self
        return Axis(self.size, step, ((first, last),), self.is_aligned)


def merged(axes: Iterable[Axis]) -> Axis:
    """Return what is seen through several paths at once: the largest size, the union of pixels."""
    paths = list(dict.fromkeys(axes))
    if len(paths) == 1:
        return paths[0]
    largest = max(paths, key=lambda path: path.size)
    if len({path.effective_stride for path in paths}) > 1:
        # Their centres drift apart from output to output: no one padding or union describes them.
        return replace(largest, is_aligned=False)
    period = math.lcm(*(path.period for path in paths))
    spans = tuple(_union([path.pixels_of(place) for path in paths]) for place in range(period))
    centres = all(_is_one(sum(path.pixels_of(place)) for path in paths) for place in range(period))
    is_aligned = centres and all(path.is_aligned for path in paths)
    stride = int(paths[0].effective_stride * period)
    return Axis(largest.size, stride, spans, is_aligned)._simplest()


def same_padding(side: int | None, kernel: int, stride: int, dilation: int = 1) -> tuple[int, int] | None:
    """Return the real padding before and after of `padding="same"`: the odd pixel comes last.

    It depends on the side where the stride is above one: None where that is not known.
    """
    reach = dilation * (kernel - 1)
    if side is None and stride > 1:
        return None
    total = reach if side is None else max((math.ceil(side / stride) - 1) * stride + reach + 1 - side, 0)
    return total // 2, total - total // 2


def _union(spans: list[tuple[int, int]]) -> tuple[int, int]:
    return min(first for first, _ in spans), max(last for _, last in spans)


def _is_one(values: Iterable[int]) -> bool:
    return len(set(values)) == 1
