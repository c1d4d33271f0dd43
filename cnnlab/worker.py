"""The child process of a run: joins the store and the trainer.

`python -m cnnlab.worker RUN_DIR` trains the config of that folder, from its checkpoint where it has
one. It leaves with 0 when the result is written, with `EXIT_PAUSED` when a pause was asked for, else
with 1 and the reason in `failure.json`. Its parent
(`cnnlab.launch.parent`) writes how it ended, also where it could not say so itself.
"""

import contextlib
import os
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from cnnlab.config import RunConfig, config_from_yaml
from cnnlab.errors import CNNLabError, ConfigError, DatasetError, DownloadError, TrainingError
from cnnlab.files import sweep_temporary
from cnnlab.frameworks import import_keras
from cnnlab.runs.checkpoint import FOLDER as CHECKPOINTS
from cnnlab.runs.checkpoint import checkpoint_path
from cnnlab.runs.continuing import begin
from cnnlab.runs.status import EXIT_PAUSED
from cnnlab.runs.writer import RunWriter


class EpochLog:
    """Hands everything on to the writer and prints a line per epoch, for who reads the log."""

    def __init__(self, writer: RunWriter) -> None:
        self.event = writer.event
        self.progress = writer.progress
        self.steps = writer.steps
        self.probe = writer.probe
        self._writer = writer

    def metrics(self, rows: Sequence[dict[str, Any]]) -> None:
        """Keep the rows of one epoch and print them."""
        self._writer.metrics(rows)
        words = [
            f"{row['split']} {row['output']} {row['metric']} {row['value']:.5g}".replace("  ", " ") for row in rows
        ]
        print(f"epoch {rows[0]['epoch']}, {rows[0]['elapsed_s']:.1f} s: {', '.join(words)}", flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Train the run of the folder named by the only argument; return the exit code."""
    run_dir = Path((arguments or sys.argv[1:])[0])
    writer = RunWriter(run_dir)
    code = _attempt(run_dir, writer)
    if code != EXIT_PAUSED:
        _diagnose(run_dir, writer)
    return code


def _diagnose(run_dir: Path, writer: RunWriter) -> None:
    """Leave what the doctor finds; where it cannot, the run has come to its end all the same."""
    try:
        from cnnlab.doctor.reading import keep

        keep(run_dir)
    except Exception as error:
        traceback.print_exc()
        writer.event("doctor_failed", reason=_message(error))


def _attempt(run_dir: Path, writer: RunWriter) -> int:
    try:
        config = config_from_yaml((run_dir / "config.yaml").read_text(encoding="utf-8"))
        if not checkpoint_path(run_dir).exists():
            writer.start_over()
            if config.training.continue_from is not None:
                begin(run_dir, config)
        sweep_temporary(run_dir / CHECKPOINTS, older_than_s=0.0)  # no other process writes there
        if not _run(config, run_dir, writer):
            writer.event("paused")
            return EXIT_PAUSED
    except Exception as error:
        traceback.print_exc()
        writer.failure(_kind(error), _message(error))
        return 1
    finally:
        writer.finish()
    return 0


def _run(config: RunConfig, run_dir: Path, writer: RunWriter) -> bool:
    """Train and keep everything; return False where a pause was asked for."""
    from cnnlab.architectures.own_files import kept
    from cnnlab.datasets.storage import open_dataset
    from cnnlab.runs.hardware import HardwareSampler

    writer.event("preparing_data", dataset=config.data.dataset)
    dataset = open_dataset(
        _store_root(run_dir), config.data.dataset, version=config.data.version, parameters=config.data.parameters
    )
    writer.event("importing", backend=config.compute.backend)
    # The config says the backend, whatever the shell had set.
    import_keras(config.compute.backend)
    with HardwareSampler(run_dir), _capturing(writer):
        return _train_and_keep(kept(config, run_dir), dataset, run_dir, writer)


@contextlib.contextmanager
def _capturing(writer: RunWriter) -> Iterator[None]:
    """Write down machine and versions beside the first steps, which need not wait for it."""
    from cnnlab.runs.environment import capture

    thread = threading.Thread(target=lambda: writer.environment(capture()), name="environment")
    thread.start()
    try:
        yield
    finally:
        thread.join()


def _train_and_keep(config: RunConfig, dataset, run_dir: Path, writer: RunWriter) -> bool:  # type: ignore[no-untyped-def]
    from cnnlab.runs.inference import write_inference
    from cnnlab.training.control import Control, PausedError
    from cnnlab.training.trainer import Context, train

    context = Context(run_dir / CHECKPOINTS, Control(run_dir / "pause"), run_dir)
    try:
        trained = train(config, dataset, EpochLog(writer), context)
    except PausedError:
        return False
    for split, answers in trained.answers.items():
        ids = dataset.sample_ids(split)
        for output, one in answers.items():
            writer.predictions(split, output, ids, one.labels.tolist(), one.probabilities)
    if trained.latency is not None:
        write_inference(run_dir, [trained.latency])
    writer.layers([row.as_row() for row in trained.costs.rows])
    _save_network(trained.network, run_dir)
    size, channels = config.image_size, dataset.info.image_shape[2]
    writer.result(
        {
            **trained.result(),
            "dataset_version": dataset.info.version,
            "image_shape": [size, size, channels],
        }
    )
    return True


def _save_network(network, run_dir: Path) -> None:  # type: ignore[no-untyped-def]
    # Keras writes in place, and asks for the ending: a killed process must not leave half a model under the real name.
    temporary = run_dir / "writing.model.keras"
    network.save(temporary)
    os.replace(temporary, run_dir / "model.keras")


def _store_root(run_dir: Path) -> Path:
    return run_dir.resolve().parent.parent


def _kind(error: Exception) -> str:
    if isinstance(error, TrainingError):
        return error.kind
    if isinstance(error, DownloadError):
        return "download"
    if isinstance(error, DatasetError | ConfigError):
        return "bad_data"
    return "code_error"


def _message(error: Exception) -> str:
    if isinstance(error, CNNLabError):
        return str(error)
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:500] if lines else ''}"


if __name__ == "__main__":
    sys.exit(main())
