"""A look at the queue from a process of its own, once or for as long as runs wait.

`python -m cnnlab.launch.tick [--wait] [QUEUE]`. The waiting one sees what nobody else would
tell the queue: a slot that a foreign process gave back, a parent that was killed, a
reservation that expired. It is there only while runs wait, and one at a time.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

from cnnlab.errors import QueueError
from cnnlab.launch.database import Database, default_path
from cnnlab.launch.engines.local import start_detached
from cnnlab.processes import created_of, is_alive

LOOK_S = 2.0
# A queue that cannot be used for so many looks is left to the next process that submits or looks.
GIVE_UP_LOOKS = 150


def ensure_waiter(database: Database) -> None:
    """Start the waiting process where there is none."""
    if _waiter_is_alive(database):
        return
    with database.transaction() as change:
        if _waiter_is_alive(database):
            return
        arguments = [sys.executable, "-m", "cnnlab.launch.tick", "--wait", str(database.path)]
        try:
            process = start_detached(arguments, {}, output=subprocess.DEVNULL)
        except OSError:  # too many processes, say: whoever looks next tries again
            return
        change.execute(
            "INSERT OR REPLACE INTO waiter (one, pid, pid_created) VALUES (1, ?, ?)",
            (process.pid, created_of(process.pid)),
        )


def _waiter_is_alive(database: Database) -> bool:
    return any(is_alive(row["pid"], row["pid_created"]) for row in database.rows("SELECT * FROM waiter"))


def _is_another(database: Database) -> bool:
    return any(
        row["pid"] != os.getpid() and is_alive(row["pid"], row["pid_created"])
        for row in database.rows("SELECT * FROM waiter")
    )


def _is_needless(database: Database) -> bool:
    """Return whether nothing waits, and if so sign off in the same transaction: who comes later starts another."""
    with database.transaction() as change:
        if change.execute("SELECT 1 FROM jobs WHERE state = 'queued' LIMIT 1").fetchone():
            return False
        change.execute("DELETE FROM waiter WHERE pid = ?", (os.getpid(),))
        return True


def wait(path: Path) -> None:
    """Move the queue on every two seconds until nothing waits in it."""
    from cnnlab.launch.queue import Queue

    database, queue, failed_looks = Database(path), Queue(path), 0
    while path.exists() and failed_looks < GIVE_UP_LOOKS:
        try:
            if _is_another(database) or _is_needless(database):
                return
            queue.tick()
            failed_looks = 0
        except (QueueError, OSError):
            failed_looks += 1
        time.sleep(LOOK_S)


def main(arguments: list[str]) -> int:
    """Look once, or wait."""
    from cnnlab.launch.queue import Queue

    named = [argument for argument in arguments if not argument.startswith("--")]
    path = Path(named[0]) if named else default_path()
    if "--wait" in arguments:
        wait(path)
    else:
        Queue(path).tick()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
