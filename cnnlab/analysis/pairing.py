"""The answers of several networks image by image: on which test images they can be compared, and who is right.

Sample ids are the same in every version of a data set and in what was corrected from it, so networks that were tested
on different images, versions or splits are compared on the test images that they share under the same label: none of
them learnt from these. What would make even that unfair is refused with its reason.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cnnlab.datasets.origins import Origins
from cnnlab.plots.labels import listed_with_reasons, plural

Places = NDArray[np.int64]

# Fewer shared images would say next to nothing; where all images are shared, any number will do.
FEWEST_SHARED = 30
NOT_TESTED = "not tested yet"
# How runs end that are not tested.
CUT_SHORT = ("failed", "cancelled", "lost")
NO_ANSWERS = "its answers on the test images are not kept"
ELSEWHERE = "another tool trained it, and its answers to images are not known"


@dataclass(frozen=True)
class Outcomes:
    """What one network answered on its test images, for one output.

    Attributes:
        sample_ids: `(n,)` text, each once.
        labels: `(n,)` true classes, as places in `classes`.
        is_right: `(n,)` booleans; an answer that is not a number is wrong.
        classes: Names, in the order of the network's output.
    """

    sample_ids: pl.Series
    labels: NDArray[np.int32]
    is_right: NDArray[np.bool_]
    classes: tuple[str, ...]


@dataclass(frozen=True)
class AnsweredRun:
    """A run as far as comparing it goes; without answers there is the reason why.

    Attributes:
        dataset: That it learnt and was tested on, `version` of it.
        output: Of the network, that the answers are of.
        group_id: Shared by runs whose settings differ in the seed only.
        views: Over which its probabilities are averaged, as in `tricks.test_time`.
        corrected_from: The data set whose images a corrected one has; empty where it is no correction of another.
    """

    run_id: str
    dataset: str
    version: str
    output: str
    answers: Outcomes | None
    group_id: str = ""
    views: str = "none"
    reason: str = ""
    corrected_from: str = ""

    @property
    def origin(self) -> str:
        """The data set whose images it was tested on."""
        return self.corrected_from or self.dataset


@dataclass(frozen=True)
class Shared:
    """Who is right on the test images that all compared runs share.

    Attributes:
        run_ids: Of the runs that can be compared.
        is_right: `(runs, images)` booleans, in the order of `run_ids`.
        sample_ids: `(images,)` text.
        left_out: By run id, how many of its test images others lack; without those that lose none.
        refused: By run id, why it cannot be compared.
        relabelled: Images that all compared runs were tested on, but under different labels: left out as well.
    """

    run_ids: tuple[str, ...]
    is_right: NDArray[np.bool_]
    sample_ids: pl.Series
    left_out: Mapping[str, int]
    refused: Mapping[str, str]
    relabelled: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether the compared runs were tested on the same images under the same labels, so that none is left out."""
        return not self.left_out and not self.relabelled

    @property
    def num_images(self) -> int:
        return int(self.is_right.shape[1])


def why_untested(row: Mapping[str, Any]) -> str:
    """Return why a run of the summaries has no test result; one that is over by its state, another may still come."""
    return f"{row['state']} before its test" if row.get("state") in CUT_SHORT else NOT_TESTED


# Returns the columns sample_id, label and predicted of a run's test images, for one output.
ReadAnswers = Callable[[str, str], pl.DataFrame]


def answered_run(
    row: Mapping[str, Any], result: Mapping[str, Any] | None, read: ReadAnswers, origins: Origins | None = None
) -> AnsweredRun:
    """Return a run with its answers.

    Args:
        row: Of the summaries; its `main_output` is the output that is compared.
        result: Of the run, None where it has not ended well.
        read: Asked only for a run that was tested on that output.
        origins: From `origins_of`, of the data sets in the store.
    """
    output = str(row["main_output"] or "")
    run_id, group_id = str(row["run_id"]), str(row["group_id"] or row["run_id"])
    dataset, version = str(row["dataset"]), str(row["dataset_version"])
    corrected_from = (origins or {}).get((dataset, version), "")
    known = AnsweredRun(run_id, dataset, version, output, None, group_id, corrected_from=corrected_from)
    if row.get("is_foreign"):
        return replace(known, reason=ELSEWHERE)
    if result is None or not result.get("test"):
        return replace(known, reason=why_untested(row))
    classes = result.get("outputs", {}).get(output)
    if classes is None:
        return replace(known, reason=f"it did not learn the output {output}")
    frame = read(run_id, output)
    if frame.is_empty():
        return replace(known, reason=NO_ANSWERS)
    is_right = (frame["predicted"] == frame["label"]).fill_null(value=False).to_numpy()
    answers = Outcomes(frame["sample_id"], frame["label"].to_numpy(), is_right, tuple(map(str, classes)))
    return replace(known, answers=answers, views=str(result.get("test_time", "none")))


def share(runs: Sequence[AnsweredRun]) -> Shared:
    """Return who is right on the test images that the runs share; the first that has answers decides which fit.

    A run that would take more than half of their images from two or more others is refused.
    """
    first = next((run for run in runs if run.answers is not None), None)
    if first is None or first.answers is None:
        nobody = np.zeros((0, 0), np.bool_)
        return Shared((), nobody, pl.Series([], dtype=pl.String), {}, {run.run_id: _unlike(run, run) for run in runs})
    refused: dict[str, str] = {}
    fitting: list[_Fitting] = []
    for run in runs:
        refused[run.run_id] = _unlike(first, run)
        if run.answers is not None and not refused[run.run_id]:
            fitting.append(_fitting(first.answers, run.run_id, run.answers))
    is_shared = np.ones(len(first.answers.sample_ids), np.bool_)
    # Those that share most come first, so that one odd run cannot push the others out.
    together = 0
    for one in sorted(fitting, key=lambda one: -int(one.is_alike.sum())):
        refused[one.run_id] = _too_few(is_shared, one, has_others=together > 1)
        if not refused[one.run_id]:
            is_shared &= one.is_alike
            together += 1
    kept = [one for one in fitting if not refused[one.run_id]]
    in_all = int(np.logical_and.reduce([one.is_there for one in kept]).sum())
    lost = {one.run_id: len(one.answers.sample_ids) - in_all for one in kept}
    return Shared(
        run_ids=tuple(one.run_id for one in kept),
        is_right=np.stack([one.answers.is_right[one.places[is_shared]] for one in kept]),
        sample_ids=first.answers.sample_ids.filter(pl.Series(is_shared)),
        left_out={run_id: count for run_id, count in lost.items() if count},
        refused={run_id: reason for run_id, reason in refused.items() if reason},
        relabelled=in_all - int(is_shared.sum()),
    )


def shared_text(shared: Shared, names: Mapping[str, str]) -> str:
    """Return on which images runs are compared and what is left out; empty where they have the same images.

    Args:
        names: Of the runs, by id.
    """
    if shared.is_whole or not shared.num_images:
        return ""
    told = [f"Compared on the {plural(shared.num_images, 'test image')} that all of them share"]
    if shared.relabelled:
        verb = "has" if shared.relabelled == 1 else "have"
        told.append(f"left out: {plural(shared.relabelled, 'image')} that {verb} another label in one of them")
    if shared.left_out:
        lost = {run_id: f"{count:,} more" for run_id, count in shared.left_out.items()}
        told.append(f"also tested on others: {listed_with_reasons(lost, names)}")
    return "; ".join(told) + "."


@dataclass(frozen=True)
class _Fitting:
    """A run that answers the same question as the first.

    Attributes:
        places: Of each image of the first, where it is in `answers`, or -1.
        is_alike: Whether it is there, and under the same label.
    """

    run_id: str
    answers: Outcomes
    places: Places
    is_alike: NDArray[np.bool_]

    @property
    def is_there(self) -> NDArray[np.bool_]:
        return self.places >= 0


def _unlike(first: AnsweredRun, run: AnsweredRun) -> str:
    """Return why a run answers another question than the first, or an empty string."""
    if run.answers is None or first.answers is None:
        return run.reason or NO_ANSWERS
    if run.origin != first.origin:
        return f"it stands on the data set {run.dataset}, not on {first.dataset}"
    if run.output != first.output:
        return f"it answers {run.output}, not {first.output}"
    here, there = run.answers.classes, first.answers.classes
    if set(here) != set(there):
        odd = next(name for name in [*here, *there] if (name in here) != (name in there))
        which = "it does not know" if odd in there else "only it knows"
        return (
            f"it chooses among other classes: {plural(len(here), 'class', 'classes')}, not {len(there)}; {which} {odd}"
        )
    return ""


def _places(first: Outcomes, other: Outcomes) -> Places:
    """Return for each image of `first` where it is in `other`, or -1."""
    if first.sample_ids.equals(other.sample_ids):
        return np.arange(len(first.sample_ids))
    there = pl.DataFrame({"id": other.sample_ids, "place": np.arange(len(other.sample_ids))})
    found = pl.DataFrame({"id": first.sample_ids}).join(there, on="id", how="left", maintain_order="left")
    return found["place"].fill_null(-1).to_numpy()


def _fitting(first: Outcomes, run_id: str, other: Outcomes) -> _Fitting:
    places = _places(first, other)
    here = places >= 0
    labels = other.labels[places[here]]
    if other.classes != first.classes:
        labels = np.array([first.classes.index(name) for name in other.classes], np.int32)[labels]
    is_alike = here.copy()
    is_alike[here] = labels == first.labels[here]
    return _Fitting(run_id, other, places, is_alike)


def _too_few(before: NDArray[np.bool_], one: _Fitting, *, has_others: bool) -> str:
    """Return why a run cannot join those that share the images `before`, or an empty string."""
    count, had = int((before & one.is_alike).sum()), int(before.sum())
    if count == had or (count >= FEWEST_SHARED and not (has_others and 2 * count < had)):
        return ""
    relabelled = int((before & one.is_there).sum()) - count
    if not count and not relabelled:
        return "it was tested on different images: none of them is shared"
    text = f"it shares only {count:,} of {had:,} test images with the others"
    if not relabelled:
        return text
    verb = "has" if relabelled == 1 else "have"
    return f"{text}; {relabelled:,} more {verb} another label in its version of the data"
