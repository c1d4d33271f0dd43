"""What the pages read of images: answers, pixels, marks, and where networks looked. As `dashboard.data`, all caching
is here.
"""

import getpass
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import streamlit as st

from cnnlab.analysis.image_answers import ImageAnswers, image_answers
from cnnlab.analysis.label_errors import LabelDoubts, label_doubts
from cnnlab.datasets import marks as label_marks
from cnnlab.datasets.correcting import Correction, correct_dataset, plan_correction
from cnnlab.datasets.marks import Mark
from cnnlab.datasets.storage import Dataset, DatasetInfo
from cnnlab.runs.images import dataset_of_run
from cnnlab.runs.sources import MODEL
from dashboard import data
from dashboard.components import data_jobs
from dashboard.questions import Answer


@dataclass(frozen=True)
class Side:
    """A run, or the runs of a group: who answers.

    Attributes:
        key: Id of the run or the group, as the address names it.
        run_ids: The tested ones.
    """

    key: str
    title: str
    run_ids: tuple[str, ...]

    @property
    def is_group(self) -> bool:
        return len(self.run_ids) > 1


# ---- answers ----


def predictions(run_ids: Sequence[str], split: str, sample_ids: pl.Series | None = None) -> pl.DataFrame:
    """Return what some runs took each image for, one after the other, without the probabilities.

    Args:
        sample_ids: Of the images; all when left out.
    """
    columns = ("run_id", "split", "output", "label", "predicted")
    wanted = True if sample_ids is None else pl.col("sample_id").is_in(sample_ids.implode())
    return pl.concat([data.predictions(run_id, split).filter(wanted).select(columns) for run_id in run_ids])


def classes_of(run_id: str, output: str) -> tuple[str, ...]:
    """Return the names of the classes of an output; none where the run has no such output."""
    return tuple(((data.result(run_id) or {}).get("outputs") or {}).get(output, ()))


def answers(run_ids: Sequence[str], output: str, split: str) -> ImageAnswers:
    """Return what some runs answer to the images that all of them know."""
    return _answers(str(data.store().root), _stamps(run_ids), output, split)


def doubts(run_ids: Sequence[str], output: str, split: str) -> LabelDoubts:
    """Return the labels of these images, the most doubtful first."""
    return _doubts(str(data.store().root), _stamps(run_ids), output, split)


def _stamps(run_ids: Sequence[str]) -> tuple[tuple[str, int], ...]:
    files = [data.store().run_dir(run_id) / "predictions.parquet" for run_id in run_ids]
    return tuple((file.parent.name, file.stat().st_mtime_ns if file.exists() else 0) for file in files)


# Of ImageNet's size each is 200 MB.
@st.cache_resource(max_entries=6, show_spinner=False)
def _answers(root: str, stamps: tuple[tuple[str, int], ...], output: str, split: str) -> ImageAnswers:  # noqa: ARG001
    frames = [data.predictions(run_id, split) for run_id, _ in stamps]
    return image_answers(frames, len(classes_of(stamps[0][0], output)), output=output, split=split)


@st.cache_resource(max_entries=16, show_spinner=False)
def _doubts(root: str, stamps: tuple[tuple[str, int], ...], output: str, split: str) -> LabelDoubts:
    whole = _answers(root, stamps, output, split)
    return label_doubts(whole.probabilities, whole.labels)


# ---- images ----


def dataset(run_id: str) -> Dataset:
    """Open the data set of a run in the version that it recorded; raises `DatasetError` where that is gone."""
    info = dataset_of_run(data.store(), run_id).info
    return _opened(str(info.path), (info.path / "dataset.json").stat().st_mtime_ns, info)


@st.cache_resource(max_entries=16, show_spinner=False)
def _opened(path: str, stamp: int, _info: DatasetInfo) -> Dataset:  # noqa: ARG001 the key
    return Dataset(_info)


def pixels(opened: Dataset, split: str, sample_ids: Sequence[str]) -> list[np.ndarray | None]:
    """Return `(height, width, channels)` of each image, None for one that is not in the split."""
    stamp = (opened.info.path / "dataset.json").stat().st_mtime_ns
    places = _places(str(opened.info.path), stamp, split, opened)
    found = opened.images(split)
    known = [places.get(sample_id) for sample_id in sample_ids]
    return [None if place is None else np.asarray(found[place]) for place in known]


@st.cache_resource(max_entries=16, show_spinner=False)
def _places(path: str, stamp: int, split: str, _opened: Dataset) -> dict[str, int]:  # noqa: ARG001 the key
    return {sample_id: place for place, sample_id in enumerate(_opened.sample_ids(split))}


def looked(
    run_id: str, split: str, output: str, sample_ids: Sequence[str], classes: Sequence[int], method: str
) -> Answer:
    """Ask where the network of a run looked; see `cnnlab.inspector.attribution_questions`."""
    outputs = (data.result(run_id) or {}).get("outputs") or {}
    model = data.store().run_dir(run_id) / MODEL
    return data.ask_later(
        "attribution",
        run_id=run_id,
        split=split,
        output=output if len(outputs) > 1 else None,
        sample_ids=list(sample_ids),
        classes=[int(number) for number in classes],
        method=method,
        stamp=model.stat().st_mtime_ns if model.exists() else 0,
    )


# ---- marks ----


def marks(name: str) -> dict[tuple[str, str], Mark]:
    """Return the marks that count, by image and output."""
    return label_marks.read_marks(data.store().root, name)


def journal(name: str) -> list[Mark]:
    """Return every mark that was not undone, oldest first."""
    return label_marks.read_journal(data.store().root, name)


def add_mark(info: DatasetInfo, mark: Mark) -> None:
    """Write down what somebody says of a label."""
    label_marks.add_mark(data.store().root, info.name, mark, info.outputs)


def undo_mark(name: str) -> None:
    """Take the newest mark back."""
    label_marks.undo_mark(data.store().root, name)


def who() -> str:
    """Return who sits at the page: as the login says, else the user who runs the dashboard."""
    told = st.user.to_dict()
    return str(told.get("email") or told.get("name") or getpass.getuser())


def correction(info: DatasetInfo) -> Correction:
    """Return what the marks would change about a version."""
    return plan_correction(Path(data.store().root), info.name, info.version)


def correct(info: DatasetInfo) -> DatasetInfo:
    """Make the corrected version."""
    made = correct_dataset(Path(data.store().root), info.name, info.version)
    data.refresh()
    return made


def correct_in_job(plan: Correction) -> None:
    """Make the corrected version in a process of its own, which the page of the data sets watches."""
    info = plan.info
    words = ["cnnlab", "datasets", "correct", info.name, "--version", info.version, "--json"]
    data_jobs.start(Path(data.store().root), plan.target, f"Correct {info.title}", words)
