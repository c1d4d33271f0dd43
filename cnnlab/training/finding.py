"""Find a learning rate: a short training whose rate climbs until the loss leaves what it had reached.

Source: Smith 2015, "Cyclical Learning Rates for Training Neural Networks", arXiv:1506.01186, section 3.3. Differs from
the paper: the rate climbs exponentially, so that one search sees all magnitudes.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from cnnlab.analysis.suggestions import divergence, suggest_rate
from cnnlab.config import RunConfig
from cnnlab.datasets.storage import Dataset
from cnnlab.runs.store import Store
from cnnlab.training.engines.base import Chunk
from cnnlab.training.equipment import Equipment, equip, split_images, split_labels
from cnnlab.training.feed import Feed
from cnnlab.training.loop import chunk_length
from cnnlab.training.transfer import Transfer, begin_transfer

# Between two looks at the loss; a diverged training should not go on for long.
LONGEST_CHUNK = 4

# Told how many of how many are done.
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class RateRange:
    """Which rates are tried, and in how many steps: evenly spaced in their logarithm."""

    lowest: float = 1e-6
    highest: float = 10.0
    steps: int = 120

    def rates(self) -> NDArray[np.float64]:
        return np.geomspace(self.lowest, self.highest, self.steps)


def find_rate(
    config: RunConfig, dataset: Dataset, asked: RateRange | None = None, report: Progress = lambda _done, _total: None
) -> dict[str, Any]:
    """Train the network of `config` over rising rates and return the curve with what it suggests.

    Everything else is as in a training of that config: augmentation, losses, tricks, first weights. No run is
    written.

    Returns:
        `rates` and `losses`, each loss measured after a step at its rate; `smoothed`; `steepest`, `diverged_at` and
        `tenth`, rates or None; `suggestion` with its `rule`.

    Raises:
        ConfigError: the config does not fit the data.
        DatasetError: the train split has no images.
    """
    asked = asked or RateRange()
    equipment, transfer = equipped(config, dataset)
    rates = asked.rates()
    _, engine = equipment.engine(rates, transfer)
    losses: list[float] = []
    for chunk in chunks(equipment.feed, LONGEST_CHUNK):
        losses += np.asarray(engine.train(chunk)["loss"], np.float64).tolist()
        report(min(len(losses), asked.steps), asked.steps)
        if len(losses) >= asked.steps or divergence(np.asarray(losses[1:])) is not None:
            break
    # A step measures its loss before it moves: what a rate does shows in the next one.
    shown = losses[1 : asked.steps]
    return _document(rates[: len(shown)], shown)


def equipped(config: RunConfig, dataset: Dataset) -> tuple[Equipment, Transfer | None]:
    """Return what a training of `config` would begin with."""
    keras.utils.set_random_seed(config.training.seed)
    store = Store()
    images, labels = split_images(config, dataset, "train"), split_labels(config, dataset, "train")
    equipment = equip(config, dataset.info, images, labels, store)
    transfer = begin_transfer(config, equipment.networks[0], list(equipment.model.num_classes), store)
    if transfer is not None:
        transfer.enter(0)
    return equipment, transfer


def chunks(feed: Feed, longest: int) -> Iterator[Chunk]:
    """Give the chunks of one epoch after the other, all of one length, so that one is compiled."""
    length = chunk_length(feed.steps_per_epoch, longest)
    epoch = 0
    while True:
        for chunk in feed.epoch(epoch, 0, length):
            if chunk.num_steps == length:
                yield chunk
        epoch += 1


def _document(rates: NDArray[np.float64], losses: list[float]) -> dict[str, Any]:
    found = suggest_rate(rates.tolist(), losses)
    return {
        "rates": rates.tolist(),
        "losses": losses,
        "smoothed": found.smoothed.tolist(),
        "steepest": found.steepest,
        "diverged_at": found.diverged_at,
        "tenth": found.tenth,
        "suggestion": found.rate,
        "rule": found.rule,
    }
