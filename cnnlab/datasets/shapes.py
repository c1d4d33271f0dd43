"""Generated images: one shape in one colour on a grey ground, so two outputs to learn.

The same parameters draw the same images, whatever else the process does: every block of images has
its own stream of NumPy's frozen `RandomState`.
"""

from collections.abc import Iterator

import numpy as np

from cnnlab.datasets.catalogue import COLOUR_NAMES, SHAPE_NAMES, ShapesParameters
from cnnlab.datasets.storage import Progress
from cnnlab.datasets.writing import Content
from cnnlab.parameters import Parameters

FRACTIONS = {"val": 0.1, "test": 0.2}
PIXELS_PER_BLOCK = 2**21
# Hue of each colour name, then a little jitter per image.
COLOURS = {
    "red": (0.86, 0.16, 0.14),
    "green": (0.15, 0.68, 0.25),
    "blue": (0.17, 0.33, 0.86),
    "yellow": (0.93, 0.82, 0.17),
    "purple": (0.58, 0.20, 0.72),
}


def build(name: str, parameters: Parameters, progress: Progress) -> Content:
    """Return `count` images of `size` pixels a side, split 70/10/20 with each split balanced alike."""
    if not isinstance(parameters, ShapesParameters):
        raise TypeError(f"expected ShapesParameters, got {type(parameters).__name__}")
    counts = {split: max(len(SHAPE_NAMES), round(share * parameters.count)) for split, share in FRACTIONS.items()}
    counts = {"train": parameters.count - sum(counts.values()), **counts}
    random = np.random.RandomState(parameters.seed)
    shapes, colours = (
        np.concatenate([_labels(count, len(names), parameters.balance, random) for count in counts.values()])
        for names in (SHAPE_NAMES, COLOUR_NAMES)
    )
    return Content(
        image_shape=(parameters.size, parameters.size, 3),
        outputs={"shape": SHAPE_NAMES, "colour": COLOUR_NAMES},
        images=_draw_all(parameters, shapes, colours, progress),
        splits=np.repeat(list(counts), list(counts.values())),
        labels={"shape": shapes, "colour": colours},
        sample_ids=[f"{name}-{index:06d}" for index in range(parameters.count)],
    )


def _labels(count: int, num_classes: int, balance: float, random: np.random.RandomState) -> np.ndarray:
    """Return shuffled classes, each `balance` times as frequent as the one before and none missing."""
    weights = balance ** np.arange(num_classes)
    exact = 1 + (count - num_classes) * weights / weights.sum()
    quota = np.floor(exact).astype(int)
    quota[np.argsort(quota - exact, kind="stable")[: count - quota.sum()]] += 1
    return random.permutation(np.repeat(np.arange(num_classes, dtype=np.int32), quota))


def _draw_all(
    parameters: ShapesParameters, shapes: np.ndarray, colours: np.ndarray, progress: Progress
) -> Iterator[np.ndarray]:
    block = max(1, PIXELS_PER_BLOCK // parameters.size**2 // 3)
    for start in range(0, len(shapes), block):
        rows = slice(start, start + block)
        random = np.random.RandomState([parameters.seed, start])
        yield draw(shapes[rows], colours[rows], parameters.size, parameters.noise, random)
        progress("drawing", min(start + block, len(shapes)), len(shapes))


def draw(shapes: np.ndarray, colours: np.ndarray, size: int, noise: float, random: np.random.RandomState) -> np.ndarray:
    """Draw one image per pair of labels, uint8 `(n, size, size, 3)`.

    Args:
        noise: Standard deviation of the pixel noise, as a share of full scale.
    """
    num = len(shapes)

    def uniform(low: float, high: float, width: int = 1) -> np.ndarray:
        return random.uniform(low, high, (num, width)).astype(np.float32)

    radius, angle = uniform(0.24, 0.38), uniform(0, 2 * np.pi)
    centre = uniform(0, 1, 2) * (1 - 2 * radius) + radius  # the whole shape stays inside
    ground = uniform(0.05, 0.35) + uniform(-0.03, 0.03, 3)
    ink = np.array([COLOURS[name] for name in COLOUR_NAMES], np.float32)[colours] + uniform(-0.06, 0.06, 3)

    axis = (np.arange(size, dtype=np.float32) + 0.5) / size
    x = (axis[None, None, :] - centre[:, 0, None, None]) / radius[:, :, None]
    y = (axis[None, :, None] - centre[:, 1, None, None]) / radius[:, :, None]
    cos, sin = np.cos(angle)[:, :, None], np.sin(angle)[:, :, None]
    distance = np.empty((num, size, size), np.float32)
    for index, shape in enumerate(SHAPE_NAMES):
        rows = shapes == index
        turned_x, turned_y = (cos * x + sin * y)[rows], (cos * y - sin * x)[rows]
        distance[rows] = _DISTANCES[shape](turned_x, turned_y)
    # Half a pixel of soft edge on either side: small sizes stay legible.
    cover = np.clip(0.5 - distance * radius[:, :, None] * size, 0, 1)[..., None]
    images = ground[:, None, None, :] * (1 - cover) + ink[:, None, None, :] * cover
    if noise:
        images += random.standard_normal(images.shape).astype(np.float32) * np.float32(noise)
    return np.rint(np.clip(images, 0, 1) * 255).astype(np.uint8)


def _box(x: np.ndarray, y: np.ndarray, half_width: float, half_height: float) -> np.ndarray:
    return np.maximum(np.abs(x) - half_width, np.abs(y) - half_height)


def _triangle(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    slope = np.sqrt(3) / 2
    return np.maximum(slope * np.abs(x) + 0.5 * y, -y) - 0.5


# Distance to the edge, negative inside, for a shape that fits into the unit circle.
_DISTANCES = {
    "circle": lambda x, y: np.sqrt(x * x + y * y) - 0.85,
    "square": lambda x, y: _box(x, y, 0.68, 0.68),
    "triangle": _triangle,
    "cross": lambda x, y: np.minimum(_box(x, y, 0.92, 0.28), _box(x, y, 0.28, 0.92)),
    "ring": lambda x, y: np.abs(np.sqrt(x * x + y * y) - 0.72) - 0.2,
    "bar": lambda x, y: _box(x, y, 0.95, 0.26),
}
