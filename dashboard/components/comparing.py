"""What the Compare page says of the chosen runs in words and tables."""

from collections.abc import Mapping, Sequence
from typing import Any

from cnnlab.analysis.pairing import CUT_SHORT, AnsweredRun, share, why_untested
from cnnlab.architectures.layer_list import brief
from cnnlab.commands.text import value_text
from cnnlab.plots.labels import plural
from dashboard.components.numbers import MISSING


def run_label(row: Mapping[str, Any]) -> str:
    """Return a name that is unlike that of any other run: its own, its seed, the end of its id."""
    seed = "" if row["seed"] is None else f" · seed {row['seed']}"  # imported runs may have none
    return f"{row['name'] or row['run_id']}{seed} · {str(row['run_id'])[-4:]}"


def has_other_data(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether the runs stand on several data sets, or on several versions of one."""
    known = {name: {row[name] for row in rows} - {None} for name in ("dataset", "dataset_version")}
    return any(len(values) > 1 for values in known.values())


def data_warnings(runs: Sequence[AnsweredRun]) -> list[str]:
    """Return in which data the runs differ and what can be compared all the same, in sentences.

    Args:
        runs: All chosen ones.
    """
    known = [run for run in runs if run.dataset != "None"]
    said = []
    origins = list(dict.fromkeys(run.origin for run in known))
    if len(origins) > 1:
        said.append(
            f"These runs stand on different data sets ({', '.join(origins)}). "
            "Their accuracies answer different questions: compare curves and costs, not top-1."
        )
    for origin in origins:
        alike = [run for run in known if run.origin == origin and run.version != "None"]
        sets = dict.fromkeys(run.dataset for run in alike)
        versions = ", ".join(sorted({run.version for run in alike}))
        if len(sets) > 1:
            what = f"These runs stand on a data set and on what was corrected from it: {', '.join(sets)}."
        elif "," in versions:
            what = f"These runs saw different versions of the data set {origin}: {versions}."
        else:
            continue
        said.append(f"{what} {_comparable(alike)} A difference in a curve may come from the data.")
    return said


def _comparable(runs: Sequence[AnsweredRun]) -> str:
    """Return on which images runs on several versions are compared, or that they are not, and the way out."""
    tested = [run for run in runs if run.answers is not None]
    if len(tested) < 2:
        return "When they are tested, they are compared on the test images that they share."
    shared = share(tested)
    if not shared.refused:
        images = plural(shared.num_images, "test image")
        if shared.is_whole:
            return f"All were tested on the same {images}."
        return (
            f"They are compared on the {images} that all of them share under the same label; what shows each run by "
            "itself speaks of all its test images."
        )
    way_out = "To compare them, choose runs of one version, or train one again on the version of another."
    if len(tested) == 2:
        (reason,) = shared.refused.values()
        return f"They are not compared ({reason}): each is shown on its own test images. {way_out}"
    verb = "does" if len(shared.refused) == 1 else "do"
    return (
        f"{len(shared.refused)} of {len(tested)} {verb} not share enough test images with the others, so not all are "
        f"compared: the overview says which and why. {way_out}"
    )


def warnings(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what else makes the numbers of these runs hard to set side by side, in sentences."""
    said = []
    imported = [row for row in rows if row.get("is_foreign")]
    if imported:
        said.append(
            "Trained with another tool, which does not say on which images they were tested, nor what each of them was "
            f"taken for: {', '.join(map(run_label, imported))}. Compare their curves and settings, not single images."
        )
    ours = [row for row in rows if not row.get("is_foreign")]
    lacking = [row for row in ours if row["test_accuracy"] is None and row.get("state") == "completed"]
    if lacking:
        outputs = ", ".join(dict.fromkeys(str(row["main_output"]) for row in lacking))
        said.append(f"Did not learn the output {outputs}: {', '.join(map(run_label, lacking))}.")
    untested = [row for row in ours if row["test_accuracy"] is None and row not in lacking]
    waiting = [run_label(row) for row in untested if row.get("state") not in CUT_SHORT]
    if waiting:
        said.append(f"Not tested yet, so without test accuracy: {', '.join(waiting)}.")
    over = [f"{run_label(row)} ({why_untested(row)})" for row in untested if row.get("state") in CUT_SHORT]
    if over:
        said.append(f"Without test accuracy: {', '.join(over)}.")
    return said


def outputs_of(rows: Sequence[Mapping[str, Any]], results: Mapping[str, Mapping[str, Any] | None]) -> list[str]:
    """Return the outputs of the runs, main ones first."""
    mains = [row["main_output"] for row in rows if row["main_output"]]
    others = [name for row in rows for name in (results[row["run_id"]] or {}).get("outputs", ())]
    return list(dict.fromkeys([*mains, *others]))


def of_output(row: Mapping[str, Any], result: Mapping[str, Any] | None, output: str) -> dict[str, Any]:
    """Return a row of the summaries with the numbers of one output, null where the run has no such output."""
    test, val = ((result or {}).get(split, {}).get(output) or {} for split in ("test", "val"))
    return {
        **row,
        "main_output": output,
        "test_accuracy": test.get("accuracy"),
        "test_correct": test.get("correct"),
        "test_n": test.get("n"),
        "test_loss": test.get("loss"),
        "val_accuracy": val.get("accuracy"),
    }


def setting_text(value: Any) -> str:
    """Return a value of a config as one would write it in the form; what is not set is a dash.

    >>> setting_text(0.002), setting_text(True), setting_text(None), setting_text(""), setting_text(["shape"])
    ('0.002', 'yes', '–', '(empty)', 'shape')
    >>> setting_text([{"kind": "flatten"}, {"kind": "dropout", "rate": 0.5}])
    '[flatten, {kind: dropout, rate: 0.5}]'
    """
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
        return value_text(brief(value))  # the layers of a list of one's own
    if isinstance(value, (list, tuple)):
        return ", ".join(map(setting_text, value))
    return str(value) if str(value) else "(empty)"
