"""Keras comes into a process without what no training uses, and the log without what says nothing."""

import os
import subprocess
import sys

import pytest

from cnnlab.frameworks import is_greeting

GREETINGS = (
    b"WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n",
    b"I0000 00:00:1795370524.689872   26834 port.cc:153] oneDNN custom operations are on. You may see slightly\n",
    b"I0000 00:00:1795370524.690237   26834 cudart_stub.cc:31] Could not find cuda drivers on your machine, GPU\n",
    b"I0000 00:00:1795370672.157801   27767 cpu_feature_guard.cc:227] This TensorFlow binary is optimized to use\n",
    b"To enable the following instructions: AVX2 AVX512F, in other operations, rebuild TensorFlow with\n",
)
ERRORS = (
    b"E0000 00:00:1795370686.977792   27767 cuda_dnn.cc:52] failed to create cuDNN handle\n",
    b"ImportError: libcudart.so.12: cannot open shared object file\n",
    b"F0000 00:00:1795370686.977792   27767 port.cc:153] out of memory\n",
    b"Traceback (most recent call last):\n",
)
NO_GPU = b"E0000 00:00:1795370686.977792   27767 cuda_platform.cc:52] failed call to cuInit: INTERNAL: CUDA error\n"


def run(code: str, tmp_path, **variables: str) -> tuple[str, str]:
    """Run code in a fresh Python whose standard error is a file, as a trainer's is; return what it printed and it."""
    log = tmp_path / "log.txt"
    log.write_text("before\n")
    environment = {key: value for key, value in os.environ.items() if key != "TF_CPP_MIN_LOG_LEVEL"} | variables
    with open(log, "ab") as file:
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, stderr=file, text=True, check=False
        )
    assert done.returncode == 0, log.read_text()
    return done.stdout, log.read_text()


def test_keras_is_imported_alone_and_the_rest_when_it_is_wanted(tmp_path):
    code = """
import sys
from cnnlab import frameworks
frameworks.import_keras("tensorflow")
import keras
print(keras.backend.backend(), *[name for name in ("jax", "pandas", "scipy", "sklearn") if name in sys.modules])
import gc, pandas, sklearn.base
print(gc.isenabled(), pandas.DataFrame({"a": [1]}).shape)
frameworks.import_keras("jax")  # it is there already
print(keras.backend.backend())
"""
    said, log = run(code, tmp_path, CUDA_VISIBLE_DEVICES="-1")
    assert said.splitlines() == ["tensorflow", "True (1, 1)", "tensorflow"]
    assert log == "before\n"


@pytest.mark.parametrize("line", GREETINGS)
def test_greetings_are_known(line):
    assert is_greeting(line)


@pytest.mark.parametrize("line", ERRORS)
def test_errors_are_none(line):
    assert not is_greeting(line)


def test_no_gpu_is_an_error_where_one_is_wanted(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    assert not is_greeting(NO_GPU)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert is_greeting(NO_GPU)


def test_what_else_is_said_meanwhile_stays(tmp_path):
    lines = b"".join([GREETINGS[0], ERRORS[0], GREETINGS[1], ERRORS[3]])
    code = f"""
import os
from cnnlab.frameworks import without_greetings
os.write(2, b"first\\n")
with without_greetings():
    os.write(2, {lines!r})
os.write(2, b"last\\n")
"""
    _, log = run(code, tmp_path)
    assert log == "before\nfirst\n" + (ERRORS[0] + ERRORS[3]).decode() + "last\n"


def test_a_crash_meanwhile_loses_no_word(tmp_path):
    code = f"""
import os
from cnnlab.frameworks import without_greetings
with without_greetings():
    os.write(2, {GREETINGS[0] + ERRORS[2]!r})
    os._exit(0)
"""
    _, log = run(code, tmp_path)
    assert log == "before\n" + (GREETINGS[0] + ERRORS[2]).decode()
