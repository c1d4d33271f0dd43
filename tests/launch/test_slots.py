"""What a machine can run at once, with a made-up NVML: nothing here needs a GPU."""

from types import SimpleNamespace

import pytest

from cnnlab.errors import QueueError
from cnnlab.launch import slots
from cnnlab.launch.slots import Slot, foreign_use, machine_slots, slot_environment

GIB = 2**30


class FakeNVML:
    """Two whole GPUs, or one divided; `users` maps an index to (pid, bytes) of those on it."""

    NVML_DEVICE_MIG_ENABLE = 1
    nvmlMemory_v2 = 2  # noqa: N815 (the library's name)

    class NVMLError(Exception):
        pass

    def __init__(self, count=2, parts=0):
        self.count, self.parts = count, parts
        self.users: dict[object, list[tuple[int, int | None]]] = {}
        self.used: dict[object, int] = {}

    def nvmlDeviceGetCount(self):  # noqa: N802
        return self.count

    def nvmlDeviceGetHandleByIndex(self, index):  # noqa: N802
        return index

    def nvmlDeviceGetHandleByUUID(self, uuid):  # noqa: N802
        return uuid

    def nvmlDeviceGetUUID(self, handle):  # noqa: N802
        return f"GPU-{handle}aaa" if isinstance(handle, int) else f"MIG-{handle}"

    def nvmlDeviceGetName(self, handle):  # noqa: N802
        return "Fake A100" if isinstance(handle, int) else "Fake A100 1g.10gb"

    def nvmlDeviceGetMigMode(self, _handle):  # noqa: N802
        if not self.parts:
            raise self.NVMLError("not supported")
        return 1, 1

    def nvmlDeviceGetMaxMigDeviceCount(self, _handle):  # noqa: N802
        return 7

    def nvmlDeviceGetMigDeviceHandleByIndex(self, handle, number):  # noqa: N802
        if number >= self.parts:
            raise self.NVMLError("not found")
        return f"{handle}-{number}"

    def nvmlDeviceGetComputeRunningProcesses(self, handle):  # noqa: N802
        return [SimpleNamespace(pid=pid, usedGpuMemory=size) for pid, size in self.users.get(handle, [])]

    def nvmlDeviceGetMemoryInfo(self, handle, version):  # noqa: N802
        assert version == 2
        return SimpleNamespace(used=self.used.get(handle, 0))


@pytest.fixture
def nvml(monkeypatch) -> FakeNVML:
    fake = FakeNVML()
    monkeypatch.setattr(slots, "_nvml", lambda: fake)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return fake


@pytest.fixture
def cpu_only(monkeypatch) -> None:
    monkeypatch.setattr(slots, "_nvml", lambda: None)
    monkeypatch.delenv("CNNLAB_SLOTS", raising=False)


@pytest.mark.parametrize(("cores", "count"), [(1, 1), (2, 1), (3, 1), (4, 2), (16, 8)])
@pytest.mark.usefixtures("cpu_only")
def test_half_as_many_cpu_slots_as_cores(monkeypatch, cores, count):
    monkeypatch.setattr(slots, "cores", lambda: cores)
    assert [slot.id for slot in machine_slots()] == [f"cpu{number}" for number in range(count)]


@pytest.mark.usefixtures("cpu_only")
def test_number_of_cpu_slots_can_be_set(monkeypatch):
    monkeypatch.setattr(slots, "cores", lambda: 8)
    monkeypatch.setenv("CNNLAB_SLOTS", "2")
    assert [slot.title for slot in machine_slots()] == ["CPU slot 1 (4 threads)", "CPU slot 2 (4 threads)"]


@pytest.mark.parametrize("text", ["0", "many", "-1", "1.5", "99999"])
@pytest.mark.usefixtures("cpu_only")
def test_number_that_is_none_is_refused(monkeypatch, text):
    monkeypatch.setenv("CNNLAB_SLOTS", text)
    with pytest.raises(QueueError) as error:
        machine_slots()
    assert str(error.value) == (f"CNNLAB_SLOTS={text!r} is no number of slots. Expected 1 to 1024. Change or unset it.")


@pytest.mark.usefixtures("nvml")
def test_one_slot_per_gpu():
    assert machine_slots() == (
        Slot("gpu0", "gpu", "GPU 0 (Fake A100)", "0"),
        Slot("gpu1", "gpu", "GPU 1 (Fake A100)", "1"),
    )


@pytest.mark.parametrize(
    ("visible", "ids"), [("1", ["gpu1"]), ("GPU-0a", ["gpu0"]), ("1,0", ["gpu0", "gpu1"]), ("0, 1", ["gpu0", "gpu1"])]
)
@pytest.mark.usefixtures("nvml")
def test_hidden_gpus_are_left_out(monkeypatch, visible, ids):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert [slot.id for slot in machine_slots()] == ids


@pytest.mark.parametrize("visible", ["", "-1", "NoDevFiles"])
@pytest.mark.usefixtures("nvml")
def test_all_gpus_hidden_leaves_the_cpu(monkeypatch, visible):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert {slot.kind for slot in machine_slots()} == {"cpu"}


def test_parts_of_a_divided_gpu_are_slots(nvml, monkeypatch):
    nvml.count, nvml.parts = 1, 2
    assert [(slot.id, slot.visible) for slot in machine_slots()] == [("gpu0.0", "MIG-0-0"), ("gpu0.1", "MIG-0-1")]
    nvml.users["MIG-0-1"] = [(4, GIB)]
    assert list(foreign_use(machine_slots())) == ["gpu0.1"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "MIG-0-1")
    assert [slot.id for slot in machine_slots()] == ["gpu0.1"]


def test_gpus_of_others_are_seen_and_left_alone(nvml):
    nvml.users = {0: [(2**22 + 5, 3 * GIB)], 1: [(7, 2**20), (8, None)]}
    assert foreign_use(machine_slots()) == {"gpu0": "a process (pid 4194309, 3.0 GiB)"}
    nvml.users, nvml.used = {}, {1: 2 * GIB}
    assert foreign_use(machine_slots()) == {"gpu1": "processes that this one cannot see (2.0 GiB)"}


@pytest.mark.usefixtures("nvml")
def test_run_sees_its_own_gpus_only():
    one, two = machine_slots()
    assert slot_environment([two], [one, two]) == {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": "1"}
    assert slot_environment([one, two], [one, two])["CUDA_VISIBLE_DEVICES"] == "0,1"


def test_foreign_gpu_is_not_given_and_given_once_free(lab, nvml, monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    nvml.users = {0: [(1, GIB)], 1: [(1, GIB)]}
    launched = []
    queue = lab.queue("pass")
    monkeypatch.setattr(
        queue._engine, "submit", lambda launch: launched.append(launch) or SimpleNamespace(pid=1, created=None)
    )
    monkeypatch.setattr("cnnlab.launch.tick.ensure_waiter", lambda _database: None)
    queue.submit(lab.run())
    assert launched == []
    assert all(slot.foreign for slot in queue.slots())
    nvml.users.pop(1)
    queue.tick()
    assert [launch.slots for launch in launched] == [("gpu1",)]
    assert launched[0].environment["CUDA_VISIBLE_DEVICES"] == "1"
    assert [(slot.id, slot.busy_with) for slot in queue.slots()] == [("gpu0", None), ("gpu1", "one")]


def test_cores_are_at_least_one():
    assert slots.cores() >= 1


def test_machine_without_a_driver_has_no_nvml():
    slots._nvml.cache_clear()
    assert slots._nvml() is None or slots._nvml().nvmlDeviceGetCount() >= 0
