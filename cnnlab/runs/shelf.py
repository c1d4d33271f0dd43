"""Things of one kind that a store keeps as folders or files of their own, with a trash beside them."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from cnnlab.errors import UnknownNameError
from cnnlab.runs.store import Store, names_in


@dataclass(frozen=True)
class Shelf:
    """Where things of a kind lie in a store.

    Attributes:
        folder: Its name in the store; the trash is within it.
        kind: What one of them is called in errors.
        pattern: What their ids look like: anything else in the folder is not one of them.
    """

    folder: str
    kind: str
    pattern: re.Pattern[str]

    def path(self, store: Store) -> Path:
        """Return the folder."""
        return store.root / self.folder

    def trash(self, store: Store) -> Path:
        """Return the folder of what was deleted."""
        return self.path(store) / "trash"

    def ids(self, store: Store) -> list[str]:
        """Return the ids of what is there, oldest first."""
        return names_in(self.path(store), self.pattern)

    def deleted(self, store: Store) -> list[str]:
        """Return the ids of what can be brought back, oldest first."""
        return names_in(self.trash(store), self.pattern)

    def checked(self, store: Store, id_: str) -> str:
        """Return the id, where there is such a thing; raises `UnknownNameError`."""
        known = self.ids(store)
        if id_ not in known:
            raise UnknownNameError(self.kind, id_, known)
        return id_

    def delete(self, store: Store, id_: str) -> None:
        """Move one to the trash.

        Raises:
            UnknownNameError: there is none of this id.
            StoreError: the store cannot be written.
        """
        source = self.path(store) / self.checked(store, id_)
        with store.writing():
            self.trash(store).mkdir(parents=True, exist_ok=True)
            os.utime(source)  # from when on its days in the trash count
            os.rename(source, self.trash(store) / id_)

    def restore(self, store: Store, id_: str) -> None:
        """Bring one back from the trash; raises as `delete`."""
        known = self.deleted(store)
        if id_ not in known:
            raise UnknownNameError(f"deleted {self.kind}", id_, known)
        with store.writing():
            os.rename(self.trash(store) / id_, self.path(store) / id_)
