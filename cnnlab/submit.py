"""From a config to queued runs: the door that the form and the command line share."""

import contextlib

from cnnlab.architectures.catalogue import get_architecture
from cnnlab.architectures.own_files import recorded
from cnnlab.config import RunConfig, config_from_dict
from cnnlab.datasets.catalogue import DATASETS
from cnnlab.datasets.storage import find_dataset
from cnnlab.errors import CNNLabError, ConfigError, QueueError
from cnnlab.launch.queue import Queue
from cnnlab.runs.continuing import begin, check_continuation
from cnnlab.runs.sources import with_digest
from cnnlab.runs.store import Store
from cnnlab.runs.teachers import teacher_file
from cnnlab.runs.trash import sweep_trash

BACKEND_PACKAGES = {"tensorflow": "tensorflow", "jax": "jax", "torch": "torch"}


def submit_runs(
    store: Store,
    config: RunConfig,
    *,
    queue: Queue | None = None,
    priority: int = 0,
    study_id: str | None = None,
    trial_id: str | None = None,
) -> list[str]:
    """Create one run per repeat and queue them; return their ids, in the order of their seeds.

    Args:
        study_id: Of which study they are runs, and `trial_id` of which trial.

    Raises:
        DatasetError: the store has no data set of that name or version.
        ConfigError: the network's own file cannot be read, the backend is not installed, the outputs
            are not those of the data, the run to be continued is not there or another one, or the
            teacher has no trained network.
        QueueError: the run asks for more slots than this machine has, or the disk is full.
    """
    queue = queue or Queue()
    config = checked_for(store, queue, config)
    with contextlib.suppress(CNNLabError):  # old trash that stays is no reason not to train
        sweep_trash(store)
    run_ids = []
    for one in config.expanded():
        run_dir = store.create_run(one, study_id=study_id, trial_id=trial_id)
        if one.training.continue_from is not None:
            begin(run_dir, one)
        queue.submit(run_dir, slots=one.compute.slots, priority=priority)
        run_ids.append(run_dir.name)
    return run_ids


def checked_for(store: Store, queue: Queue | None, config: RunConfig) -> RunConfig:
    """Return the config as it would be queued, with what data and files decide; raises as `submit_runs`.

    Args:
        queue: None where another machine trains, whose slots are not known here.
    """
    config = with_digest(store, recorded(_with_real_data(store, config)))
    check_continuation(store.runs_dir, config)
    if config.tricks.distill_from is not None:
        teacher_file(store, config.tricks.distill_from)
    _check_backend(config.compute.backend)
    if queue is not None:
        _check_slots(queue, config.compute.slots)
    return config


def _with_real_data(store: Store, config: RunConfig) -> RunConfig:
    """Pin what the data decide: the version of an imported set, and the image size where it was left out.

    A later import, or a network that proposes another size, then does not change what was asked for.
    """
    data = config.data
    if data.dataset in DATASETS:
        entry = DATASETS[data.dataset]
        outputs, image_px = tuple(entry.outputs), data.parameters.get("size", max(entry.image_shape[:2]))
        version = data.version
    else:
        info = find_dataset(store.root, data.dataset, data.version)
        outputs, image_px, version = tuple(info.outputs), max(info.image_shape[:2]), info.version
    unknown = [output for output in data.outputs or () if output not in outputs]
    if unknown:
        raise ConfigError(
            f"Data set {data.dataset!r} has no output {', '.join(map(repr, unknown))}. "
            f"Expected some of: {', '.join(outputs)}. Leave 'outputs' out to learn all."
        )
    config.heads.check_outputs([output for output in outputs if not data.outputs or output in data.outputs])
    size = data.image_size or get_architecture(config.architecture.name).proposed_px(image_px)
    values = config.to_dict()
    values["data"] |= {"version": version, "image_size": size}
    return config_from_dict(values)  # checked again: an augmentation may not fit the size


def _check_backend(backend: str) -> None:
    from importlib.util import find_spec

    if find_spec(BACKEND_PACKAGES[backend]) is None:
        raise ConfigError(
            f"backend={backend!r} is not installed here. Install it with 'pip install {BACKEND_PACKAGES[backend]}', "
            "or use backend 'tensorflow'."
        )


def _check_slots(queue: Queue, wanted: int) -> None:
    existing = len(queue.slots())
    if wanted > existing:
        raise QueueError(
            f"slots={wanted} is more than this machine has. Expected at most {existing}. "
            "Ask for fewer, or raise CNNLAB_SLOTS for CPU slots."
        )
