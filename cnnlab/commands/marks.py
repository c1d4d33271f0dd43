"""`datasets marks|correct`: what people said of labels, and the corrected version made from it."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cnnlab.commands.output import JsonOption, print_json, print_table, say
from cnnlab.datasets.marks import VERDICTS, Mark, read_journal, read_marks, undo_mark
from cnnlab.datasets.storage import DatasetInfo, find_dataset
from cnnlab.runs.store import Store

if TYPE_CHECKING:
    from cnnlab.datasets.correcting import Correction

NameArgument = Annotated[str, typer.Argument(help="A name from 'datasets list'.")]


def marks_command(
    name: NameArgument,
    is_undone: Annotated[bool, typer.Option("--undo", help="Take the newest mark back.")] = False,
    json: JsonOption = False,
) -> None:
    """List what people said of the labels of a data set, on the pages of runs under 'Mistakes'."""
    root = Store().root
    if not read_journal(root, name):
        find_dataset(root, name)  # a name that nobody knows is said
    taken = undo_mark(root, name) if is_undone else None
    marks = list(read_marks(root, name).values())
    if json:
        print_json({"dataset": name, "undone": asdict(taken) if taken else None, "marks": [asdict(m) for m in marks]})
        return
    if taken:
        say(f"Taken back: {_sentence(taken)}.")
    elif is_undone:
        say("There is no mark to take back.")
    if not marks:
        print(f"No marks of {name!r}. Make some on the page of a run that was tested on it, under 'Mistakes'.")
        return
    rows = [(m.sample_id, m.output, m.was, VERDICTS[m.verdict], m.label, m.by, m.at[:10]) for m in marks]
    print_table(("image", "output", "label", "said", "right class", "by", "on"), rows)


def correct_command(
    name: NameArgument,
    version: Annotated[
        str | None, typer.Option("--version", help="Which to correct; the newest when left out.")
    ] = None,
    target: Annotated[
        str | None,
        typer.Option("--to", help="Name of the corrected set: its own when left out, NAME_corrected of the catalogue."),
    ] = None,
    is_sure: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json: JsonOption = False,
) -> None:
    """Make a corrected version of a data set from its marks. The old version stays, and so do ids and splits."""
    from cnnlab.datasets.correcting import correct_dataset, plan_correction

    root = Store().root
    plan = plan_correction(root, name, version, target)
    if not json:
        print("\n".join(plan.sentences()))
    if plan.num_changes and not is_sure and not json and not typer.confirm("Make the corrected version?"):
        raise typer.Exit(1)
    info = correct_dataset(root, name, version, target)
    if json:
        print_json(_document(plan, info))
        return
    say(f"{info.name}, version {info.version}: made.")


def _document(plan: "Correction", info: DatasetInfo) -> dict[str, Any]:
    parts = {
        name: [asdict(mark) for mark in getattr(plan, name)] for name in ("relabelled", "removed", "done", "stale")
    }
    old = {"name": plan.info.name, "version": plan.info.version}
    return {"name": info.name, "version": info.version, "from": old, "counts": dict(info.counts), **parts}


def _sentence(mark: Mark) -> str:
    right = f", it is {mark.label}" if mark.label else ""
    return f"{mark.sample_id} ({mark.output}: {mark.was}): {VERDICTS[mark.verdict].lower()}{right}"
