"""A trainer that waits for its run: `python -m cnnlab.warm_worker BACKEND`.

It imports Keras and all that the first step needs, then reads one line from standard input, which its
parent (`cnnlab.launch.waiting`) writes: `run_dir`, `log` and `environment` as JSON. From then on it is
the worker of that run. It leaves when the input ends without a line.
"""

import importlib
import json
import os
import sys

from cnnlab import worker
from cnnlab.frameworks import import_keras

# What a run imports on its way to the first step, beside Keras and the engine of its backend.
NEEDED = (
    "pyarrow.parquet",
    "cnnlab.architectures.own_files",
    "cnnlab.datasets.storage",
    "cnnlab.runs.environment",
    "cnnlab.runs.hardware",
    "cnnlab.training.trainer",
)


def main(arguments: list[str] | None = None) -> int:
    """Wait for a run and train it; return its exit code, 0 where none came."""
    (backend,) = sys.argv[1:] if arguments is None else arguments
    prepare(backend)
    line = sys.stdin.buffer.readline()
    if not line.endswith(b"\n"):
        return 0
    order = json.loads(line)
    os.environ.update(order["environment"])
    _turn_to(order["log"])
    os.chdir(order["run_dir"])
    return worker.main([order["run_dir"]])


def prepare(backend: str) -> None:
    """Import everything; devices are left alone, for they may be another run's now."""
    import_keras(backend)
    for name in NEEDED:
        importlib.import_module(name)
    from cnnlab.training.engines.base import MODULES

    importlib.import_module(f"cnnlab.training.engines.{MODULES[backend]}")
    if os.environ.get("CUDA_VISIBLE_DEVICES") == "-1":  # on the CPU there is nothing to take from anybody
        import keras

        keras.ops.convert_to_numpy(keras.ops.ones((2, 2)) @ keras.ops.ones((2, 2)))


def _turn_to(log: str) -> None:
    """Print into the run's log from now on, as a trainer that was started for it does."""
    sys.stdout.flush()
    sys.stderr.flush()
    written = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (written, 1), (written, 2)):
        os.dup2(source, target)
    os.close(written)
    os.close(nothing)


if __name__ == "__main__":
    sys.exit(main())
