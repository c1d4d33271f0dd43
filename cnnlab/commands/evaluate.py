"""`evaluate`: how well a run's network answers, by class, by rank and by confidence, with intervals."""

from dataclasses import asdict
from typing import Annotated, Any

import polars as pl
import typer

from cnnlab.analysis.answers import answers_of
from cnnlab.analysis.class_scores import class_scores
from cnnlab.analysis.confidence_report import ConfidenceReport, confidence_report
from cnnlab.analysis.intervals import wilson
from cnnlab.analysis.ranking import ranking
from cnnlab.analysis.selective import TARGETS
from cnnlab.analysis.top_k import top_k
from cnnlab.commands.output import JsonOption, percent, print_json, print_table, say
from cnnlab.commands.runs import RunArgument
from cnnlab.errors import StoreError, UnknownNameError
from cnnlab.plots.labels import digits_below_one
from cnnlab.runs import queries
from cnnlab.runs.status import settle
from cnnlab.runs.store import Store

COLUMNS = ("measure", "value", "95 % interval", "n")
THRESHOLD_COLUMNS = ("to be right on", "answer from", "answered", "right", "95 % interval", "n")
CLASS_COLUMNS = ("class", "images", "precision", "recall", "F1", "95 % interval of F1", "AUC", "average precision")
# Numbers that are no shares of anything.
PLAIN = ("temperature", "log loss", "Brier score")


def evaluate(
    run_id: RunArgument,
    output: Annotated[str, typer.Option("--output", help="Of a network with several; else its main one.")] = "",
    has_classes: Annotated[bool, typer.Option("--classes", help="Print the numbers of each class, too.")] = False,
    json: JsonOption = False,
) -> None:
    """Judge a run's answers to its test images: top-k, classes, ROC, calibration before and after temperature scaling.

    The temperature and the thresholds are fitted on the validation images.
    """
    document = evaluation_document(Store(), run_id, output)
    if json:
        print_json(document)
        return
    print(f"{run_id}, output {document['output']}, {document['n']:,} test images")
    print_table(COLUMNS, map(_cells, document["measures"]), right=COLUMNS[1:])
    print_table(THRESHOLD_COLUMNS, map(_threshold_cells, document["thresholds"]), right=THRESHOLD_COLUMNS)
    if has_classes:
        print_table(CLASS_COLUMNS, map(_class_cells, document["classes"]), right=CLASS_COLUMNS[1:])
    if document["left_out"]:
        say(f"{document['left_out']} images left out, whose probabilities are no numbers.")
    if document["temperature"] is None:
        say("No temperature: it takes validation images that are not among the test images.")


def evaluation_document(store: Store, run_id: str, output: str = "") -> dict[str, Any]:
    """Return all numbers as a document: measures, thresholds, top_k, averages and classes.

    Raises:
        StoreError: the run has no answers to test images.
        UnknownNameError: it has no such output.
    """
    run_dir = store.run_dir(run_id)
    result = store.read_result(run_id) or {}
    outputs: dict[str, list[str]] = result.get("outputs") or {}
    name = output or result.get("main_output") or ""
    if outputs and name not in outputs:
        raise UnknownNameError("output", name, outputs)
    names = outputs.get(name, [])
    predictions = queries.predictions(store, run_id, split=None)
    answers = answers_of(predictions, len(names), output=name) if names else None
    if answers is None or not answers.n:
        raise StoreError(
            f"The run {run_id!r} has no answers to test images; it is {settle(run_dir).state}. Expected a completed "
            "run. List runs with 'python -m cnnlab runs'."
        )
    scores, ranked, ranks = class_scores(answers, names), ranking(answers, names), top_k(answers)
    report = confidence_report(predictions, len(names), name)
    return {
        "run_id": run_id,
        "output": name,
        "n": answers.n,
        "left_out": answers.left_out,
        "measures": [
            *_of_top_k(ranks.table),
            *_of_frame(scores.averages.filter(average="macro"), "f1", "macro F1", answers.n),
            *_of_frame(scores.averages.filter(average="macro"), "recall", "balanced accuracy", answers.n),
            *(
                _of_frame(ranked.table.slice(place, 1), key, f"{average} {title}", answers.n)[0]
                for key, title in (("auc", "AUC"), ("ap", "average precision"))
                for place, average in enumerate(("macro", "micro"))
            ),
            *_of_confidence(report),
        ],
        "temperature": asdict(report.temperature) if report.temperature else None,
        "thresholds": [_threshold(report, target) for target in TARGETS],
        "top_k": ranks.table.to_dicts(),
        "averages": scores.averages.to_dicts(),
        "classes": scores.classes.hstack(ranked.table.slice(2).drop("name", "class", "n")).to_dicts(),
    }


def _measure(name: str, value: float | None, low: float | None, high: float | None, n: int) -> dict[str, Any]:
    return {"measure": name, "value": value, "low": low, "high": high, "n": n}


def _of_top_k(table: pl.DataFrame) -> list[dict[str, Any]]:
    """Return top-1 and, where there are more classes than that, top-5."""
    kept = table.filter(pl.col("k").is_in([1, 5]) & (pl.col("accuracy").lt(1) | (pl.col("k") == 1)))
    return [
        _measure(f"top-{row['k']}", row["accuracy"], row["low"], row["high"], row["n"])
        for row in kept.iter_rows(named=True)
    ]


def _of_frame(row: pl.DataFrame, column: str, name: str, n: int) -> list[dict[str, Any]]:
    value, low, high = row.select(column, f"{column}_low", f"{column}_high").row(0)
    return [_measure(name, value, low, high, n)]


def _of_confidence(report: ConfidenceReport) -> list[dict[str, Any]]:
    rows = []
    fitted = report.temperature
    for calibration, after in ((report.before, ""), (report.after, " after scaling")):
        if calibration is None:
            continue
        if after and fitted:
            rows.append(_measure("temperature", fitted.value, fitted.low, fitted.high, fitted.n))
        error = calibration.equal_width
        rows.append(_measure(f"calibration error{after}", error.value, error.low, error.high, calibration.n))
        rows.append(_measure(f"log loss{after}", *calibration.loss, calibration.n))
        rows.append(_measure(f"Brier score{after}", *calibration.brier, calibration.n))
    return rows


def _threshold(report: ConfidenceReport, target: float) -> dict[str, Any]:
    """Return the threshold chosen on the validation images, and what it does on the test images; null where none is."""
    point = report.operating_point(target)
    if point is None:
        return {"target": target, **dict.fromkeys(("threshold", "answered", "coverage", "accuracy", "low", "high"))}
    low, high = wilson(point.right, point.answered)
    return {
        "target": target,
        "threshold": point.threshold,
        "answered": point.answered,
        "coverage": point.coverage,
        "accuracy": point.accuracy,
        "low": low,
        "high": high,
    }


def _threshold_cells(row: dict[str, Any]) -> tuple[str, ...]:
    target = f"{100 * row['target']:g} %"
    if row["threshold"] is None:
        return (target, "no threshold", "", "", "", "")
    threshold = percent(row["threshold"], digits_below_one(row["threshold"], 4, 8) - 2)
    interval = f"{percent(row['low'])} to {percent(row['high'])}"
    return (target, threshold, percent(row["coverage"]), percent(row["accuracy"]), interval, f"{row['answered']:,}")


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    show = _plain if row["measure"].startswith(PLAIN) else percent
    interval = f"{show(row['low'])} to {show(row['high'])}" if show(row["low"]) else ""
    return (row["measure"], show(row["value"]), interval, f"{row['n']:,}")


def _class_cells(row: dict[str, Any]) -> tuple[str, ...]:
    interval = f"{percent(row['f1_low'])} to {percent(row['f1_high'])}" if row["f1"] is not None else ""
    shares = [percent(row[name]) for name in ("precision", "recall", "f1")]
    return (row["class"], f"{row['n']:,}", *shares, interval, percent(row["auc"]), percent(row["ap"]))


def _plain(value: float | None) -> str:
    return "" if value is None or value != value else f"{value:.4f}"
