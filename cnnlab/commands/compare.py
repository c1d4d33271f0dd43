"""`compare`: which of several runs or groups is better, by how much and how sure, and where their configs differ."""

import math
from collections.abc import Sequence
from itertools import combinations
from typing import Annotated, Any

import typer

from cnnlab.analysis.comparison import Against, Comparison
from cnnlab.analysis.comparison import compare as compare_sides
from cnnlab.analysis.pairing import answered_run
from cnnlab.analysis.sides import Side, group_names, sides_of
from cnnlab.analysis.significance import Difference
from cnnlab.analysis.verdict import counted, p_number, points, rank_text, verdict
from cnnlab.commands.documents import run_document
from cnnlab.commands.output import JsonOption, grouped, percent, print_json, print_table, say
from cnnlab.datasets.origins import origins_of
from cnnlab.datasets.storage import list_datasets
from cnnlab.errors import ConfigError, UnknownNameError
from cnnlab.runs import queries
from cnnlab.runs.store import Store


def compare(
    run_ids: Annotated[list[str], typer.Argument(help="Two or more ids; the others are set against the first.")],
    json: JsonOption = False,
    output: Annotated[str, typer.Option("--output", help="Of networks with several; else the main one.")] = "",
    is_grouped: Annotated[
        bool | None,
        typer.Option(
            "--groups/--no-groups",
            help="Take runs that differ in their seed only together. Left out: where there are several such groups.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Compare runs or groups: which is better and how sure that is, and where their configs differ."""
    run_ids = list(dict.fromkeys(run_ids))
    if len(run_ids) < 2:
        raise ConfigError("One run has nothing to be compared with. Expected two or more ids.")
    store = Store()
    documents = [run_document(store, run_id) for run_id in run_ids]
    sides = _sides(store, documents, output, is_grouped)
    found = compare_sides(sides)
    firsts = [side.run_ids[0] for side in sides] if len(sides) < len(run_ids) else run_ids
    differences = queries.config_differences(store, firsts)
    said = verdict(found, sides, sides[0].key, {run_id: run_id for run_id in run_ids})
    if json:
        versions = {document["dataset_version"] for document in documents if document.get("dataset_version")}
        fields = [{"field": field, "values": values} for field, values in differences]
        print_json(
            {"runs": documents, "differences": fields, "same_data": len(versions) <= 1, "verdict": vars(said)}
            | _document(found, found.place(sides[0].key))
        )
        return
    for line in (said.headline, said.numbers, said.reach):
        if line:
            print(line)
    print()
    _print_sides(found, sides, documents)
    print()
    columns = [side.name for side in sides] if len(sides) < len(run_ids) else run_ids
    print_table(
        ("differs", *columns), [(field, *(values.get(run_id) for run_id in firsts)) for field, values in differences]
    )
    for note in said.notes:
        say(note)


def _sides(store: Store, documents: Sequence[dict[str, Any]], output: str, is_grouped: bool | None) -> list[Side]:
    rows = [queries.summary(store, document["run_id"]) for document in documents]
    results = {row["run_id"]: store.read_result(row["run_id"]) for row in rows}
    if output:
        known = {name for result in results.values() for name in (result or {}).get("outputs", ())}
        if output not in known:
            raise UnknownNameError("output", output, known)
        rows = [row | {"main_output": output} for row in rows]
    origins = origins_of(list_datasets(store.root))
    runs = [
        answered_run(row, results[row["run_id"]], lambda run_id, name: queries.answers(store, run_id, name), origins)
        for row in rows
    ]
    groups = {row["run_id"]: row["group_id"] or row["run_id"] for row in rows}
    count = len(set(groups.values()))
    if is_grouped and count == 1:
        raise ConfigError(
            "These runs differ in their seed only, so they are one group. Expected runs of two or more configs. "
            "Leave out --groups to compare them one by one."
        )
    if is_grouped or (is_grouped is None and 1 < count < len(rows)):
        return sides_of(runs, groups, group_names(rows, lambda ids: queries.config_differences(store, ids)))
    names = {run.run_id: run.run_id for run in runs}
    return sides_of(runs, names, names)


def _print_sides(found: Comparison, sides: Sequence[Side], documents: Sequence[dict[str, Any]]) -> None:
    by_id = {document["run_id"]: document for document in documents}
    first = found.place(sides[0].key)
    rows = []
    for side in sides:
        document, place = by_id[side.run_ids[0]], found.place(side.key)
        costs = (grouped(document.get("num_params")), grouped(document.get("macs")))
        if place is None:
            own = percent(document.get("test_accuracy")) if len(side.run_ids) == 1 else ""
            rows.append((side.name, _statuses(side, by_id), own, *[""] * 9, *costs))
            continue
        one = found.standings[place]
        numbers = (percent(one.mean), _interval(one.low, one.high), str(one.n), rank_text(one), one.letters)
        effect = ("",) * 5 if first is None or place == first else _effect(found.against(place, first), one.n)
        rows.append((one.name, _statuses(side, by_id), *numbers, *effect, *costs))
    columns = (
        "side", "status", "test accuracy", "95 % interval", "n", "rank", "ties", "difference", "its interval",
        "p (Holm)", "only it right", "only the first right", "parameters", "MACs",
    )  # fmt: skip
    print_table(columns, rows, right=[name for name in columns[2:] if name != "ties"])


def _statuses(side: Side, by_id: dict[str, dict[str, Any]]) -> str:
    return ", ".join(dict.fromkeys(by_id[run_id]["status"] for run_id in side.run_ids))


def _interval(low: float, high: float) -> str:
    return "" if math.isnan(low) else f"{percent(low)} to {percent(high)}"


def _effect(found: Against, n: int) -> tuple[str, ...]:
    value = found.difference
    interval = "" if math.isnan(value.low) else f"{points(value.low)} to {points(value.high)}"
    images = counted(found.fixed, n), counted(found.broken, n)
    return points(value.value), interval, p_number(found.p), *images


def _document(found: Comparison, first: int | None) -> dict[str, Any]:
    return {
        "num_images": found.shared.num_images,
        "sides": [
            {
                "key": one.key,
                "name": one.name,
                "run_ids": one.run_ids,
                "n": one.n,
                "accuracies": one.accuracies,
                "test_accuracy": one.mean,
                "test_accuracy_95": [one.low, one.high],
                "rank": [one.best_rank, one.worst_rank],
                "ties": one.letters,
                "missing": one.missing,
            }
            for one in found.standings
        ],
        "against_first": [
            {"name": found.standings[place].name} | _against_document(found.against(place, first))
            for place in range(len(found.standings))
            if first is not None and place != first
        ],
        "pairs": [
            {
                "names": [found.standings[one].name, found.standings[other].name],
                "difference": float(found.pairs.difference[one, other]),
                "p_holm": float(found.p[one, other]),
                "is_told_apart": bool(found.is_told_apart[one, other]),
                "only_first_right": float(found.pairs.fixed[one, other]),
                "only_second_right": float(found.pairs.fixed[other, one]),
            }
            for one, other in combinations(range(len(found.standings)), 2)
        ],
        "not_compared": dict(found.refused.values()),
    }


def _against_document(found: Against) -> dict[str, Any]:
    value, shuffled = found.difference, found.shuffled
    return {
        "difference": value.value,
        "difference_95": [value.low, value.high],
        "p": value.p,
        "p_holm": found.p,
        "is_told_apart": found.is_told_apart,
        "only_it_right": found.fixed,
        "only_first_right": found.broken,
        "speaks_of": found.speaks_of,
        "welch_over_seeds": _welch_document(found.over_seeds),
        "permutation_over_seeds": {"p": shuffled.p, "smallest_p": shuffled.smallest, "is_exact": shuffled.is_exact}
        if shuffled
        else None,
    }


def _welch_document(value: Difference | None) -> dict[str, Any] | None:
    return {"difference_95": [value.low, value.high], "p": value.p} if value else None
