"""The chief of a study: keras-tuner's gRPC service around its oracle.

`python -m cnnlab.tuning.chief STUDY_DIR START`. keras-tuner starts it on a port from the environment and leaves
it as it is when the oracle fails within a call. So the server is started here, around its servicer. The port has no
authentication: it is open to this machine only, unless the engine that placed it says otherwise.
"""

import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from concurrent import futures
from functools import wraps
from pathlib import Path
from typing import Any

import grpc

from cnnlab.errors import QueueError
from cnnlab.files import write_json
from cnnlab.launch.engines.base import ADDRESS_VARIABLE
from cnnlab.processes import created_of
from cnnlab.runs import trials
from cnnlab.runs.lines import now
from cnnlab.runs.studies import read_study
from cnnlab.tuning.limits import CHIEF_FILE, ORACLE, is_outdated, read_limits, worker_index
from cnnlab.tuning.oracles.base import StudyOracle
from cnnlab.tuning.oracles.light import Trial, TrialStatus
from cnnlab.tuning.oracles.making import make_oracle
from cnnlab.tuning.space import decode

# isort: split
from keras_tuner.src import protos
from keras_tuner.src.distribute.oracle_chief import OracleServicer

LOOPBACK = "127.0.0.1"
LOOK_S = 0.2


def main(arguments: list[str] | None = None) -> int:
    """Answer workers until told to leave; 1 where the oracle failed, to be started again from its saved state."""
    given = sys.argv[1:] if arguments is None else arguments
    over = threading.Event()
    signal.signal(signal.SIGTERM, lambda _number, _frame: over.set())
    study_dir, start, address = Path(given[0]), int(given[1]), os.environ.get(ADDRESS_VARIABLE, LOOPBACK)
    config = read_study(study_dir).config
    servicer = Servicer(study_dir, start, make_oracle(config, study_dir / ORACLE), over)
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=1))
    protos.get_service_grpc().add_OracleServicer_to_server(servicer, server)
    port = server.add_insecure_port(f"{address}:0")
    server.start()
    identity = {"pid": os.getpid(), "pid_created": created_of(os.getpid())}
    write_json(study_dir / CHIEF_FILE, {"address": address, "port": port, **identity})
    while not over.wait(LOOK_S):
        if is_outdated(study_dir, start):
            break
    server.stop(grace=2.0).wait()
    return 1 if servicer.has_failed else 0


def _careful(method: Callable[..., Any]) -> Callable[..., Any]:
    """Let a chief whose oracle fails leave: within keras-tuner a lock may be held for ever now."""

    @wraps(method)
    def answer(self: "Servicer", *arguments: Any) -> Any:
        try:
            if is_outdated(self.study_dir, self.start):
                raise QueueError("Another supervisor has started another chief. Ask that one.")
            return method(self, *arguments)
        except Exception:
            traceback.print_exc()
            self.has_failed = True
            self.over.set()
            raise

    return answer


class Servicer(OracleServicer):  # type: ignore[misc]
    """Answers workers; each call may come twice, before and after a restart."""

    def __init__(self, study_dir: Path, start: int, oracle: StudyOracle, over: threading.Event):
        super().__init__(oracle)
        self.study_dir = study_dir
        self.start = start
        self.over = over
        self.has_failed = False
        self._workers = {key: row.get("worker") for key, row in trials.trials(study_dir).items()}
        for worker, trial in oracle.ongoing_trials.items():
            self._enter(trial, worker)

    @_careful
    def CreateTrial(self, request: Any, context: Any) -> Any:  # noqa: N802 the name is keras-tuner's
        """Return the trial that a worker has already, or a new one where one may begin."""
        limits, worker = read_limits(self.study_dir), request.tuner_id
        has_one = worker in self.oracle.ongoing_trials
        may_begin = limits.closed is None and worker_index(worker) < limits.width
        if limits.is_paused or not (has_one or may_begin):
            trial = Trial(self.oracle.get_space(), status=TrialStatus.STOPPED)
            return protos.get_service().CreateTrialResponse(trial=trial.to_proto())
        self.oracle.allow(limits.trials)
        trial = self.oracle.create_trial(worker)
        if trial.status == TrialStatus.RUNNING:
            self._enter(trial, worker)
        return protos.get_service().CreateTrialResponse(trial=trial.to_proto())

    @_careful
    def UpdateTrial(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Take the numbers of an epoch."""
        return super().UpdateTrial(request, context)

    @_careful
    def EndTrial(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Take the end of a trial."""
        return super().EndTrial(request, context)

    def _enter(self, trial: Trial, worker: str) -> None:
        trial_id = trial.trial_id
        if trial_id not in self._workers:
            trials.say(
                self.study_dir,
                trial_id,
                number=len(self._workers) + 1,
                status="waiting",
                worker=worker,
                attempts=0,
                values=decode(self.oracle.study, trial.hyperparameters.values),
                started_at=now(),
            )
        elif self._workers[trial_id] != worker:
            trials.say(self.study_dir, trial_id, worker=worker)
        self._workers[trial_id] = worker


if __name__ == "__main__":
    sys.exit(main())
