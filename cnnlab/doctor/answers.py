"""What the trained network answers."""

import polars as pl

from cnnlab.doctor.evidence import Evidence
from cnnlab.doctor.finding import Chart, Finding, NotChecked, Series, Verdict

FEWEST_IMAGES = 5


def class_never_predicted(evidence: Evidence) -> Verdict:
    """Classes that the network never answers although there are images of them."""
    known = evidence.predictions.filter(pl.col("predicted").is_not_null())
    if known.is_empty():
        return NotChecked("the predictions come at the end of the run")
    worst: Finding | None = None
    for output, classes in evidence.data.classes.items():
        rows = known.filter(pl.col("output") == output)
        found = _of_output(evidence, output, list(classes), rows)
        if found and (worst is None or found.numbers["images"] > worst.numbers["images"]):
            worst = found
    return worst


def _of_output(evidence: Evidence, output: str, classes: list[str], rows: pl.DataFrame) -> Finding | None:
    labels, answers = rows["label"].to_list(), rows["predicted"].to_list()
    given = [labels.count(place) for place in range(len(classes))]
    said = [answers.count(place) for place in range(len(classes))]
    missing = [place for place in range(len(classes)) if given[place] >= FEWEST_IMAGES and not said[place]]
    if not missing or len(classes) < 2:
        return None
    names = ", ".join(repr(classes[place]) for place in missing[:4])
    more = f" and {len(missing) - 4} more" if len(missing) > 4 else ""
    images = sum(given[place] for place in missing)
    of_output = f" of {output}" if len(evidence.data.classes) > 1 else ""
    return Finding(
        "class_never_predicted", "serious",
        f"The network never answers {names}{more}{of_output}, although {images:,} images of val and test are that.",
        "Add images of these classes, or weigh the classes in the loss, and train again; with all classes as frequent, "
        "train longer or with another learning rate.",
        {"classes": [classes[place] for place in missing], "images": images},
        Chart(
            "bars", "Class", "Images of val and test",
            (Series("labelled", tuple(classes), tuple(given)), Series("answered", tuple(classes), tuple(said))),
        ),
    )  # fmt: skip
