"""What the inspector's process does about its memory and its own faults."""

import subprocess
import sys
from pathlib import Path

import pytest

from cnnlab.inspector import questions, server


def test_full_memory_is_a_sentence(monkeypatch, capsys):
    def hungry(_store_root):
        raise MemoryError

    monkeypatch.setitem(questions.KINDS, "hungry", hungry)
    assert server._reply(Path(), "hungry", {}) == {
        "error": {
            "class": "InspectorError",
            "message": "There is not enough memory for 'hungry'. Ask for smaller or fewer images.",
        }
    }
    assert "MemoryError" in capsys.readouterr().err


@pytest.mark.processes
def test_a_process_above_its_limit_leaves():
    code = "from cnnlab.inspector import server; server.DIE_ABOVE_BYTES = 1; server._watch_memory()"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == server.EXIT_MEMORY
    assert ended.stderr.startswith("Memory above ")


@pytest.mark.processes
@pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")
def test_one_huge_allocation_fails_at_once():
    code = (
        "from cnnlab.inspector import server; import numpy as np\n"
        "server._limit_memory()\n"
        "np.ones(server.DIE_ABOVE_BYTES, np.uint8)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert "MemoryError" in ended.stderr
