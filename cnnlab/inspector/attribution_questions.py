"""What the inspector tells of where a trained network looked: Grad-CAM, or occlusion where that does not apply."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnlab.analysis import attribution
from cnnlab.errors import ConfigError, DatasetError
from cnnlab.inspector.answers import Answer
from cnnlab.runs.images import dataset_of_run, places_of
from cnnlab.runs.store import Store

MOST_IMAGES = 24
# Occlusion asks the network once for each square of each image: with a slow network some images stay without.
SECONDS = 25.0
METHODS = ("auto", "grad_cam", "occlusion")


@dataclass(frozen=True)
class _Loaded:
    """The network of one run, kept between questions.

    Attributes:
        cuts: By output: the network cut in two, or why that cannot be.
    """

    path: Path
    stamp: int
    network: Any
    cuts: dict[str | None, Any]


_last: list[_Loaded] = []


def attribution_maps(
    store_root: Path,
    *,
    run_id: str,
    split: str,
    sample_ids: Sequence[str],
    classes: Sequence[int],
    output: str | None = None,
    method: str = "auto",
    stamp: int = 0,  # noqa: ARG001 of the model's file: what a kept answer is found by
) -> Answer:
    """Tell where in each image the network found what speaks for a class.

    Args:
        classes: Which class is asked about, for each image.
        output: Which output, where the network has several.
        method: `grad_cam`, `occlusion`, or `auto` for the first that applies.

    Returns:
        `method` that was used, `reason` why not Grad-CAM, `layer` whose map it is (Grad-CAM), and
        `maps`, one per image: `values` in [0, 1] as nested lists, `peak` (occlusion: by how much the
        probability fell at most), `probability` of the class; None for an image that there was no time for.
    """
    if not 0 < len(sample_ids) <= MOST_IMAGES or len(classes) != len(sample_ids):
        raise ConfigError(
            f"{len(sample_ids)} images and {len(classes)} classes are asked for. Expected one class for each of 1 to "
            f"{MOST_IMAGES} images. Ask for fewer at a time."
        )
    if method not in METHODS:
        raise ConfigError(f"method={method!r} is unknown. Expected one of: {', '.join(METHODS)}. Choose one of these.")
    deadline = time.monotonic() + SECONDS
    images, fill = _images(store_root, run_id, split, sample_ids)
    loaded = _network(store_root, run_id)
    cut = _cut(loaded, output)
    if method != "occlusion" and not isinstance(cut, str):
        return Answer(_grad_cam(cut, images, classes))
    if method == "grad_cam":
        raise ConfigError(f"Grad-CAM does not apply here. {cut} Ask for occlusion instead.")
    value = _occlusion(loaded.network, output, images, classes, fill, deadline)
    value["reason"] = cut if isinstance(cut, str) else ""
    return Answer(value, keep=None not in value["maps"])


def _images(
    store_root: Path, run_id: str, split: str, sample_ids: Sequence[str]
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Return the pixels as the network sees them, and the mean colour of the data set."""
    from cnnlab.datasets.resizing import resize

    store = Store(store_root)
    dataset = dataset_of_run(store, run_id)
    places = places_of(dataset, split, sample_ids)
    missing = [name for name, place in zip(sample_ids, places, strict=True) if place is None]
    if missing:
        raise DatasetError(
            f"Image {missing[0]!r} is not in the split {split!r} of data set {dataset.info.name!r}, version "
            f"{dataset.info.version}. Expected an image that the run was tested on. Open the run's page anew."
        )
    size = (store.read_result(run_id) or {}).get("image_shape", dataset.info.image_shape)[0]
    pixels = dataset.images(split)
    chosen = [np.asarray(pixels[place]) for place in places]
    sized = [image if image.shape[:2] == (size, size) else resize(image, size) for image in chosen]
    return np.stack(sized).astype(np.float32), np.asarray(dataset.info.channel_mean)


def _network(store_root: Path, run_id: str) -> _Loaded:
    """Return the network of a run; the last one is kept, for one looks at several pages of images of a run."""
    from cnnlab.analysis.saved_network import open_saved

    path = Store(store_root).run_dir(run_id) / "model.keras"
    if not path.is_file():
        raise ConfigError(
            f"Run {run_id!r} has no model file. Expected a completed run. Wait for its end, or choose another run."
        )
    stamp = path.stat().st_mtime_ns
    if not _last or (_last[0].path, _last[0].stamp) != (path, stamp):
        _last.clear()
        _last.append(_Loaded(path, stamp, open_saved(path, f"The model of run {run_id!r}"), {}))
    return _last[0]


def _cut(loaded: _Loaded, output: str | None) -> Any:
    from cnnlab.analysis.feature_map import cut_network

    if output not in loaded.cuts:
        loaded.cuts[output] = cut_network(loaded.network, output)
    return loaded.cuts[output]


def _grad_cam(cut: Any, images: NDArray[np.float32], classes: Sequence[int]) -> dict[str, Any]:
    from cnnlab.analysis.feature_map import map_and_gradients
    from cnnlab.training.evaluation import softmax

    maps, gradients, logits = map_and_gradients(cut, images, classes)
    probabilities = softmax(logits)
    told = [
        {
            "values": _rounded(attribution.scaled(attribution.grad_cam(one, gradient))),
            "peak": None,
            "probability": float(row[number]),
        }
        for one, gradient, row, number in zip(maps, gradients, probabilities, classes, strict=True)
    ]
    return {"method": "grad_cam", "reason": "", "layer": cut.layer, "maps": told}


def _occlusion(
    network: Any,
    output: str | None,
    images: NDArray[np.float32],
    classes: Sequence[int],
    fill: NDArray[np.float64],
    deadline: float,
) -> dict[str, Any]:
    height, width = images.shape[1:3]
    places = attribution.squares(height, width)
    told: list[dict[str, Any] | None] = []
    for image, number in zip(images, classes, strict=True):
        if time.monotonic() > deadline:
            told.append(None)
            continue
        seen = np.concatenate([image[None], attribution.occluded(image, places, fill)])
        probabilities = _answers(network, output, seen)[:, number].astype(np.float64)
        fallen = attribution.occlusion_map(probabilities[0] - probabilities[1:], places, height, width)
        told.append(
            {
                "values": _rounded(attribution.scaled(_few_places(fallen))),
                "peak": max(0.0, float(fallen.max())),
                "probability": float(probabilities[0]),
            }
        )
    return {"method": "occlusion", "reason": "", "layer": "", "maps": told}


def _answers(network: Any, output: str | None, images: NDArray[np.float32]) -> NDArray[np.float32]:
    from cnnlab.analysis.feature_map import output_of
    from cnnlab.training.evaluation import softmax

    return softmax(np.asarray(output_of(network(images, training=False), output), np.float32))


def _few_places(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a map of at most 32 places a side: squares are far larger than that, and answers travel as text."""
    step = max(1, -(-max(values.shape) // 32))
    return values[step // 2 :: step, step // 2 :: step]


def _rounded(values: NDArray[np.float64]) -> list[list[float]]:
    found: list[list[float]] = np.round(values, 3).tolist()
    return found
