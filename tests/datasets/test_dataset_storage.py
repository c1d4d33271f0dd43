import json
import subprocess
import sys
import threading

import duckdb
import numpy as np
import pandas
import polars
import pytest

from cnnlab.datasets.catalogue import DATASETS
from cnnlab.datasets.storage import delete_dataset, find_dataset, list_datasets, open_dataset
from cnnlab.datasets.workplace import sweep
from cnnlab.errors import ConfigError, DatasetError, UnknownNameError

SMALL = {"count": 120, "size": 16}


def test_digits_are_the_real_ones(tmp_path):
    from sklearn.datasets import load_digits

    images, digits = load_digits(return_X_y=True)
    dataset = open_dataset(tmp_path, "digits")
    assert dataset.info.counts == {"train": 1259, "val": 179, "test": 359}
    for split in dataset.info.counts:
        rows = [int(name.removeprefix("digits-")) for name in dataset.sample_ids(split)]
        assert (dataset.labels(split)["label"] == digits[rows]).all()
        stored = dataset.images(split).reshape(-1, 64)
        assert np.abs(stored / 255 * 16 - images[rows]).max() < 0.04


def test_digits_are_split_alike_in_every_class(tmp_path):
    dataset = open_dataset(tmp_path, "digits")
    totals = np.bincount(dataset.samples()["label"].to_numpy())
    assert np.abs(np.bincount(dataset.labels("test")["label"]) - 0.2 * totals).max() <= 1


def test_the_versions_of_today_stay_the_same(tmp_path):
    # Runs record them: a change here means that old runs and new ones saw other data.
    assert open_dataset(tmp_path, "digits").info.version == "ff67e481d969"


@pytest.mark.parametrize("name", [name for name, entry in DATASETS.items() if not entry.needs_network])
def test_what_the_catalogue_says_is_what_is_built(tmp_path, name):
    info = open_dataset(tmp_path, name).info
    entry = DATASETS[name]
    assert info.image_shape == entry.image_shape
    assert info.outputs == dict(entry.outputs)
    assert info.num_images == entry.num_images
    assert info.title == entry.title


def test_shapes_have_two_outputs_and_every_class_in_every_split(tmp_path):
    dataset = open_dataset(tmp_path, "shapes", parameters={"count": 60, "balance": 0.2, "size": 12})
    for split in dataset.info.counts:
        labels = dataset.labels(split)
        assert list(labels) == ["shape", "colour"]
        for output, classes in dataset.info.outputs.items():
            assert set(labels[output]) == set(range(len(classes)))
    frequent = np.bincount(dataset.labels("train")["shape"])
    assert frequent[0] > 2 * frequent[-1]


def test_the_same_seed_draws_the_same_images(tmp_path):
    first = open_dataset(tmp_path / "a", "shapes", parameters=SMALL)
    again = open_dataset(tmp_path / "b", "shapes", parameters=SMALL)
    other = open_dataset(tmp_path / "b", "shapes", parameters={**SMALL, "seed": 1})
    assert first.info.version == again.info.version != other.info.version
    assert (first.images("test") == again.images("test")).all()


def test_noise_makes_images_noisier(tmp_path):
    quiet, loud = (
        open_dataset(tmp_path, "shapes", parameters={**SMALL, "noise": noise}).images("train")[:, 0, :, 0].std(axis=1)
        for noise in (0.0, 0.3)
    )
    assert loud.mean() > quiet.mean() + 10


def test_images_are_mapped_read_only_slices(tmp_path):
    dataset = open_dataset(tmp_path, "shapes", parameters=SMALL)
    images = dataset.images("val")
    assert isinstance(images, np.memmap)
    assert images.shape == (12, 16, 16, 3)
    assert images.dtype == np.uint8
    assert not images.flags.writeable


def test_channel_statistics_are_of_the_train_split(tmp_path):
    dataset = open_dataset(tmp_path, "shapes", parameters=SMALL)
    pixels = dataset.images("train").reshape(-1, 3).astype(float)
    assert dataset.info.channel_mean == pytest.approx(pixels.mean(0))
    assert dataset.info.channel_std == pytest.approx(pixels.std(0))


def test_any_parquet_reader_reads_the_samples(tmp_path):
    info = open_dataset(tmp_path, "shapes", parameters=SMALL).info
    path = info.path / "samples.parquet"
    columns = ["sample_id", "split", "shape", "colour", "width", "height", "sha256", "source_name"]
    frame = pandas.read_parquet(path)
    assert list(frame.columns) == columns
    assert not any(isinstance(kind, pandas.CategoricalDtype) for kind in frame.dtypes)
    assert polars.read_parquet(path).schema["shape"] == polars.Int32
    assert duckdb.sql(f"select count(*) from '{path}' where split = 'train'").fetchall() == [(84,)]


def test_opening_again_builds_nothing(tmp_path):
    first = open_dataset(tmp_path, "shapes", parameters=SMALL).info
    before = (first.path / "pixels.npy").stat().st_mtime_ns
    assert open_dataset(tmp_path, "shapes", parameters=SMALL).info == first
    assert (first.path / "pixels.npy").stat().st_mtime_ns == before
    assert open_dataset(tmp_path, "shapes", version=first.version).info == first


def test_each_set_of_parameters_is_its_own_version(tmp_path):
    open_dataset(tmp_path, "shapes", parameters=SMALL)
    open_dataset(tmp_path, "shapes", parameters={**SMALL, "count": 60})
    assert [info.num_images for info in list_datasets(tmp_path)] == [60, 120]


def test_processes_that_build_at_once_end_with_one_version(tmp_path):
    code = (
        "import sys, pathlib; from cnnlab.datasets.storage import open_dataset; "
        "print(open_dataset(pathlib.Path(sys.argv[1]), 'digits').images('test').shape)"
    )
    children = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    assert [child.communicate()[0] for child in children] == ["(359, 8, 8, 1)\n"] * 3
    assert len(list_datasets(tmp_path)) == 1
    assert sorted(path.name for path in (tmp_path / "datasets").iterdir()) == ["digits"]


def test_an_unknown_name_gets_a_suggestion(tmp_path):
    with pytest.raises(UnknownNameError) as error:
        open_dataset(tmp_path, "digit")
    assert str(error.value) == "Unknown data set 'digit'. Did you mean 'digits'?"


@pytest.mark.parametrize("name", ["../digits", "/etc", "a/b", "..", "", "a\0b"])
def test_a_name_that_is_a_path_reaches_no_disk(tmp_path, name):
    with pytest.raises(UnknownNameError, match="Unknown data set"):
        open_dataset(tmp_path, name)


def test_an_unknown_version_lists_those_there(tmp_path):
    info = open_dataset(tmp_path, "digits").info
    with pytest.raises(DatasetError) as error:
        open_dataset(tmp_path, "digits", version="0" * 12)
    assert str(error.value) == (
        f"Data set 'digits' has no version '000000000000' here. Stored: {info.version}. "
        "Choose one of these, or leave the version out for the newest."
    )


def test_a_wrong_parameter_is_an_error_before_anything_is_built(tmp_path):
    with pytest.raises(ConfigError, match=r"count=5 is out of range\. Expected an integer in \[60, 200000\]\."):
        open_dataset(tmp_path, "shapes", parameters={"count": 5})
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_split_is_an_error(tmp_path):
    with pytest.raises(UnknownNameError, match=r"Unknown split 'valid'\. Did you mean 'val'\?"):
        open_dataset(tmp_path, "digits").images("valid")


def test_find_builds_nothing(tmp_path):
    with pytest.raises(DatasetError, match="is not built yet"):
        find_dataset(tmp_path, "digits")
    assert list(tmp_path.iterdir()) == []


def test_damaged_pixels_are_named(tmp_path):
    info = open_dataset(tmp_path, "digits").info
    (info.path / "pixels.npy").write_bytes(b"short")
    with pytest.raises(DatasetError, match="are damaged or gone"):
        open_dataset(tmp_path, "digits").images("train")


def test_a_folder_without_its_description_is_no_data_set(tmp_path):
    info = open_dataset(tmp_path, "digits").info
    (info.path / "dataset.json").write_text(json.dumps({"format": 1}))
    assert list_datasets(tmp_path) == []
    assert open_dataset(tmp_path, "digits").info.version == info.version  # built again, over the wreck


def test_deleting_one_version_leaves_the_others(tmp_path):
    kept = open_dataset(tmp_path, "shapes", parameters=SMALL).info
    gone = open_dataset(tmp_path, "shapes", parameters={**SMALL, "seed": 1}).info
    assert delete_dataset(tmp_path, "shapes", gone.version) == [gone]
    assert list_datasets(tmp_path) == [kept]
    delete_dataset(tmp_path, "shapes")
    assert list((tmp_path / "datasets").iterdir()) == []


def test_deleting_what_is_not_there_is_an_error(tmp_path):
    with pytest.raises(UnknownNameError, match="Unknown stored data set 'digits'"):
        delete_dataset(tmp_path, "digits")


def test_a_full_disk_is_said_before_writing(tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda _path: type("Usage", (), {"free": 10**8})())
    with pytest.raises(DatasetError) as error:
        open_dataset(tmp_path, "shapes", parameters=SMALL)
    assert str(error.value) == (
        "Data set 'shapes' needs 92 kB, and the disk of the store has 100 MB free. 537 MB must stay free. "
        "Delete old data sets or runs, or choose a smaller image size."
    )
    assert not list(tmp_path.rglob("*.npy"))


def test_what_a_dead_process_left_is_swept_and_a_living_one_is_left_alone(tmp_path):
    from cnnlab.datasets.workplace import workplace

    with workplace(tmp_path, "mine", need_bytes=0) as mine:
        name, host, _, created, token = mine.name.split("~")
        dead = mine.with_name(f"{name}~{host}~999999999~{created}~{token}")
        reused = mine.with_name(mine.name.replace(created, "12.00"))
        foreign = mine.with_name(f"{name}~another-host~1~{created}~{token}")
        for folder in (dead, reused, foreign):
            folder.mkdir()
        sweep(tmp_path)
        assert mine.is_dir()
        assert foreign.is_dir()
        assert not dead.exists()
        assert not reused.exists()


def test_who_works_alone_is_waited_for_and_a_dead_owner_is_not(tmp_path):
    from cnnlab.datasets.workplace import alone

    order = []

    def work():
        with alone(tmp_path, "mnist"):
            order.append("second")

    thread = threading.Thread(target=work)
    with alone(tmp_path, "mnist"):
        thread.start()
        thread.join(0.3)
        assert thread.is_alive()
        order.append("first")
    thread.join(20)
    assert order == ["first", "second"]

    with alone(tmp_path, "mnist"):
        (owner,) = (tmp_path / "datasets" / ".building" / "mnist.lock").iterdir()
        owner.rename(owner.with_name(owner.name.replace(owner.name.split("~")[3], "12.00")))  # the id of a dead one
        work()
    assert order == ["first", "second", "second"]


def test_opening_a_stored_set_imports_neither_keras_nor_scikit_learn(tmp_path):
    code = (
        "import sys, pathlib; from cnnlab.datasets.storage import open_dataset; "
        "open_dataset(pathlib.Path(sys.argv[1]), 'digits').labels('val'); "
        "print(sorted({'keras', 'tensorflow', 'sklearn', 'PIL', 'simplejpeg'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
