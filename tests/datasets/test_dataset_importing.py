import json
import os
import signal
import subprocess
import sys
import time
import unicodedata
import zipfile

import numpy as np
import polars
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pictures import class_files, image_bytes, leftovers, write_folder, write_zip

from cnnlab.datasets import import_steps
from cnnlab.datasets.importing import ImportOptions, import_images
from cnnlab.datasets.storage import find_dataset, list_datasets, open_dataset
from cnnlab.errors import DatasetError, ImportRefusedError


@pytest.fixture
def store(tmp_path):
    return tmp_path / "store"


def imported_from(tmp_path, files, **options):
    store = tmp_path / "store"
    import_images(write_zip(tmp_path / "mine.zip", files), store, "mine", ImportOptions(**options))
    return open_dataset(store, "mine")


def samples_of(dataset, split):
    return dict(zip(dataset.sample_ids(split), dataset.images(split), strict=True))


@pytest.mark.parametrize("kind", ["zip", "folder"])
def test_pixels_and_labels_arrive_as_they_were(tmp_path, store, kind):
    files = class_files(10, classes=("dog", "cat"))
    source = write_zip(tmp_path / "a.zip", files) if kind == "zip" else write_folder(tmp_path / "a", files)
    info = import_images(source, store, "mine")
    dataset = open_dataset(store, "mine")
    assert info.outputs == {"label": ("cat", "dog")}
    assert info.image_shape == (8, 8, 3)
    assert info.counts == {"train": 14, "val": 2, "test": 4}
    assert info.notes == ("All images have 8x8 pixels, which is kept.",)
    for split in info.counts:
        labels = dataset.labels(split)["label"]
        for (name, pixels), label in zip(samples_of(dataset, split).items(), labels, strict=True):
            folder, number = name.removesuffix(".png").split("/")
            seed = 1000 * (("dog", "cat").index(folder) + 1) + int(number)
            assert (pixels == np.random.RandomState(seed).randint(0, 256, (8, 8, 3), dtype=np.uint8)).all()
            assert label == ("cat", "dog").index(folder)


def test_zip_and_folder_of_the_same_files_are_the_same_version(tmp_path, store):
    files = class_files()
    first = import_images(write_zip(tmp_path / "a.zip", files), store, "mine")
    second = import_images(write_folder(tmp_path / "b", dict(reversed(files.items()))), store, "mine")
    assert first.version == second.version
    assert len(list_datasets(store)) == 1


def test_the_newest_import_is_the_one_that_opens(tmp_path, store):
    old = import_images(write_zip(tmp_path / "a.zip", class_files()), store, "mine")
    new = import_images(write_zip(tmp_path / "b.zip", class_files(7)), store, "mine")
    assert old.version != new.version
    assert find_dataset(store, "mine").version == new.version
    import_images(tmp_path / "a.zip", store, "mine")
    assert find_dataset(store, "mine").version == old.version
    assert open_dataset(store, "mine", version=new.version).info.num_images == 14


def test_another_seed_is_another_version(tmp_path, store):
    source = write_zip(tmp_path / "a.zip", class_files(20))
    versions = {import_images(source, store, "mine", ImportOptions(seed=seed)).version for seed in (0, 1)}
    assert len(versions) == 2


@pytest.mark.parametrize(
    ("folders", "counts"),
    [
        (("train", "val", "test"), {"train": 40, "val": 40, "test": 40}),
        (("Training", "VALID", "Test"), {"train": 40, "val": 40, "test": 40}),
        (("train", "test"), {"train": 36, "val": 4, "test": 40}),
        (("train", "validation"), {"train": 32, "val": 40, "test": 8}),
        (("train",), {"train": 28, "val": 4, "test": 8}),
    ],
)
def test_split_folders_are_known_and_missing_splits_are_cut_from_train(tmp_path, folders, counts):
    files = {}
    for folder in folders:
        files |= {f"{folder}/{name}": data for name, data in class_files(20).items()}
    assert imported_from(tmp_path, files).info.counts == counts


def test_val_cut_from_train_keeps_its_ids(tmp_path):
    files = {f"{split}/{name}": data for split in ("train", "test") for name, data in class_files(20).items()}
    dataset = imported_from(tmp_path, files)
    assert all(name.startswith("train/") for name in dataset.sample_ids("val"))
    assert all(name.startswith("test/") for name in dataset.sample_ids("test"))


def test_a_wrapping_folder_is_looked_through(tmp_path):
    dataset = imported_from(tmp_path, class_files(prefix="my pictures/export/"))
    assert dataset.info.outputs["label"] == ("cat", "dog")
    assert "cat/000.png" in dataset.samples()["sample_id"].to_list()
    assert "my pictures/export/cat/000.png" in dataset.samples()["source_name"].to_list()


def test_a_class_may_be_called_train(tmp_path):
    dataset = imported_from(tmp_path, class_files(classes=("car", "ship", "train")))
    assert dataset.info.outputs["label"] == ("car", "ship", "train")


def test_a_class_missing_from_a_split_is_named_before_anything_is_decoded(tmp_path, store):
    files = {f"train/{name}": data for name, data in class_files().items()}
    files |= {f"test/{name}": data for name, data in class_files(classes=("cat",)).items()}
    stages = []
    with pytest.raises(DatasetError, match=r"^Class 'dog' has no image in the split 'test'\. Every split needs"):
        import_images(
            write_zip(tmp_path / "a.zip", files), store, "mine", progress=lambda stage, *_: stages.append(stage)
        )
    assert "decoding" not in stages
    assert leftovers(store) == []


@pytest.mark.parametrize(
    ("files", "text"),
    [
        ({}, "'a.zip' holds no images. Expected one sub-folder per class"),
        ({"readme.txt": b"x"}, "'a.zip' holds no images."),
        ({"1.png": image_bytes(1), "2.png": image_bytes(2)}, "'a.zip' has no class folders. Expected one sub-folder"),
        ({"cat/1.png": image_bytes(1), "cat/2.png": image_bytes(2)}, "'a.zip' has one class only, 'cat'."),
        ({"train/1.png": image_bytes(1), "test/2.png": image_bytes(2)}, "'a.zip' has no class folders."),
        ({"test/cat/1.png": image_bytes(1), "test/dog/2.png": image_bytes(2)}, "'a.zip' has 'test' but no 'train'"),
    ],
)
def test_a_source_without_classes_says_what_is_expected(tmp_path, store, files, text):
    with pytest.raises(ImportRefusedError) as error:
        import_images(write_zip(tmp_path / "a.zip", files), store, "mine")
    assert str(error.value).startswith(text)
    assert leftovers(store) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("cifar10", "'cifar10' is the name of a data set of the catalogue. An import needs a name of its own. "),
        ("Digits", "'Digits' is the name of a data set of the catalogue."),
        ("a b", "'a b' cannot name a data set. Expected 1 to 64 letters (A to Z), digits, '-' and '_', "),
        ("../up", "'../up' cannot name a data set."),
        ("", "'' cannot name a data set."),
        ("con", "'con' is a name that Windows keeps for itself."),
    ],
)
def test_a_name_that_cannot_be_is_refused(tmp_path, store, name, text):
    with pytest.raises(DatasetError) as error:
        import_images(write_zip(tmp_path / "a.zip", class_files()), store, name)
    assert str(error.value).startswith(text)
    assert not store.exists()


def test_unreadable_files_are_listed_and_the_rest_is_as_if_they_had_not_been_there(tmp_path, store):
    good = class_files(20)
    jpeg = image_bytes(5, (32, 32), kind="JPEG")
    bad = {"cat/cut.jpg": jpeg[: len(jpeg) // 2], "cat/text.png": b"hello", "dog/empty.jpg": b"", "dog/notes.txt": b"x"}
    clean = import_images(write_zip(tmp_path / "clean.zip", good), store, "mine")
    info = import_images(write_zip(tmp_path / "mixed.zip", {**good, **bad}), store, "mine")
    assert info.version == clean.version
    assert info.channel_mean == clean.channel_mean
    reasons = {item.file: item.reason for item in info.skipped}
    assert set(reasons) == set(bad)
    assert reasons["cat/cut.jpg"].startswith("cannot be read as an image (")
    assert reasons["cat/text.png"] == "cannot be read as an image (not an image, or broken)"
    assert reasons["dog/empty.jpg"] == "is empty"
    assert reasons["dog/notes.txt"] == "is not an image by its ending '.txt'"


def test_rows_follow_their_images_when_files_are_left_out(tmp_path):
    files = class_files(20)
    files["cat/005.png"] = b"broken"
    dataset = imported_from(tmp_path, files)
    for split in dataset.info.counts:
        for name, pixels in samples_of(dataset, split).items():
            seed = 1000 * (("cat", "dog").index(name[:3]) + 1) + int(name[4:7])
            assert (pixels == np.random.RandomState(seed).randint(0, 256, (8, 8, 3), dtype=np.uint8)).all()
    pixels = dataset.images("train").reshape(-1, 3).astype(float)
    assert dataset.info.channel_mean == pytest.approx(pixels.mean(0))


def test_all_unreadable_is_an_error_with_a_reason(tmp_path, store):
    files = dict.fromkeys(class_files(), b"broken")
    with pytest.raises(DatasetError, match=r"^None of the 12 images of 'a.zip' can be read: '.*' cannot be read as"):
        import_images(write_zip(tmp_path / "a.zip", files), store, "mine")
    assert leftovers(store) == []


def test_litter_is_ignored_and_counted(tmp_path):
    litter = {"__MACOSX/cat/._000.png": b"x", "cat/.DS_Store": b"x", "cat/Thumbs.db": b"x", ".git/config": b"x"}
    info = imported_from(tmp_path, {**class_files(), **litter}).info
    assert info.skipped == ()
    assert info.facts["ignored_files"] == 4


def test_names_with_spaces_capitals_and_other_letters(tmp_path):
    files = {}
    for folder in ("Müller's Katze", "собака", "猫 2"):
        files |= {
            f"{folder}/IMG {index}.{end}": image_bytes(len(files) + index) for index, end in enumerate(["PNG"] * 5)
        }
    dataset = imported_from(tmp_path, files)
    assert dataset.info.outputs["label"] == ("Müller's Katze", "собака", "猫 2")
    assert set(dataset.samples()["sample_id"]) == set(files)


def test_names_from_a_mac_are_composed_and_read_as_utf8(tmp_path, store):
    path = tmp_path / "mac.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in class_files(classes=("Käfer", "dog")).items():
            archive.writestr(unicodedata.normalize("NFD", name), data)
    content = path.read_bytes()
    for mark, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):  # take the flag off that says UTF-8, as Apple's archiver does
        start = content.find(mark)
        while start >= 0:
            content = content[: start + at + 1] + bytes([content[start + at + 1] & ~0x08]) + content[start + at + 2 :]
            start = content.find(mark, start + 4)
    path.write_bytes(content)
    assert import_images(path, store, "mine").outputs["label"] == ("Käfer", "dog")


def test_backslashes_of_windows_are_folders(tmp_path):
    files = {name.replace("/", "\\"): data for name, data in class_files().items()}
    assert imported_from(tmp_path, files).info.outputs["label"] == ("cat", "dog")


def test_a_name_twice_is_imported_once_and_listed(tmp_path, store):
    path = write_zip(tmp_path / "a.zip", class_files())
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("cat/000.png", image_bytes(77))
    info = import_images(path, store, "mine")
    assert [(item.file, item.reason) for item in info.skipped] == [("cat/000.png", "has a name that is already taken")]


def test_exact_copies_are_counted(tmp_path):
    files = {f"train/{name}": data for name, data in class_files(20).items()}
    files |= {f"test/{name}": data for name, data in class_files(2).items()}
    info = imported_from(tmp_path, files).info
    assert info.facts["duplicates"] == 4
    assert info.facts["duplicates_across_splits"] == 4
    assert info.notes[-1] == (
        "4 images are exact copies of others, 4 of them across two splits: "
        "results on val and test look better than they are."
    )


# --- size and channels ---


def test_images_of_one_size_keep_it_even_if_not_square(tmp_path):
    assert imported_from(tmp_path, class_files(size=(12, 9))).info.image_shape == (9, 12, 3)


def test_different_sizes_get_the_median_shorter_side(tmp_path):
    files = {**class_files(size=(40, 30)), "cat/wide.png": image_bytes(1, (90, 20))}
    info = imported_from(tmp_path, files).info
    assert info.image_shape == (30, 30, 3)
    assert info.notes[0] == (
        "Stored as 30x30 pixels (crop): the images have 2 different sizes, the median shorter side is 30."
    )
    samples = polars.read_parquet(info.path / "samples.parquet")
    assert set(zip(samples["width"], samples["height"], strict=True)) == {(40, 30), (90, 20)}


def test_large_images_are_stored_at_most_224(tmp_path):
    files = {**class_files(3, size=(300, 260)), "cat/other.png": image_bytes(1, (400, 300))}
    info = imported_from(tmp_path, files).info
    assert info.image_shape == (224, 224, 3)
    assert "the median shorter side is 260, and at most 224 are stored." in info.notes[0]


def test_a_size_that_a_few_looks_missed_is_found(tmp_path, store, monkeypatch):
    monkeypatch.setattr(import_steps, "PROBED_FILES", 2)
    files = {**class_files(20), "cat/010.png": image_bytes(1, (16, 16))}
    stages = []
    info = import_images(
        write_zip(tmp_path / "a.zip", files), store, "mine", progress=lambda stage, *_: stages.append(stage)
    )
    assert info.notes[0].startswith("Stored as 8x8 pixels (crop): the images have 2 different sizes")
    assert stages.count("measuring") == 2
    assert (open_dataset(store, "mine").images("train") > 0).any(axis=(1, 2, 3)).all()


def test_a_colour_that_a_few_looks_missed_is_found(tmp_path, store, monkeypatch):
    monkeypatch.setattr(import_steps, "PROBED_FILES", 2)
    files = {**class_files(20, mode="L"), "cat/010.png": image_bytes(1)}
    assert import_images(write_zip(tmp_path / "a.zip", files), store, "mine").image_shape == (8, 8, 3)


@pytest.mark.parametrize(
    ("mode", "channels", "expected"),
    [("L", "auto", 1), ("RGB", "auto", 3), ("RGB", "grey", 1), ("L", "colour", 3), ("LA", "auto", 1)],
)
def test_channels(tmp_path, mode, channels, expected):
    assert imported_from(tmp_path, class_files(mode=mode), channels=channels).info.image_shape == (8, 8, expected)


@pytest.mark.parametrize(("how", "corner", "middle"), [("crop", 255, 255), ("pad", 0, 255), ("stretch", 255, 255)])
def test_fit(tmp_path, how, corner, middle):
    import io

    from PIL import Image

    files = class_files(6)
    for name in files:
        buffer = io.BytesIO()
        Image.new("RGB", (40, 20), (255, 255, 255)).save(buffer, "PNG", comment=name)
        files[name] = buffer.getvalue()
    images = imported_from(tmp_path, files, image_size=16, fit=how).images("train")
    assert images.shape[1:] == (16, 16, 3)
    assert images[0, 0, 0, 0] == corner
    assert images[0, 8, 8, 0] == middle


# --- processes, progress, being stopped ---


def test_with_processes_the_result_is_the_same(tmp_path, store, monkeypatch):
    files = class_files(60, kind="JPEG", size=(16, 16))
    files["cat/010.png"] = b"broken"
    source = write_zip(tmp_path / "a.zip", files)
    alone = import_images(source, store, "alone")
    monkeypatch.setattr(import_steps, "FILES_WORTH_PROCESSES", 10)
    monkeypatch.setattr("cnnlab.datasets.passes.CHUNK_FILES", 7)
    monkeypatch.setattr("cnnlab.datasets.pool.usable_cores", lambda: 2)
    shared = import_images(source, store, "shared")
    assert shared.version == alone.version
    monkeypatch.setattr("cnnlab.datasets.importing.BYTES_WORTH_PROCESSES", 0)  # listed by a process as well
    assert import_images(source, store, "listed").skipped == alone.skipped
    assert shared.channel_std == alone.channel_std
    assert (open_dataset(store, "alone").images("train") == open_dataset(store, "shared").images("train")).all()


def test_a_decoder_process_that_dies_is_an_error_and_leaves_nothing(tmp_path, store, monkeypatch):
    monkeypatch.setattr(import_steps, "FILES_WORTH_PROCESSES", 10)
    monkeypatch.setattr("cnnlab.datasets.pool.usable_cores", lambda: 2)
    monkeypatch.setattr("cnnlab.datasets.pool.SERVE", "raise SystemExit(1)")
    with pytest.raises(
        DatasetError, match=r"A decoder process ended before its work was done\. Nothing was imported\."
    ):
        import_images(write_zip(tmp_path / "a.zip", class_files(20)), store, "mine")
    assert leftovers(store) == []


def test_a_process_that_dies_while_it_lists_is_an_error(tmp_path, store, monkeypatch):
    monkeypatch.setattr("cnnlab.datasets.importing.BYTES_WORTH_PROCESSES", 0)
    monkeypatch.setattr("cnnlab.datasets.pool.usable_cores", lambda: 2)
    monkeypatch.setattr("cnnlab.datasets.pool.SERVE", "raise SystemExit(1)")
    with pytest.raises(DatasetError, match=r"^A decoder process ended before its work was done\."):
        import_images(write_zip(tmp_path / "a.zip", class_files()), store, "mine")
    assert not store.exists()


def test_progress_counts_up_to_all_images(tmp_path, store):
    seen = []
    import_images(
        write_zip(tmp_path / "a.zip", class_files(20)), store, "mine", progress=lambda *step: seen.append(step)
    )
    assert [stage for index, (stage, *_) in enumerate(seen) if index == 0 or seen[index - 1][0] != stage] == [
        "listing",
        "measuring",
        "decoding",
        "writing",
    ]
    assert ("decoding", 40, 40) in seen
    assert all(0 <= done <= total for _, done, total in seen)


@pytest.mark.parametrize("stage", ["listing", "measuring", "decoding", "writing"])
def test_stopping_at_any_stage_leaves_nothing(tmp_path, store, stage):
    def stop(now, *_):
        if now == stage:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_images(write_zip(tmp_path / "a.zip", class_files(20)), store, "mine", progress=stop)
    left = leftovers(store) if stage != "writing" else [name for name in leftovers(store) if ".building" in name]
    assert left == []


@pytest.mark.skipif(os.name == "nt", reason="kills by signal")
def test_a_killed_import_is_swept_by_the_next(tmp_path, store):
    source = write_zip(tmp_path / "a.zip", class_files(20))
    code = (
        "import sys, time, pathlib; from cnnlab.datasets.importing import import_images\n"
        "def stop(stage, *_):\n    if stage == 'decoding': print('now', flush=True); time.sleep(60)\n"
        "import_images(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), 'mine', progress=stop)"
    )
    child = subprocess.Popen([sys.executable, "-c", code, str(source), str(store)], stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "now\n"
    child.send_signal(signal.SIGKILL)
    child.communicate()
    assert list_datasets(store) == []
    assert len(list((store / "datasets" / ".building").iterdir())) == 1
    import_images(source, store, "mine")
    assert sorted(path.name for path in (store / "datasets").iterdir()) == ["mine"]


@pytest.mark.skipif(not os.path.isdir("/proc"), reason="looks for processes in /proc")
def test_decoders_end_with_their_killed_parent():
    code = (
        "import sys, time; from cnnlab.datasets import pool\n"
        "pool.usable_cores = lambda: 2\np = pool.Pool(); p.start()\n"
        "print(*[child.pid for child in p._children], flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    pids = parent.stdout.readline().split()
    parent.kill()
    parent.communicate()
    deadline = time.monotonic() + 20
    while any(os.path.isdir(f"/proc/{pid}") and "Z" not in state(pid) for pid in pids):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def state(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return "Z"


def test_decoders_import_little():
    code = (
        "import sys; import cnnlab.datasets.decoding; heavy = {'PIL', 'pydantic', 'polars', 'pyarrow', 'psutil'}; "
        "print(sorted((heavy | {'keras', 'tensorflow', 'scipy'}) & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_missing_source_is_named(tmp_path, store):
    with pytest.raises(ImportRefusedError, match=r"^There is no file or folder '.*nothing.zip'\. Expected a zip or"):
        import_images(tmp_path / "nothing.zip", store, "mine")


def test_what_is_written_reads_as_plain_json(tmp_path):
    info = imported_from(tmp_path, class_files()).info
    values = json.loads((info.path / "dataset.json").read_text())
    assert values["parameters"] == {
        "image_size": None,
        "fit": "crop",
        "channels": "auto",
        "val_fraction": 0.1,
        "test_fraction": 0.2,
        "seed": 0,
        "split_names": "",
        "outputs": "",
    }
    assert values["source"] == "mine.zip"


# --- whatever is in an archive ---

NAMES = st.sampled_from(["cat", "dog", "猫 1"]).flatmap(
    lambda folder: st.integers(0, 30).map(lambda number: f"{folder}/{number}")
)
GOOD = st.sampled_from([(".png", "PNG"), (".JPG", "JPEG"), (".bmp", "BMP"), (".gif", "GIF"), (".webp", "WEBP")])
CONTENTS = st.one_of(
    GOOD.flatmap(lambda kind: st.integers(0, 9).map(lambda seed: (kind[0], image_bytes(seed, kind=kind[1])))),
    st.tuples(st.sampled_from([".png", ".jpg", ".txt", ""]), st.binary(max_size=40)),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(extra=st.dictionaries(NAMES, CONTENTS, max_size=12))
def test_every_file_is_imported_or_listed(tmp_path_factory, extra):
    folder = tmp_path_factory.mktemp("any")
    files = {
        **class_files(5, classes=("cat", "dog", "猫 1")),
        **{name + end: data for name, (end, data) in extra.items()},
    }
    info = import_images(write_zip(folder / "a.zip", files), folder / "store", "mine")
    samples = open_dataset(folder / "store", "mine").samples()
    imported, skipped = set(samples["source_name"]), {item.file for item in info.skipped}
    assert imported | skipped == set(files)
    assert not imported & skipped
    assert all(item.reason for item in info.skipped)
    assert samples["split"].is_in(["train", "val", "test"]).all()


def test_the_real_photographs(tmp_path, store, shared):
    source = shared / "data" / "cifar10-images.zip"
    if not source.is_file():
        pytest.skip("shared/data/cifar10-images.zip is missing")
    with zipfile.ZipFile(source) as archive:
        names = archive.namelist()
        part = {name: archive.read(name) for name in names[::24]}
    info = import_images(write_zip(tmp_path / "part.zip", part, zipfile.ZIP_STORED), store, "photographs")
    assert info.image_shape == (32, 32, 3)
    assert info.skipped == ()
    assert info.outputs["label"][:2] == ("airplane", "automobile")
    assert info.num_images == 2500
    assert sum(info.counts[split] for split in ("train", "val")) == sum(name.startswith("train/") for name in part)
    dataset = open_dataset(store, "photographs")
    assert np.bincount(dataset.labels("val")["label"]).min() >= 20
