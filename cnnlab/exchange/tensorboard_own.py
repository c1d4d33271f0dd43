"""What our own export leaves of a run in TensorBoard's event files beside its numbers, and how it comes back.

Texts, each in a fence so that TensorBoard shows it as code: the config, `run.json` with the state, the result, the
environment, what people said. And numbers of the result for the table of hyperparameters, which are read by nobody: the
text has every digit of them.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cnnlab.exchange.found import ImportRunsError
from cnnlab.exchange.limits import json_mapping
from cnnlab.exchange.selection import RunToExport
from cnnlab.files import read_bytes
from cnnlab.runs.facts import summary_row
from cnnlab.runs.status import ENDED

# Files of our own export end like that, and have our names of numbers.
OWN_END = ".cnnlab"
CONFIG, RUN = "config", "run"
# Tag of a text and file of a run.
FILES = {"result": "result.json", "environment": "environment.json", "person": "person.jsonl"}
TEXTS = (CONFIG, RUN, *FILES)
# Columns of the summary and their titles in the table of hyperparameters.
SCALARS = {
    "test_accuracy": "test accuracy",
    "test_loss": "test loss",
    "test_n": "test images",
    "num_params": "parameters",
    "macs": "MACs of one image",
    "depth": "depth",
}
_SAID = ("run_id", "name", "group_id", "created_at", "origin")
_FENCE = "```"


@dataclass(frozen=True)
class Own:
    """What came back of a run of ours.

    Attributes:
        said: Its `run.json`.
        state: How it ended.
        failure: Kind and message of what ended it.
        texts: Further files, by the name in its folder.
    """

    said: Mapping[str, Any]
    config: str
    state: str
    failure: str = ""
    texts: Mapping[str, str] = field(default_factory=dict)


def texts_of(run: RunToExport) -> dict[str, str]:
    """Return the texts that are written of a run, by their tags."""
    why = run.status.failure
    failure = f"{why['kind']}: {why['message']}" if why else ""
    said = {name: run.said.get(name) for name in _SAID} | {"state": run.status.state, "failure": failure}
    texts = {
        CONFIG: _fenced("yaml", run.config_text.decode("utf-8", errors="replace")),
        RUN: _fenced("json", json.dumps(said, ensure_ascii=False, indent=2)),
    }
    for tag, name in FILES.items():
        if (content := read_bytes(run.folder / name)) is not None:
            texts[tag] = _fenced("json", content.decode("utf-8", errors="replace"))
    return texts


def scalars_of(run: RunToExport) -> dict[str, float]:
    """Return the numbers of a run's result that are known, by columns of the summary."""
    row = summary_row(run.folder, run.status)
    return {name: float(row[name]) for name in SCALARS if row[name] is not None}


def own_of(texts: Mapping[str, str]) -> Own | None:
    """Return what the texts of a run say, None where they are not those of a run of ours."""
    if not {CONFIG, RUN} <= set(texts):
        return None
    try:
        said = json_mapping(_unfenced(texts[RUN]), RUN)
    except ImportRunsError:
        return None
    state, failure = said.pop("state", ""), said.pop("failure", "")
    return Own(
        said,
        _unfenced(texts[CONFIG]),
        # How a run that was still on its way ended is not known.
        state if state in ENDED else "lost",
        str(failure),
        {name: _unfenced(texts[tag]) for tag, name in FILES.items() if tag in texts},
    )


def _fenced(language: str, text: str) -> str:
    return f"{_FENCE}{language}\n{text}\n{_FENCE}"


def _unfenced(text: str) -> str:
    return text.partition("\n")[2].removesuffix(f"\n{_FENCE}")
