"""Where an imported run came from: the part `origin` of its `run.json`, which no run of our own has.

A tool that knows nothing of our configs leaves a run that can be looked at and compared, but never trained
again: its `config.yaml` holds only what is known, with the tool's own parameters under `parameters`.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from cnnlab.files import read_json

# The tools that runs are imported from, by the name that commands and files use.
TOOLS: dict[str, str] = {
    "tensorboard": "TensorBoard",
    "mlflow": "MLflow",
    "csv": "CSV",
    "keras-tuner": "Keras Tuner",
}


@dataclass(frozen=True)
class Origin:
    """What was known of a run when it was imported.

    Attributes:
        tool: A key of `TOOLS`.
        path: What was imported, as the person gave it; of an upload its file name.
        key: Which run of it: a folder, an id or a name.
        imported_at: ISO 8601 in UTC.
        experiment: What the tool groups runs by; empty where it does not.
        said_status: The tool's own word for how the run stands; empty where it keeps none.
        has_config: It was exported by CNN Lab, and its config came back whole.
        has_epochs: The tool said which epoch a number is of; else epochs are counted or all is epoch 1.
        renamed: The tool's name of each setting that has a place in our configs, by dotted place.
        tags: What the tool calls so.
        notes: What was done to the numbers, in sentences.
    """

    tool: str
    path: str
    key: str
    imported_at: str
    experiment: str = ""
    said_status: str = ""
    has_config: bool = False
    has_epochs: bool = True
    renamed: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The tool, and what it groups runs by: `'MLflow: cats and dogs'`."""
        name = TOOLS.get(self.tool, self.tool)
        return f"{name}: {self.experiment}" if self.experiment else name

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, as `run.json` has them."""
        return asdict(self) | {"notes": list(self.notes)}


_FIELDS = frozenset(one.name for one in fields(Origin))


def origin_of(run: Mapping[str, Any]) -> Origin | None:
    """Return what the content of a `run.json` says of the run's origin, None for a run of our own."""
    value = run.get("origin")
    if not isinstance(value, Mapping):
        return None
    known = {name: part for name, part in value.items() if name in _FIELDS}
    return Origin(
        **{"tool": "", "path": "", "key": "", "imported_at": ""} | known | {"notes": tuple(known.get("notes") or ())}
    )


def read_origin(run_dir: Path) -> Origin | None:
    """Return where the run of a folder came from, None for a run of our own."""
    run = read_json(run_dir / "run.json")
    return origin_of(run) if isinstance(run, dict) else None


def is_foreign(run: Mapping[str, Any]) -> bool:
    """Return whether a run has no config that it could be trained with again."""
    origin = origin_of(run)
    return origin is not None and not origin.has_config


def not_ours(run_id: str, origin: Origin) -> str:
    """Return the sentence that refuses what needs a config of ours."""
    return (
        f"The run {run_id!r} was imported from {TOOLS.get(origin.tool, origin.tool)}, which does not say how to train "
        "it here. Expected a run that CNN Lab trained. Set up a training of your own with the values that it shows."
    )
