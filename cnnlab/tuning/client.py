"""keras-tuner's client of the chief, patient with a chief that is killed and comes back on another port."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc

from cnnlab.errors import QueueError
from cnnlab.files import read_json
from cnnlab.tuning.limits import CHIEF_FILE
from cnnlab.tuning.oracles.light import Trial, TrialStatus, keras_tuner

# isort: split
from keras_tuner.src import protos
from keras_tuner.src.distribute.oracle_client import OracleClient

AGAIN_S = 0.1
IDLE_S = 0.5
# A Gaussian process over hundreds of trials thinks for seconds.
ANSWER_S = 120.0
# On a cluster a worker may outlive its study's last supervisor.
GIVE_UP_S = 900.0


class Client(OracleClient):  # type: ignore[misc]
    """Asks the chief, and whoever comes after it; a worker whose study is over is ended by the supervisor."""

    def __init__(self, oracle: keras_tuner.Oracle, study_dir: Path, worker: str, beat: Callable[[], None]):
        self._oracle = oracle
        self.stub = _Patient(study_dir, beat)
        self.tuner_id = worker
        self.multi_worker = False
        self.should_report = True
        self._beat = beat

    def create_trial(self, tuner_id: str) -> Trial:
        """Return a trial, after waiting where the oracle waits for others' results."""
        while True:
            trial = super().create_trial(tuner_id)
            if trial.status != TrialStatus.IDLE:
                return trial
            self._beat()
            time.sleep(IDLE_S)  # keras-tuner asks again at once: 1,455 times a second were measured


class _Patient:
    """A stub whose calls are repeated until the chief that is there now has answered."""

    def __init__(self, study_dir: Path, beat: Callable[[], None]):
        self._study_dir = study_dir
        self._beat = beat
        self._place: str | None = None
        self._channel: Any = None

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(request: Any, **_: Any) -> Any:
            deadline = time.monotonic() + GIVE_UP_S
            while time.monotonic() < deadline:
                self._beat()
                try:
                    stub = self._connected()
                    if stub is not None:
                        return getattr(stub, name)(request, timeout=ANSWER_S)
                except grpc.RpcError:
                    self._close()  # it died, or its oracle failed: either way there will be another one
                time.sleep(AGAIN_S)
            raise QueueError(f"No chief answered for {GIVE_UP_S:g} s. Expected one. Resume the study.")

        return call

    def _connected(self) -> Any:
        said = read_json(self._study_dir / CHIEF_FILE)
        place = f"{said['address']}:{said['port']}" if isinstance(said, dict) and "address" in said else None
        if place is None:
            return None
        if place != self._place or self._channel is None:
            self._close()
            self._place, self._channel = place, grpc.insecure_channel(place)
        return protos.get_service_grpc().OracleStub(self._channel)

    def _close(self) -> None:
        if self._channel is not None:
            self._channel.close()
        self._channel = None
