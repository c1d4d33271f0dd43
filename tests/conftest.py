"""What every test stands on: a store and a queue of its own, never a person's."""

import gc
import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from backend_process import BackendProcess
from hypothesis import HealthCheck, settings

# How long an example takes depends on the machine: no test may.
settings.register_profile("cnnlab", deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("cnnlab")

SHARED = Path(__file__).resolve().parents[2] / "shared"


# Each file goes whole to the next free process (`lab.py`): those that take long begin, so that none ends alone.
TAKE_LONG = (
    "tuning/test_study_processes.py",
    "browser/test_journey.py",
    "conformance/test_architectures.py",
    "browser",
    "training",
    "conformance",
    "test_killed_trainings.py",
    "test_worker.py",
    "doctor/test_planted_faults.py",
    "plots/test_architecture_drawing.py",
    "datasets/test_dataset_download.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let files that take long come first, in the order of `TAKE_LONG`."""
    tests = Path(__file__).parent

    def place(item: pytest.Item) -> int:
        path = item.path.relative_to(tests).as_posix()
        return next((at for at, begin in enumerate(TAKE_LONG) if path.startswith(begin)), len(TAKE_LONG))

    items.sort(key=place)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Look for garbage less often: a whole look takes half a second with what the tests import."""
    del session
    gc.set_threshold(20_000, 20, 50)
    look_no_more()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """After each file leave alone what stayed: Streamlit, Keras and statsmodels look through everything often."""
    if nextitem is None or nextitem.path != item.path:
        look_no_more()


def look_no_more() -> None:
    """Collect garbage, and take what is left for no garbage from now on."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Point the store and the queue into the test's own folder, for child processes too."""
    monkeypatch.setenv("CNNLAB_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("CNNLAB_QUEUE", str(tmp_path / "queue.sqlite"))
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
    monkeypatch.setenv("CNNLAB_WARM", "0")  # no test leaves a trainer that waits behind


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference data beside the project; the test is skipped where it is missing."""
    if not SHARED.is_dir():
        pytest.skip("the folder 'shared' with reference data is not beside the project")
    return SHARED


@pytest.fixture(scope="session")
def on_backend() -> Iterator[Callable[[str], BackendProcess]]:
    """Return the process with a backend, one for all tests; the test is skipped where the backend is not installed."""
    started: dict[str, BackendProcess] = {}

    def process(backend: str) -> BackendProcess:
        if importlib.util.find_spec(backend) is None:
            pytest.skip(f"{backend} is not installed")
        if backend not in started:
            started[backend] = BackendProcess(backend)
        return started[backend]

    yield process
    for each in started.values():
        each.close()
