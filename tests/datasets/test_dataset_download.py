"""Sets of `keras.datasets`: real files in the real format, from a server on this machine."""

import functools
import http.server
import json
import os
import subprocess
import sys
import threading

import numpy as np
import pytest

from cnnlab.datasets.build import build_dataset
from cnnlab.datasets.storage import open_dataset
from cnnlab.errors import DatasetError, DownloadError

# A fresh process whose Keras fetches from another place: what a closed network or a mirror is.
REDIRECTED = """
import sys
import keras.src.utils.file_utils as file_utils
def retrieve(url, target, hook=None):
    from urllib.request import urlretrieve
    return urlretrieve(sys.argv[4] + url.rsplit('/', 1)[1], target, hook)
file_utils.urlretrieve = retrieve
import keras.src.datasets.mnist as mnist
real = mnist.get_file
mnist.get_file = lambda **options: real(**{**options, 'file_hash': None})
from cnnlab.datasets.build import main
main(*sys.argv[1:4])
"""


@pytest.fixture
def server(tmp_path):
    """Serve the folder `served` on a free port of this machine."""
    folder = tmp_path / "served"
    folder.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder)) as serving:
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        yield folder, f"http://127.0.0.1:{serving.server_port}/"
        serving.shutdown()
        thread.join()


def tiny_mnist(path, per_class=12):
    random = np.random.RandomState(0)
    labels = np.repeat(np.arange(10, dtype=np.uint8), per_class)
    images = random.randint(0, 256, (len(labels), 28, 28), dtype=np.uint8)
    np.savez(path, x_train=images, y_train=labels, x_test=images[::-1][::3], y_test=labels[::-1][::3])
    return images, labels


def build_in_child(tmp_path, name, address):
    """Return the child's answer."""
    environment = {**os.environ, "KERAS_HOME": str(tmp_path / "keras"), "NO_PROXY": "127.0.0.1"}
    done = subprocess.run(
        [sys.executable, "-c", REDIRECTED, str(tmp_path / "store"), name, "{}", address],
        capture_output=True,
        text=True,
        env=environment,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


def test_a_downloaded_set_is_stored_with_val_cut_from_train(tmp_path, server):
    folder, address = server
    images, labels = tiny_mnist(folder / "mnist.npz")
    answer, progress = build_in_child(tmp_path, "mnist", address)
    assert {"stage": "downloading", "done": 0, "total": 1} in [
        json.loads(line) for line in progress.splitlines() if line.startswith("{")
    ]
    dataset = open_dataset(tmp_path / "store", "mnist")
    assert dataset.info.version == answer["version"]
    assert dataset.info.counts == {"train": 110, "val": 10, "test": 40}
    for split in ("train", "val"):
        rows = [int(name.removeprefix("mnist-train-")) for name in dataset.sample_ids(split)]
        assert (dataset.images(split)[..., 0] == images[rows]).all()
        assert (dataset.labels(split)["label"] == labels[rows]).all()


def test_a_failed_download_says_the_way_out(tmp_path, server):
    _, address = server  # serves nothing
    answer, _ = build_in_child(tmp_path, "mnist", address)
    assert answer["error"] == "DownloadError"
    assert answer["message"].startswith("MNIST could not be downloaded (")
    assert answer["message"].endswith(
        "A network that reaches https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz is expected. "
        f"Check the network, or put that download into {tmp_path / 'keras' / 'datasets'} by hand, "
        "or use 'digits' or 'shapes', which need no network, or import a zip of images."
    )
    assert not list((tmp_path / "store").rglob("*.npy"))


def child_that(monkeypatch, code):
    """Let the child of `build` run `code` in place of the builder."""
    real = subprocess.Popen
    monkeypatch.setattr(
        "cnnlab.datasets.build.subprocess.Popen",
        lambda _command, **options: real([sys.executable, "-c", code], **options),
    )
    monkeypatch.setitem(sys.modules, "keras", None)
    monkeypatch.delitem(sys.modules, "keras")


def test_the_error_of_the_child_is_raised_here(tmp_path, monkeypatch):
    child_that(monkeypatch, """print('{"error": "DownloadError", "message": "No network. Try later."}')""")
    with pytest.raises(DownloadError, match=r"^No network\. Try later\.$"):
        open_dataset(tmp_path, "cifar10")


def test_progress_of_the_child_is_passed_on(tmp_path, monkeypatch):
    code = (
        "import sys; print('noise of a library', file=sys.stderr)\n"
        """print('{"stage": "downloading", "done": 1, "total": 2}', file=sys.stderr)\n"""
        """print('{"error": "DatasetError", "message": "enough"}')"""
    )
    child_that(monkeypatch, code)
    seen = []
    with pytest.raises(DatasetError, match="enough"):
        build_dataset(tmp_path, "cifar10", {}, lambda *step: seen.append(step))
    assert seen == [("downloading", 1, 2)]


def test_a_child_that_dies_is_an_error_with_its_last_words(tmp_path, monkeypatch):
    child_that(monkeypatch, "import sys; print('Killed by something', file=sys.stderr); sys.exit(3)")
    with pytest.raises(DatasetError) as error:
        open_dataset(tmp_path, "cifar100")
    assert str(error.value) == (
        "Data set 'cifar100' could not be built: its process ended with code 3. It said last: Killed by something. "
        "Try again, with more memory free."
    )


def test_keras_stays_out_of_a_process_that_opens_a_downloaded_set(tmp_path):
    code = (
        "import sys, pathlib; from cnnlab.datasets import build\n"
        "build.child_environment = lambda: {'PATH': '', 'KERAS_BACKEND': 'none'}\n"
        "try: build.build_dataset(pathlib.Path(sys.argv[1]), 'mnist', {})\n"
        "except Exception: pass\n"
        "print(sorted({'keras', 'tensorflow'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, timeout=120)
    assert done.stdout == "[]\n"
