"""Engines by name: this machine, and those of installed packages, here one that a test installs."""

import pytest

from cnnlab.errors import QueueError, UnknownNameError
from cnnlab.launch.engines.known import _points, engine_names, make_placer
from cnnlab.launch.engines.local import LocalEngine


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Let a package with these entry points be installed while the test lasts."""

    def installed(text: str) -> None:
        folder = tmp_path / "toy_engine-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-engine\nVersion: 1.0\n")
        (folder / "entry_points.txt").write_text(f"[cnnlab.engines]\n{text}\n")
        monkeypatch.syspath_prepend(str(tmp_path))
        _points.cache_clear()

    yield installed
    _points.cache_clear()


def test_this_machine_is_always_there():
    assert engine_names()[0] == "local"
    assert isinstance(make_placer("local"), LocalEngine)
    with pytest.raises(UnknownNameError, match=r"Unknown engine 'locl'\. Did you mean 'local'\?"):
        make_placer("locl")


def test_a_package_brings_an_engine_and_one_that_is_broken_says_so(install):
    install("cloud = collections:Counter\nbroken = collections:NoSuchThing")
    assert engine_names() == ["local", "broken", "cloud"]
    assert make_placer("cloud") == {}
    with pytest.raises(QueueError, match=r"The engine 'broken' .* cannot be used: AttributeError.* engine 'local'"):
        make_placer("broken")
