"""Ablations in the store: `<store>/ablations/<ablation_id>/ablation.yaml` says what was planned and which runs it has.

The runs are runs as any others. A deleted ablation waits in `ablations/trash/`; its runs stay.
"""

import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import yaml

from cnnlab.ablation import AblationPlan, plan_from_dict
from cnnlab.errors import ConfigError, StoreError, UnknownNameError
from cnnlab.files import read_bytes, write_atomic
from cnnlab.runs.schema import SCHEMA_VERSION
from cnnlab.runs.shelf import Shelf
from cnnlab.runs.store import Store

FILE = "ablation.yaml"
SHELF = Shelf("ablations", "ablation", re.compile(r"\d{8}-\d{6}-ablation-[0-9a-f]{4}"))


@dataclass(frozen=True)
class Ablation:
    """What is known of an ablation.

    Attributes:
        run_ids: By variant, in the order of `plan.variants()`; a variant that is not queued yet has none.
    """

    ablation_id: str
    created_at: str
    plan: AblationPlan
    run_ids: tuple[tuple[str, ...], ...]

    @property
    def title(self) -> str:
        """Return its name, or one made from the baseline."""
        base = self.plan.baseline
        return self.plan.name or f"{base.architecture.name} on {base.data.dataset}"

    @property
    def all_run_ids(self) -> list[str]:
        return [run_id for group in self.run_ids for run_id in group]


def create_ablation(store: Store, plan: AblationPlan) -> Ablation:
    """Write a new ablation without runs."""
    created = datetime.now(UTC)
    ablation_id = f"{created:%Y%m%d-%H%M%S}-ablation-{secrets.token_hex(2)}"
    empty: tuple[tuple[str, ...], ...] = tuple(() for _ in plan.variants())
    made = Ablation(ablation_id, created.isoformat(timespec="milliseconds"), plan, empty)
    write_ablation(store, made)
    return made


def write_ablation(store: Store, ablation: Ablation) -> None:
    """Replace the file of an ablation, whole or not at all.

    Raises:
        StoreError: the store cannot be written.
    """
    names = [variant.name for variant in ablation.plan.variants()]
    values = {
        "schema_version": SCHEMA_VERSION,
        "ablation_id": ablation.ablation_id,
        "created_at": ablation.created_at,
        "runs": [
            {"variant": name, "run_ids": list(group)} for name, group in zip(names, ablation.run_ids, strict=True)
        ],
        "plan": ablation.plan.to_dict(),
    }
    folder = SHELF.path(store) / ablation.ablation_id
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomic(folder / FILE, yaml.safe_dump(values, sort_keys=False, allow_unicode=True))
    except OSError as error:
        raise StoreError(
            f"The store {store.root} cannot be written: {error.strerror or error}. Expected a folder of yours with "
            "free space. Choose another with '--store'."
        ) from error


def read_ablation(store: Store, ablation_id: str) -> Ablation:
    """Return an ablation.

    Raises:
        UnknownNameError: there is none of that id.
        StoreError: its file cannot be read.
    """
    data = read_bytes(SHELF.path(store) / ablation_id / FILE) if SHELF.pattern.fullmatch(ablation_id) else None
    if data is None:
        raise UnknownNameError("ablation", ablation_id, SHELF.ids(store))
    try:
        values: dict[str, Any] = yaml.safe_load(data)
        plan = plan_from_dict(values["plan"])
        runs = tuple(tuple(map(str, group["run_ids"])) for group in values["runs"])
        if len(runs) != len(plan.changes) + 1:
            raise ValueError("runs and variants do not fit")
        return Ablation(ablation_id, str(values["created_at"]), plan, runs)
    except (yaml.YAMLError, KeyError, TypeError, ValueError, ConfigError) as error:
        raise StoreError(
            f"The ablation {ablation_id!r} cannot be read: {error}. Expected a file that 'python -m cnnlab ablate' "
            "wrote. Delete it, or repair its YAML."
        ) from error


def list_ablations(store: Store) -> list[Ablation]:
    """Return the ablations that can be read, newest first."""
    found = []
    for ablation_id in reversed(SHELF.ids(store)):
        try:
            found.append(read_ablation(store, ablation_id))
        except (StoreError, UnknownNameError):
            continue  # one damaged file hides no other; asked for by its id, it says what is wrong
    return found


def delete_ablation(store: Store, ablation_id: str) -> None:
    """Move an ablation to its trash; its runs stay where they are."""
    SHELF.delete(store, ablation_id)


def restore_ablation(store: Store, ablation_id: str) -> None:
    """Bring a deleted ablation back."""
    SHELF.restore(store, ablation_id)


def deleted_ablations(store: Store) -> list[str]:
    """Return the ids of the ablations that can be brought back, oldest first."""
    return SHELF.deleted(store)
