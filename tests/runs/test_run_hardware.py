"""What a run computed on and what it used; GPUs are played by a stand-in where there is none."""

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cnnlab.runs import environment, hardware, nvml, queries
from cnnlab.runs.lines import append_lines
from cnnlab.runs.store import Store
from cnnlab.runs.writer import RunWriter

Make = Callable[..., Path]


class FakeNVML:
    """Two GPUs as the driver describes them."""

    class NVMLError(Exception):
        pass

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        return 2

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:  # noqa: N802
        if not 0 <= index < 2:
            raise self.NVMLError
        return index

    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> int:  # noqa: N802
        if uuid not in ("GPU-a", "GPU-b"):
            raise self.NVMLError
        return "ab".index(uuid[-1])

    def nvmlDeviceGetName(self, handle: int) -> bytes:  # noqa: N802
        return b"GPU %d" % handle

    def nvmlDeviceGetMemoryInfo(self, handle: int) -> Any:  # noqa: N802
        return SimpleNamespace(total=1000, used=100 * (handle + 1))

    def nvmlDeviceGetUtilizationRates(self, handle: int) -> Any:  # noqa: N802
        return SimpleNamespace(gpu=40 * (handle + 1))

    def nvmlSystemGetDriverVersion(self) -> str:  # noqa: N802
        return "600.1"


@pytest.fixture
def gpus(monkeypatch: pytest.MonkeyPatch) -> FakeNVML:
    fake = FakeNVML()

    @contextlib.contextmanager
    def opened() -> Iterator[Any]:
        yield fake

    monkeypatch.setattr(nvml, "opened", opened)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return fake


def test_the_environment_is_told_without_importing_libraries(store: Store, make_run: Make) -> None:
    found = environment.capture()
    assert found["cores"] >= 1
    assert found["memory_bytes"] > 0
    assert found["libraries"]["cnnlab"] == "0.1.0"
    assert found["libraries"]["numpy"]
    run_dir = make_run()
    RunWriter(run_dir).environment(found)
    assert store.read_environment(run_dir.name) == json.loads(json.dumps(found))


def test_a_library_that_is_missing_is_null() -> None:
    assert environment.version_of("no-such-library-anywhere") is None


def test_the_processor_has_its_name(tmp_path: Path) -> None:
    (tmp_path / "cpuinfo").write_text("processor\t: 0\nmodel name\t: Some CPU @ 3 GHz\n")
    assert environment._cpu_of_linux(tmp_path / "cpuinfo") == "Some CPU @ 3 GHz"
    assert environment._cpu_of_linux(tmp_path / "missing") is None


@pytest.mark.usefixtures("gpus")
def test_gpus_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    found = environment.capture()
    assert found["gpus"] == [{"name": "GPU 0", "memory_bytes": 1000}, {"name": "GPU 1", "memory_bytes": 1000}]
    assert found["gpu_driver"] == "600.1"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert [gpu["name"] for gpu in environment.capture()["gpus"]] == ["GPU 1"]


@pytest.mark.parametrize(
    ("variable", "handles"),
    [(None, [0, 1]), ("", []), ("-1", []), ("1", [1]), ("1,0", [1, 0]), ("GPU-b", [1]), ("0,7,1", [0]), ("MIG-x", [])],
)
def test_only_the_gpus_of_the_run_count(gpus: FakeNVML, variable: str | None, handles: list[int]) -> None:
    variables = {} if variable is None else {"CUDA_VISIBLE_DEVICES": variable}
    assert nvml.visible_handles(gpus, variables) == handles


def test_gpu_use_is_the_mean_and_memory_the_sum(gpus: FakeNVML, monkeypatch: pytest.MonkeyPatch) -> None:
    assert hardware._gpu_usage(gpus) == {
        "gpu_percent": 60.0,
        "gpu_memory_bytes": 300,
        "gpu_memory_total_bytes": 2000,
    }
    assert hardware._gpu_usage(None)["gpu_percent"] is None

    def unsupported(_: int) -> Any:
        raise gpus.NVMLError

    monkeypatch.setattr(gpus, "nvmlDeviceGetUtilizationRates", unsupported)
    usage = hardware._gpu_usage(gpus)
    assert (usage["gpu_percent"], usage["gpu_memory_bytes"]) == (None, 300)


def test_a_sampler_writes_while_the_block_runs(store: Store, make_run: Make) -> None:
    run_dir = make_run()
    with hardware.HardwareSampler(run_dir, every_s=0.01):
        deadline = time.monotonic() + 30
        while queries.hardware(store, run_dir.name).height < 3:
            assert time.monotonic() < deadline
    frame = queries.hardware(store, run_dir.name)
    assert frame["memory_bytes"].min() > 1_000_000  # type: ignore[operator]
    assert frame["elapsed_s"][0] == 0.0
    assert frame["elapsed_s"].is_sorted()


def test_a_block_that_ends_at_once_has_one_line(store: Store, make_run: Make) -> None:
    run_dir = make_run()
    with hardware.HardwareSampler(run_dir, every_s=3600):
        pass
    assert queries.hardware(store, run_dir.name).height == 1


def test_processor_use_is_counted_between_readings() -> None:
    usage = hardware._TreeUsage()
    usage._at -= 10.0
    usage._times = {key: total - 5.0 for key, total in usage._times.items()}
    # 5 s of 10 for each process of the tree: children that other tests left behind count as well.
    expected = 50 * len(usage._times)
    assert usage.read()["cpu_percent"] == pytest.approx(expected, abs=50)
    assert usage.read()["cpu_percent"] is None  # too soon to say


def test_a_disk_that_is_full_does_not_end_a_training(tmp_path: Path) -> None:
    with hardware.HardwareSampler(tmp_path / "missing", every_s=0.01):
        pass


def test_torn_and_odd_lines_are_left_out(store: Store, make_run: Make) -> None:
    run_dir = make_run()
    path = run_dir / "hardware.jsonl"
    append_lines(path, [{"time": "never", "cpu_percent": 1.0}, {"time": "2026-11-22T14:00:00+00:00"}])
    append_lines(path, [{"time": "2026-11-22T14:00:02+00:00", "cpu_percent": 150.0, "memory_bytes": 7}])
    with open(path, "ab") as file:
        file.write(b'{"time": "2026')
    frame = queries.hardware(store, run_dir.name)
    assert frame.select("elapsed_s", "cpu_percent", "memory_bytes").rows() == [(0.0, None, None), (2.0, 150.0, 7)]
