"""Sorted paths taken folder by folder: thousands of images share one."""

import itertools
from bisect import bisect_left
from dataclasses import dataclass


@dataclass(frozen=True)
class Run:
    """Neighbours in a sorted list of paths, from `start` up to `stop`, that lie in one `folder` ('' on top)."""

    folder: str
    start: int
    stop: int


def folder_runs(names: list[str]) -> list[Run]:
    """Part sorted paths into runs; a folder with files before and after a sub-folder has several."""
    runs: list[Run] = []
    start = 0
    while start < len(names):
        folder = names[start].rpartition("/")[0]
        # What begins with 'folder/' stands together: it ends where 'folder0' would, '0' being next to '/'.
        stop = bisect_left(names, f"{folder}0", start) if folder else len(names)
        depth = folder.count("/") + 1 if folder else 0
        if "\0".join(names[start:stop]).count("/") == depth * (stop - start):
            runs.append(Run(folder, start, stop))  # no sub-folder among them
        else:
            for found, group in itertools.groupby(range(start, stop), lambda row: names[row].rpartition("/")[0]):
                rows = list(group)
                runs.append(Run(found, rows[0], rows[-1] + 1))
        start = stop
    return runs
