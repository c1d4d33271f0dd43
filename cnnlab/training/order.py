"""In which order an epoch sees the images: fixed by seed and epoch, so that a resumed run goes on in it.

Imports NumPy alone.
"""

import numpy as np
from numpy.typing import NDArray

# Images read in one piece from a split that does not fit into memory: long enough for a disk, short
# enough that a window holds many pieces from all over the split, whose rows may be sorted by class.
BLOCK = 128


def shuffled(num_images: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """Return all rows, `(num_images,)`, each order as likely as any other."""
    return _rng(seed, epoch).permutation(num_images)


def shuffled_by_windows(num_images: int, seed: int, epoch: int, window: int) -> NDArray[np.int64]:
    """Return all rows so that each `window` of them is made of whole blocks of neighbours.

    Blocks are shuffled over the split and images within a window: reading needs one window of memory.

    Args:
        window: Images in memory at once; a multiple of `BLOCK`.
    """
    rng = _rng(seed, epoch)
    starts = rng.permutation(-(-num_images // BLOCK)) * BLOCK
    rows = (starts[:, None] + np.arange(BLOCK)).ravel()
    rows = rows[rows < num_images]
    for start in range(0, num_images, window):
        rng.shuffle(rows[start : start + window])
    return rows


def num_steps(num_images: int, batch_size: int) -> int:
    """Return the steps of an epoch: of whole batches; what is over takes its turn in another epoch.

    A last batch of a few images would have a learning rate and batch statistics all of its own.
    A split smaller than a batch is one batch.
    """
    return max(1, num_images // batch_size)


def _rng(seed: int, epoch: int) -> np.random.Generator:
    return np.random.default_rng([seed, epoch])
