"""The process that watches over a study: `python -m cnnlab.tuning.supervisor STUDY_DIR [--trainer JSON]`.

It starts the chief and the workers, starts those again that die or hang, widens and narrows, stops, keeps the
checkpoints of the best trials only, and writes how the study stands. Where it is killed itself, its helpers go
with it and whoever moves the queue on next starts it again (`cnnlab.launch.studies`); runs that train go on
meanwhile. There is one per study: the others find its lock taken and leave.
"""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import FrameType

from cnnlab import processes
from cnnlab.errors import CNNLabError
from cnnlab.launch.engines.known import make_placer
from cnnlab.launch.studies import LOG
from cnnlab.runs import trials
from cnnlab.runs.status import locked, now
from cnnlab.runs.studies import Study, read_study
from cnnlab.runs.study_status import HEARTBEAT_S, Asked, StudyStatus, read_asked, read_status, write_status
from cnnlab.tuning.helpers import Helper
from cnnlab.tuning.keeping import Keeping
from cnnlab.tuning.limits import (
    BEATS,
    CHIEF_FILE,
    LIMITS_FILE,
    Limits,
    beat_path,
    worker_index,
    worker_name,
    write_limits,
)

LOOK_S = 0.25
# A helper that dies so often in a row, with nothing said of any trial in between, will not come round.
GIVE_UP_DEATHS = 6
# Importing takes seconds, on a busy machine many; a proposal of a large Gaussian process too.
HANG_S = 300.0
STOPPED = "It was stopped by somebody."


def main(arguments: list[str] | None = None) -> int:
    """Watch over the study until it has come to rest."""
    given = sys.argv[1:] if arguments is None else arguments
    study_dir = Path(given[0]).resolve()
    trainer = given[given.index("--trainer") + 1] if "--trainer" in given else None
    signal.signal(signal.SIGTERM, _leave)
    with _alone(study_dir) as is_mine:
        if not is_mine or read_status(study_dir).has_ended:
            return 0
        try:
            Supervisor(study_dir, trainer).run()
        except CNNLabError as error:  # a study that cannot be read
            _fail(study_dir, str(error))
    return 0


class Supervisor:
    """Watches over one study."""

    def __init__(self, study_dir: Path, trainer: str | None = None):
        self.study_dir = study_dir
        self.study: Study = read_study(study_dir)
        self._log = study_dir / LOG
        self._trainer = trainer
        self._placer = make_placer(self.study.config.engine)
        self._workers: dict[int, Helper] = {}
        # By worker: its last sign of life, and when it was seen. By its change, as machines' clocks differ.
        self._signs: dict[int, tuple[float, float]] = {}
        self._limits: Limits | None = None
        self._stamp: tuple[int, ...] = ()
        self._reader = trials.Reader(study_dir)
        self._beaten_at = time.monotonic()
        self._keeping = Keeping(study_dir, self.study.config)
        before = read_status(study_dir)
        self.status = replace(
            before,
            state="running",
            reason=None,
            ended_at=None,
            starts=before.starts + 1,
            started_at=before.started_at or now(),
            host=processes.host_name(),
            process_space=processes.process_space(),
            pid=os.getpid(),
            pid_created=processes.created_of(os.getpid()),
        )
        self._chief = self._helper("chief", "cnnlab.tuning.chief", str(self.status.starts))

    def run(self) -> StudyStatus:
        """Return how it came to rest."""
        trials.reopen(self.study_dir)
        (self.study_dir / BEATS).mkdir(exist_ok=True)
        (self.study_dir / CHIEF_FILE).unlink(missing_ok=True)  # of a chief that is gone
        self._write()
        try:
            while True:
                ending = self._look()
                if ending is not None and self._ends(*ending):
                    return self.status
                time.sleep(LOOK_S)
        finally:
            for helper in (*self._workers.values(), self._chief):
                helper.end()

    def _look(self) -> tuple[str, str] | None:
        """Look once; return state and reason where there is no more to do."""
        self._beat()
        self._keep_to(self._wanted_limits(read_asked(self.study_dir)))
        stamp = trials.stamp(self.study_dir)
        if stamp != self._stamp:
            self._stamp = stamp
            for helper in (self._chief, *self._workers.values()):
                helper.deaths = 0
            self._keeping.look(self._reader.read())
        self._chief.look()
        for index, worker in self._workers.items():
            self._see_whether_hanging(index, worker)
            worker.look()
        fallen = next((one for one in (self._chief, *self._workers.values()) if one.deaths >= GIVE_UP_DEATHS), None)
        if fallen is not None:
            return "failed", f"Its {fallen.name} ended {fallen.deaths} times in a row. Last words: {self._last_words()}"
        if all(worker.has_left for worker in self._workers.values()):
            return self._verdict()
        return None

    def _wanted_limits(self, asked: Asked) -> Limits:
        config = self.study.config
        hours, closed = config.budget.hours, None
        if asked.stop:
            closed = STOPPED
        elif hours is not None and self.status.active_s >= 3600 * hours:
            closed = f"The {hours:g} h of its budget are over."
        width, count = asked.width or config.workers, asked.trials or config.trials
        return Limits(width, count, closed, asked.stop, self.status.starts)

    def _keep_to(self, limits: Limits) -> None:
        if limits == self._limits:
            return
        write_limits(self.study_dir, limits)
        self._limits = limits
        self.status = replace(self.status, width=limits.width, trials=limits.trials)
        busy = {row["worker"] for row in self._reader.read().values() if row["status"] not in trials.ENDED}
        wanted = {*range(limits.width), *(worker_index(name) for name in busy if name)}
        for index in sorted(wanted - set(self._workers)):
            self._workers[index] = self._worker(index)
        for index in range(limits.width):
            self._workers[index].call_again()  # one that found nothing to do may find something now
        self._write()

    def _worker(self, index: int) -> Helper:
        extra = ["--trainer", self._trainer] if self._trainer else []
        name = worker_name(index)
        return self._helper(name, "cnnlab.tuning.worker", name, str(self.status.starts), *extra)

    def _helper(self, name: str, module: str, *words: str) -> Helper:
        return Helper(name, ["-m", module, str(self.study_dir), *words], self.study_dir, self._log, self._placer)

    def _see_whether_hanging(self, index: int, worker: Helper) -> None:
        now_s, before = time.monotonic(), self._signs.get(index)
        try:
            sign = beat_path(self.study_dir, worker_name(index)).stat().st_mtime
        except OSError:
            sign = 0.0
        if before is None or sign != before[0] or not worker.is_running:  # in the line of a cluster nobody hangs
            self._signs[index] = (sign, now_s)
        elif now_s - before[1] > HANG_S:
            worker.kill()  # its next one takes up the same trial
            self._signs.pop(index)

    def _verdict(self) -> tuple[str, str]:
        limits = self._limits or Limits()
        if limits.is_paused:
            return "stopped", STOPPED
        count = len(self._reader.read())
        if limits.closed:
            return "completed", limits.closed
        if count >= limits.trials:
            return "completed", "The one trial was made." if count == 1 else f"All {count} trials were made."
        return "completed", f"The algorithm ended after {count} trials: there is nothing more that it would try."

    def _ends(self, state: str, reason: str) -> bool:
        """Write the last word, unless somebody asked for more in this very moment."""
        with locked(self.study_dir):
            if state != "failed" and self._wanted_limits(read_asked(self.study_dir)) != self._limits:
                return False
            self._chief.end()
            self._keeping.look(self._reader.read(), is_over=state == "completed")
            trials.compact(self.study_dir)
            for name in (LIMITS_FILE, CHIEF_FILE):
                (self.study_dir / name).unlink(missing_ok=True)
            self.status = replace(self.status, state=state, reason=reason, ended_at=now())
            self._write()
        return True

    def _beat(self) -> None:
        passed_s = time.monotonic() - self._beaten_at
        if passed_s < HEARTBEAT_S:
            return
        self._beaten_at += passed_s
        with contextlib.suppress(OSError):
            (self.study_dir / "heartbeat").touch()
            self.status = replace(self.status, active_s=self.status.active_s + passed_s)
            self._write()

    def _write(self) -> None:
        self.status = replace(self.status, disk_bytes=self._keeping.disk_bytes)
        write_status(self.study_dir, self.status)

    def _last_words(self) -> str:
        with contextlib.suppress(OSError):
            lines = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            return lines[-1][:500] if lines else "none."
        return "none."


def _fail(study_dir: Path, reason: str) -> None:
    write_status(study_dir, replace(read_status(study_dir), state="failed", reason=reason, ended_at=now()))


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(143)


@contextlib.contextmanager
def _alone(study_dir: Path) -> Iterator[bool]:
    """Say whether this process is the only supervisor of the study; it stays so as long as it lives."""
    if os.name == "nt":
        yield True
        return
    import fcntl

    with open(study_dir / "supervisor.lock", "ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        except OSError:  # some network drives have no locks
            pass
        yield True


if __name__ == "__main__":
    sys.exit(main())
