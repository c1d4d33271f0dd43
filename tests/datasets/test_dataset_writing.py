"""What lies between decoded pixels and a finished version: samples, the disk, the processes."""

import subprocess
import sys
import threading

import numpy as np
import polars
import pytest

from cnnlab.datasets import decoding, writing
from cnnlab.datasets.children import bare_environment
from cnnlab.datasets.pool import Pool
from cnnlab.datasets.samples import write_samples
from cnnlab.datasets.storage import open_dataset


@pytest.mark.parametrize("names", [["a/1.jpg", "", "b/2.jpg"], ["Käfer/1.jpg", "猫 1/2.png", "🐈"], []])
def test_samples_arrive_as_they_were(tmp_path, names):
    numbers = np.arange(2 * len(names), dtype=np.int32)[::2]
    columns = {"sample_id": names, "split": ["train"] * len(names), "label": numbers}
    write_samples(tmp_path / "samples.parquet", columns)
    frame = polars.read_parquet(tmp_path / "samples.parquet")
    assert frame.schema == {"sample_id": polars.String, "split": polars.String, "label": polars.Int32}
    assert frame["sample_id"].to_list() == names
    assert frame["split"].to_list() == columns["split"]
    assert frame["label"].to_list() == numbers.tolist()


def test_writing_samples_imports_neither_polars_nor_pandas(tmp_path):
    code = (
        "import sys; import numpy; from cnnlab.datasets.samples import write_samples\n"
        "write_samples(sys.argv[1], {'sample_id': ['a'], 'label': numpy.zeros(1, numpy.int32)})\n"
        "print(sorted({'polars', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "a")], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_disk_takes_a_file_in_over_and_over_while_it_is_written(tmp_path, monkeypatch):
    synced, often = [], threading.Event()

    def sync(path):
        synced.append(path)
        if len(synced) == 3:
            often.set()

    monkeypatch.setattr(writing, "sync", sync)
    with writing.synced_meanwhile(tmp_path / "pixels.npy", pause_s=0.001):
        assert often.wait(20)
    assert set(synced) == {tmp_path / "pixels.npy"}
    count = len(synced)
    with writing.synced_meanwhile(tmp_path / "pixels.npy", pause_s=60):
        pass
    assert len(synced) == count


def test_what_fails_meanwhile_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError), writing.meanwhile(lambda: writing.sync(tmp_path / "missing")):
        pass
    # What was raised inside is what is told.
    with pytest.raises(KeyError), writing.meanwhile(lambda: writing.sync(tmp_path / "missing")):
        raise KeyError


def test_a_disk_that_fails_while_samples_are_written_leaves_nothing(tmp_path, monkeypatch):
    def fail(path):
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(writing, "sync", fail)
    with pytest.raises(OSError, match="No space left"):
        open_dataset(tmp_path, "digits")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.fixture
def echo(monkeypatch):
    """Two processes that send back what they are sent."""
    monkeypatch.setattr("cnnlab.datasets.pool.usable_cores", lambda: 2)
    monkeypatch.setattr(
        "cnnlab.datasets.pool.SERVE",
        "from cnnlab.datasets import decoding; decoding.CALLS['echo'] = lambda *a: a; decoding.serve()",
    )
    with Pool() as pool:
        pool.start()
        yield pool


@pytest.mark.timeout(60)
def test_calls_and_answers_larger_than_a_pipe_do_not_wait_for_each_other(echo):
    large = bytes(2**20)
    answers = dict(echo.run([("echo", (number, large)) for number in range(40)]))
    assert answers == {number: (number, large) for number in range(40)}


@pytest.mark.timeout(60)
def test_who_stops_listening_leaves_nothing_to_the_next_pass(echo):
    first = echo.run([("echo", ("old", number)) for number in range(40)])
    next(first)
    first.close()
    assert sorted(echo.run([("echo", ("new", number)) for number in range(5)])) == [
        (number, ("new", number)) for number in range(5)
    ]


def test_a_bare_child_finds_what_this_process_finds():
    code = "import numpy, simplejpeg, cnnlab.datasets.decoding as d; print(numpy.__file__, d.__file__)"
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], env=bare_environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [np.__file__, decoding.__file__]
