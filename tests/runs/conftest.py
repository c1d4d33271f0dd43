"""A store of the test's own, and runs in it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cnnlab.config import RunConfig
from cnnlab.runs.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def make_run(store: Store) -> Callable[..., Path]:
    def make(finish: Callable[..., None] | None = None, **training: Any) -> Path:
        run_dir = store.create_run(RunConfig.model_validate({"training": training}))
        if finish:
            finish(run_dir)
        return run_dir

    return make
