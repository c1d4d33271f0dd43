"""What the page 'Accuracy and cost' can be about: the runs that were tested on the same images, or ImageNet."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from cnnlab.plots.labels import plural

IMAGENET = "imagenet-published"
IMAGENET_TITLE = "ImageNet, published"


@dataclass(frozen=True)
class Subject:
    """Runs whose accuracies answer the same question: one data set, one version, one output."""

    dataset: str
    version: str
    output: str
    tested: int

    @property
    def key(self) -> str:
        """Return how the address names it."""
        return f"{self.dataset}/{self.version}/{self.output}"


def subjects(runs: pl.DataFrame) -> list[Subject]:
    """Return what was tested, the one with most tested runs first."""
    tested = runs.drop_nulls(["test_accuracy", "dataset", "dataset_version"])
    groups = tested.group_by("dataset", "dataset_version", pl.col("main_output").fill_null("")).agg(
        n=pl.len(), newest=pl.col("created_at").max()
    )
    ordered = groups.sort("n", "newest", descending=True, nulls_last=True)
    return [
        Subject(row["dataset"], row["dataset_version"], row["main_output"], row["n"])
        for row in ordered.iter_rows(named=True)
    ]


def runs_of(runs: pl.DataFrame, subject: Subject) -> pl.DataFrame:
    """Return the runs of a subject, and those of its data set that did not come so far as to have a version."""
    is_same_output = pl.col("main_output").fill_null(subject.output) == subject.output
    is_same_version = pl.col("dataset_version").fill_null(subject.version) == subject.version
    return runs.filter((pl.col("dataset") == subject.dataset) & is_same_version & is_same_output)


def titles(found: list[Subject]) -> dict[str, str]:
    """Return what the menu shows by key: version and output only where a data set has several."""
    told = {}
    for one in found:
        same = [other for other in found if other.dataset == one.dataset]
        parts = [one.dataset]
        if len({other.output for other in same}) > 1:
            parts.append(f"output {one.output}")
        if len({other.version for other in same}) > 1:
            parts.append(f"version {one.version}")
        told[one.key] = f"{', '.join(parts)} ({plural(one.tested, 'tested run')})"
    return told | {IMAGENET: IMAGENET_TITLE}


def run_names(runs: pl.DataFrame) -> Mapping[str, str]:
    """Return what runs and groups are called: their name, with the seed where several runs share it."""
    shared = set(runs.filter(pl.col("name").is_duplicated())["name"])
    names = {}
    for run_id, name, seed in runs.select("run_id", "name", "seed").iter_rows():
        names[run_id] = f"{name} · seed {seed}" if name in shared and seed is not None else name or run_id
    for group_id, name in runs.select("group_id", "name").iter_rows():
        if group_id and name:
            names.setdefault(group_id, name)
    return names
