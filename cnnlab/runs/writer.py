"""What the trainer writes into its run folder: one writer, any number of readers."""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnlab.errors import StoreError
from cnnlab.files import write_json
from cnnlab.runs import probes, steps, tables
from cnnlab.runs.lines import append_lines, now, pack
from cnnlab.runs.schema import LAYERS, METRICS, PREDICTIONS, PROBES, check_row
from cnnlab.runs.status import FAILURES

if TYPE_CHECKING:
    import pyarrow as pa

PROGRESS_EVERY_S = 0.5
WRITTEN_ANEW = (
    tables.TAIL,
    steps.KEPT.tail,
    steps.KEPT.file,
    probes.KEPT.tail,
    probes.KEPT.file,
    "doctor.json",
    str(tables.METRICS_FILE),
    "predictions.parquet",
    "layers.parquet",
    "result.json",
    "progress.json",
    "hardware.jsonl",
    "model.keras",
    "transfer.json",
)
_INTEGERS = ("epoch", "step")
_NUMBERS = ("value", "elapsed_s")


class RunWriter:
    """Writes one run. Rows are on disk when a call returns, so a kill loses nothing that was measured."""

    def __init__(self, run_dir: Path, clock: Callable[[], float] = time.monotonic):
        self.run_dir = Path(run_dir)
        self.run_id = self.run_dir.name
        self._clock = clock
        self._progress_at = -float("inf")
        self._pending: dict[str, Any] | None = None
        self._has_measured = False
        self._step_lines: list[dict[str, Any]] = []
        self._steps_at = -float("inf")
        self._has_stepped = False
        self._has_probed = False
        self._predictions: dict[tuple[str, str], pa.Table] = {}

    def start_over(self) -> None:
        """Clear what an earlier attempt measured, so that nothing is in the run twice; its journal and log stay."""
        with self._writing("metrics"):
            for name in WRITTEN_ANEW:
                (self.run_dir / name).unlink(missing_ok=True)

    def event(self, name: str, **fields: Any) -> None:
        """Add to the journal of the run."""
        with self._writing("events.jsonl"):
            append_lines(self.run_dir / "events.jsonl", [pack({"time": now(), "event": name, **fields})])

    def metrics(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Append measured numbers; None is missing, NaN is kept.

        The first call of a writer forgets what an earlier attempt measured from that epoch on,
        so that a run that was retried or resumed has no row twice.

        Args:
            rows: Columns of `schema.METRICS`; `run_id` is filled in, `output` is empty and `elapsed_s` null by default.
        """
        checked = [self._metric(row) for row in rows]
        if not checked:
            return
        self._write_steps()  # an epoch that is there has its steps
        with self._writing("metrics.jsonl"):
            if not self._has_measured:
                tables.rewind(self.run_dir, min(row["epoch"] for row in checked) - 1)
                self._has_measured = True
            append_lines(self.run_dir / tables.TAIL, [tables.to_line(row) for row in checked])

    def steps(self, epoch: int, first_step: int, measured: Mapping[str, Any], rates: Any, elapsed_s: float) -> None:
        """Keep what some neighbouring steps of one epoch measured; on disk at most half a second later.

        As with `metrics`, the first call forgets what an earlier attempt measured from that step on.

        Args:
            epoch: 1-based.
            first_step: 1-based, over all epochs.
        """
        if not self._has_stepped:
            with self._writing(steps.KEPT.tail):
                steps.rewind_steps(self.run_dir, first_step)
            self._has_stepped = True
        self._step_lines.append(steps.step_line(epoch, first_step, measured, rates, elapsed_s))
        if self._clock() - self._steps_at >= PROGRESS_EVERY_S:
            self._write_steps()

    def probe(self, epoch: int, step: int, rows: Sequence[Mapping[str, Any]]) -> None:
        """Append what a look at the layers found after an epoch (1-based).

        As with `metrics`, the first call forgets the looks of an earlier attempt from that epoch on.

        Args:
            rows: Columns of `schema.PROBES`; run, epoch and step are filled in.
        """
        place = {"run_id": self.run_id, "epoch": epoch, "step": step}
        for row in rows:
            check_row(PROBES, {**place, **row}, f"the probes of run {self.run_id!r}")
        with self._writing(probes.KEPT.tail):
            if not self._has_probed:
                probes.rewind_probes(self.run_dir, epoch)
                self._has_probed = True
            probes.append_probe(self.run_dir, epoch, step, rows)

    def doctor(self, document: Mapping[str, Any]) -> None:
        """Write what the doctor found at the end of the run; see `cnnlab.doctor.keep`."""
        self._json("doctor.json", pack(document))

    def _write_steps(self) -> None:
        if self._step_lines:
            with self._writing(steps.KEPT.tail):
                steps.append_steps(self.run_dir, self._step_lines)
            self._step_lines = []
            self._steps_at = self._clock()

    def _metric(self, row: Mapping[str, Any]) -> dict[str, Any]:
        full: dict[str, Any] = {"run_id": self.run_id, "output": "", "elapsed_s": None, "value": None, **row}
        check_row(METRICS, full, f"the metrics of run {self.run_id!r}")
        for name in _INTEGERS:
            full[name] = int(full[name])
        for name in _NUMBERS:
            full[name] = None if full[name] is None else float(full[name])
        return {name: full[name] for name in METRICS.names}

    def progress(self, values: Mapping[str, Any]) -> None:
        """Say how far the run is; called as often as one likes, written at most twice a second."""
        self._pending = pack(values)
        if self._clock() - self._progress_at >= PROGRESS_EVERY_S:
            self._write_progress()

    def _write_progress(self) -> None:
        if self._pending is not None:
            with self._writing("progress.json"):
                write_json(self.run_dir / "progress.json", self._pending, durable=False)
            self._pending = None
            self._progress_at = self._clock()

    def predictions(
        self, split: str, output: str, sample_ids: Sequence[str], labels: Sequence[int], probabilities: Any
    ) -> None:
        """Write what the network says of the images of a split; the same split and output again replaces.

        Args:
            probabilities: `(images, classes)`, after the softmax.
        """
        shares = np.asarray(probabilities, dtype=np.float32)
        if shares.ndim != 2 or not shares.shape[1] or not len(shares) == len(sample_ids) == len(labels):
            raise StoreError(
                f"Predictions of {split!r} do not fit together: {len(sample_ids)} sample ids, {len(labels)} labels and "
                f"probabilities of shape {shares.shape}. Expected one row of probabilities per image."
            )
        self._predictions[split, output] = tables.predictions_table(
            self.run_id, split, output, sample_ids, labels, shares
        )
        parts = list(self._predictions.values())
        with self._writing("predictions.parquet"):
            tables.write_table(self.run_dir / "predictions.parquet", PREDICTIONS, parts)

    def layers(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write the layers of the network and what they cost; `position` is their order unless given."""
        nullable = {column.name: None for column in LAYERS.columns if column.is_nullable}
        full = [{"run_id": self.run_id, "position": position, **nullable, **row} for position, row in enumerate(rows)]
        for row in full:
            check_row(LAYERS, row, f"the layers of run {self.run_id!r}")
        with self._writing("layers.parquet"):
            tables.write_rows(self.run_dir / "layers.parquet", LAYERS, full)

    def result(self, values: Mapping[str, Any]) -> None:
        """Write what came out; fields in `experiments/README.md`."""
        self._json("result.json", pack(values))

    def environment(self, values: Mapping[str, Any]) -> None:
        """Write the machine and library versions, from `environment.capture`."""
        self._json("environment.json", pack(values))

    def failure(self, kind: str, message: str) -> None:
        """Say why the run fails, for the parent that turns it into the status.

        Raises:
            ValueError: `kind` is not one of `status.FAILURES`.
        """
        if kind not in FAILURES:
            raise ValueError(f"Unknown failure {kind!r}. Expected one of: {', '.join(FAILURES)}.")
        self._json("failure.json", {"kind": kind, "message": message})

    def finish(self) -> None:
        """Turn the tails of metrics, steps and probes into parquet; the last call of a trainer that came to its end."""
        self._write_progress()
        self._write_steps()
        with self._writing(steps.KEPT.file):
            steps.compact_steps(self.run_dir)
        with self._writing(probes.KEPT.file):
            probes.compact_probes(self.run_dir)
        with self._writing("metrics/metrics.parquet"):
            tables.compact_metrics(self.run_dir, keep_tail=False)

    def _json(self, name: str, value: dict[str, Any]) -> None:
        with self._writing(name):
            write_json(self.run_dir / name, value)

    @contextlib.contextmanager
    def _writing(self, name: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreError(
                f"{name} of run {self.run_id!r} cannot be written: {error.strerror or error}. "
                "Expected a folder of yours with free space. Make room and train again."
            ) from error
