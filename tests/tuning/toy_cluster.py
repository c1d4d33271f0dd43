"""A cluster of two nodes on this machine: what it places are jobs by a name of their own, in a queue of their node.

A job outlives who asked for it, as on a real one. Its folder is `$TOY_CLUSTER`.
"""

import contextlib
import os
import subprocess
from pathlib import Path

import psutil

from cnnlab.launch.engines.base import Handle

NODES = 2


class ToyCluster:
    """The engine; jobs go to the nodes in turn."""

    def __init__(self):
        self.root = Path(os.environ["TOY_CLUSTER"])
        self.count = 0

    def place(self, task):
        self.count += 1
        node = self.root / f"node{self.count % NODES}"
        node.mkdir(parents=True, exist_ok=True)
        environment = os.environ | {"CNNLAB_QUEUE": str(node / "queue.sqlite"), "CNNLAB_SLOTS": "1"}
        with open(task.log, "ab") as log:
            job = subprocess.Popen(
                [*task.command], env=environment | {"CNNLAB_ADDRESS": "localhost"}, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        with open(self.root / "placed", "a") as placed:
            placed.write(f"{task.name} {job.pid}\n")
        return Handle(0, None, f"job-{job.pid}")

    def status(self, handle):
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(_pid(handle))
            if process.status() != psutil.STATUS_ZOMBIE:
                return "alive"
            process.wait(0)
        return "gone"

    def cancel(self, handle):
        with contextlib.suppress(psutil.Error):
            psutil.Process(_pid(handle)).terminate()

    def kill(self, handle):
        with contextlib.suppress(psutil.Error):
            psutil.Process(_pid(handle)).kill()


def _pid(handle):
    return int(handle.job.removeprefix("job-"))
