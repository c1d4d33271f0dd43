"""The weights file of a source: found, told by its digest, and missed in words."""

import hashlib

import pytest

from cnnlab.architectures.own_files import refuse_own_file
from cnnlab.config import config_from_dict
from cnnlab.errors import ConfigError
from cnnlab.runs.sources import checked_source, source_file, with_digest
from cnnlab.runs.status import RunStatus, write_status
from cnnlab.runs.store import Store


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


@pytest.fixture
def run_id(store):
    run_dir = store.create_run(config_from_dict({}))
    (run_dir / "model.keras").write_bytes(b"weights")
    write_status(run_dir, RunStatus(state="completed"))
    return run_dir.name


def asking(source, **transfer):
    return config_from_dict({"transfer": {"source": source, **transfer}})


def test_the_digest_is_recorded_and_checked(store, run_id):
    recorded = with_digest(store, asking(f"run:{run_id}"))
    assert recorded.transfer.source_sha256 == hashlib.sha256(b"weights").hexdigest()
    assert checked_source(store, recorded.transfer) == store.run_dir(run_id) / "model.keras"
    (store.run_dir(run_id) / "model.keras").write_bytes(b"others")
    with pytest.raises(ConfigError) as error:
        checked_source(store, recorded.transfer)
    assert str(error.value) == (
        f"The source run {run_id!r} has other weights than the config means: SHA-256 "
        f"{hashlib.sha256(b'others').hexdigest()[:12]}, not {recorded.transfer.source_sha256[:12]}. Expected the same "
        "file. Bring it back, or leave source_sha256 out to take the weights as they are."
    )


def test_a_deleted_source_is_told_with_the_way_back(store, run_id):
    store.delete_run(run_id)
    with pytest.raises(ConfigError) as error:
        source_file(store, asking(f"run:{run_id}").transfer)
    assert str(error.value) == (
        f"The source run {run_id!r} was deleted. Expected a run of this store with its model. Bring it back with "
        f"'python -m cnnlab restore {run_id}', or choose another source."
    )


def test_a_run_without_model_or_an_unknown_one(store, run_id):
    (store.run_dir(run_id) / "model.keras").unlink()
    with pytest.raises(
        ConfigError, match=r"has no model file\. Expected a completed run\. Wait for its end, or choose"
    ):
        source_file(store, asking(f"run:{run_id}").transfer)
    with pytest.raises(ConfigError, match=r"^transfer\.source names no run of this store\. No run 'nope' in .* Choose"):
        source_file(store, asking("run:nope").transfer)


def test_a_file_is_recorded_by_its_whole_path_and_refused_by_pages(store, tmp_path, monkeypatch):
    (tmp_path / "net.keras").write_bytes(b"net")
    monkeypatch.chdir(tmp_path)
    recorded = with_digest(store, asking("net.keras"))
    assert recorded.transfer.source == str(tmp_path / "net.keras")
    with pytest.raises(ConfigError, match=r"Pages open no files of this machine, .*'python -m cnnlab train'\.$"):
        refuse_own_file(recorded)
    with pytest.raises(ConfigError, match=r"is no file\. Expected a model that Keras saved\. Check the path\.$"):
        source_file(store, asking("gone.keras").transfer)


def test_scratch_and_imagenet_have_no_file(store):
    assert with_digest(store, config_from_dict({})) == config_from_dict({})
    imagenet = config_from_dict({"transfer": {"source": "imagenet"}, "architecture": {"name": "keras_application"}})
    assert with_digest(store, imagenet) == imagenet
