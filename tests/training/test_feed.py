"""Each epoch shows the images once, from memory or through a window, whatever the chunks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnlab.training.feed import Feed, read_rows
from cnnlab.training.loop import chunk_length
from cnnlab.training.order import BLOCK, num_steps, shuffled, shuffled_by_windows


def images(count):
    """Images that tell their row."""
    pixels = np.zeros((count, 2, 2, 3), np.uint8)
    pixels[:, 0, 0, 0], pixels[:, 0, 0, 1] = np.arange(count) // 256, np.arange(count) % 256
    return pixels


def rows_of(pixels):
    return pixels[..., 0, 0, 0].astype(int) * 256 + pixels[..., 0, 0, 1]


def feed(count, batch_size, **options):
    return Feed(images(count), {"label": np.arange(count, dtype=np.int32)}, batch_size, seed=3, **options)


@given(st.integers(1, 700), st.integers(1, 90), st.integers(1, 9), st.sampled_from([None, BLOCK, 2 * BLOCK]))
def test_an_epoch_shows_no_image_twice_and_labels_stay_with_images(count, batch_size, per_call, window):
    one = feed(count, batch_size, window=window)
    chunks = list(one.epoch(0, 0, per_call))
    seen = np.concatenate([rows_of(chunk.images).ravel() for chunk in chunks])
    labels = np.concatenate([chunk.labels["label"].ravel() for chunk in chunks])
    assert (seen == labels).all()
    assert len(set(seen.tolist())) == len(seen) == num_steps(count, batch_size) * min(batch_size, count)
    assert {chunk.num_steps for chunk in chunks} <= {1, per_call}


@given(st.integers(1, 9), st.integers(0, 11))
def test_the_rest_of_an_epoch_is_the_same_from_any_step(per_call, first):
    def mirrored(batch, rng):
        return batch + rng.integers(0, 2, batch.shape, np.uint8)

    one = feed(300, 25, augmentation=mirrored)
    whole = np.concatenate([chunk.images for chunk in one.epoch(1, 0, 5)])
    rest = [chunk.images for chunk in one.epoch(1, first, per_call)]
    np.testing.assert_array_equal(np.concatenate(rest), whole[first:])


def test_two_epochs_differ_and_another_seed_does():
    assert (shuffled(50, 1, 0) != shuffled(50, 1, 1)).any()
    assert (shuffled(50, 1, 0) != shuffled(50, 2, 0)).any()
    assert (shuffled(50, 1, 0) == shuffled(50, 1, 0)).all()


@given(st.integers(1, 2000), st.integers(1, 4))
def test_a_window_is_made_of_whole_blocks_from_all_over(count, blocks):
    window = blocks * BLOCK
    order = shuffled_by_windows(count, 0, 0, window)
    assert sorted(order.tolist()) == list(range(count))
    for start in range(0, count - window, window):
        blocks_here = set((order[start : start + window] // BLOCK).tolist())
        assert len(blocks_here) <= blocks + 1


@pytest.mark.parametrize("begin", [0, 7])
def test_rows_of_a_memory_map_are_read_past_it(tmp_path, begin):
    path = tmp_path / "pixels.npy"
    np.save(path, images(100))
    mapped = np.load(path, mmap_mode="r")[begin:]
    rows = np.array([0, 1, 2, 9, 40, 41, 90])
    np.testing.assert_array_equal(rows_of(read_rows(mapped, rows)), rows + begin)


@pytest.mark.parametrize(
    ("steps", "most", "length"), [(351, 64, 39), (17, 16, 16), (16, 16, 16), (3, 16, 3), (1, 8, 1), (97, 64, 64)]
)
def test_a_chunk_divides_the_epoch_where_it_can(steps, most, length):
    assert chunk_length(steps, most) == length
