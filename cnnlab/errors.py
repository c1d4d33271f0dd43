"""What can go wrong, named after the user's situation.

Every message is `<what the user wrote>. <what is expected>. <the way out>.`
"""

import difflib
from collections.abc import Iterable


class CNNLabError(Exception):
    """Base of every error that a user can cause or cure; its text is one clear sentence or three."""


class ConfigError(CNNLabError):
    """A setting is missing, misspelt or out of range."""


class UnknownNameError(ConfigError):
    """A name is not in its catalogue."""

    def __init__(self, kind: str, name: object, known: Iterable[str]):
        super().__init__(f"Unknown {kind} {str(name)!r}. {suggestion(str(name), known)}")


class DatasetError(CNNLabError):
    """A data set is missing, empty, inconsistent or lacks a class in a split."""


class ImportRefusedError(DatasetError):
    """An archive or folder is unsafe or holds nothing that can be imported."""


class DownloadError(DatasetError):
    """A data set, or weights, could not be fetched from the network."""


class RunNotFoundError(CNNLabError):
    """No run of that id is in the store."""


class QueryError(CNNLabError):
    """A question about runs cannot be read or answered."""


class StoreError(CNNLabError):
    """The store cannot be read or written."""


class QueueError(CNNLabError):
    """A run cannot be queued, started or cancelled."""


class TrainingError(CNNLabError):
    """Training cannot go on; `kind` is one of `cnnlab.runs.status.FAILURES`."""

    def __init__(self, kind: str, message: str):
        super().__init__(message)
        self.kind = kind


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return `Did you mean 'x'?` for a near miss, else the list of what exists."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    if close:
        return f"Did you mean {close[0]!r}?"
    return f"Expected one of: {', '.join(names)}." if names else "There is none yet."
