"""`tune`, `studies`, `study`: search over the settings of a run, see what came out, stop it and go on."""

from typing import Annotated, Any

import typer

from cnnlab.commands.options import with_study
from cnnlab.commands.output import JsonOption, percent, print_json, print_table, say
from cnnlab.commands.studies import document, follow_study, ranked_rows, values_text
from cnnlab.errors import ConfigError
from cnnlab.launch.queue import Queue
from cnnlab.runs import studies as stored
from cnnlab.runs.store import Store
from cnnlab.settings.study import StudyConfig, study_from_dict
from cnnlab.tuning import control

ACTIONS = ("stop", "resume", "add-trials", "width", "cancel", "delete", "restore")


@with_study
def tune(
    values: dict[str, Any],
    searched: Annotated[
        list[str] | None,
        typer.Option("--search", help="setting=range, such as 'training.learning_rate=float(1e-4, 1e-1, log)'."),
    ] = None,
    objectives: Annotated[
        list[str] | None,
        typer.Option("--objective", help="metric:max or metric:min, such as val_accuracy:max; may be repeated."),
    ] = None,
    algorithm: Annotated[
        str | None, typer.Option("--algorithm", help="random, grid, bayesian, hyperband, tpe, asha or nsga2.")
    ] = None,
    trials: Annotated[int | None, typer.Option("--trials", min=1, help="At most so many.")] = None,
    hours: Annotated[float | None, typer.Option("--hours", help="No trial begins after so many.")] = None,
    executions: Annotated[int | None, typer.Option("--executions", min=1, help="Runs of each trial.")] = None,
    pruning: Annotated[str | None, typer.Option("--pruning", help="none, median or percentile.")] = None,
    workers: Annotated[int | None, typer.Option("--workers", min=1, help="Trials at a time.")] = None,
    engine: Annotated[
        str | None, typer.Option("--engine", help="Who places the workers: local, or one that a package brings.")
    ] = None,
    search_seed: Annotated[int | None, typer.Option("--search-seed", min=0, help="Of the search.")] = None,
    is_detached: Annotated[bool, typer.Option("--detach", help="Return at once; the study goes on.")] = False,
    json: JsonOption = False,
) -> None:
    """Search over settings of a run and wait; Ctrl-C stops the study, which can be resumed.

    --config takes a study's YAML, or a run's with --search beside it.
    """
    config = _config(
        values,
        searched or [],
        objectives or [],
        {
            ("algorithm", "name"): algorithm,
            ("budget", "trials"): trials,
            ("budget", "hours"): hours,
            ("budget", "executions"): executions,
            ("pruning", "rule"): pruning,
            ("workers",): workers,
            ("engine",): engine,
            ("seed",): search_seed,
        },
    )
    store, queue = Store(), Queue()
    made = control.start_study(store, config, queue=queue)
    if is_detached:
        print_json(document(store, made.study_id)) if json else print(made.study_id)
        say(f"See it with 'python -m cnnlab study {made.study_id}'.")
        return
    say(f"{made.study_id}: {config.title}.")
    follow_study(store, queue, made.study_id)
    _show(store, made.study_id, is_json=json)
    if stored.study(store, made.study_id).status.state != "completed":
        raise typer.Exit(1)


def list_studies(json: JsonOption = False) -> None:
    """List the studies of the store, newest first."""
    store = Store()
    Queue().tick()
    found = [document(store, one.study_id) for one in stored.studies(store)]
    if json:
        print_json({"studies": [{key: part for key, part in one.items() if key != "trials"} for one in found]})
        return
    if not found:
        print(
            "No studies yet. Start one with 'python -m cnnlab tune --dataset digits "
            '--search "training.learning_rate=float(1e-4, 1e-1, log)"\'.'
        )
        return
    columns = ("study", "name", "state", "algorithm", "trials", "best")
    print_table(columns, [_line(one) for one in found], right=("trials",))


def study(
    words: Annotated[
        list[str],
        typer.Argument(help=f"A study's id; or one of {', '.join(ACTIONS)}, the id, and a number or a trial's id."),
    ],
    json: JsonOption = False,
) -> None:
    """Show a study, or change it: 'study ID', 'study stop ID', 'study resume ID', 'study add-trials ID 10',
    'study width ID 2', 'study cancel ID TRIAL', 'study delete ID', 'study restore ID'."""
    store, queue = Store(), Queue()
    queue.tick()
    if words[0] not in ACTIONS:
        if len(words) > 1:
            raise ConfigError(
                f"Unknown action {words[0]!r}. Expected one of: {', '.join(ACTIONS)}. See 'study --help'."
            )
        _show(store, words[0], is_json=json)
        return
    action, study_id, rest = words[0], (words[1:] or [""])[0], words[2:]
    needed = {"add-trials": "a number of trials", "width": "a number of workers", "cancel": "a trial's id"}.get(action)
    if not study_id or len(rest) != (1 if needed else 0):
        wanted = f"a study's id{f' and {needed}' if needed else ''}"
        raise ConfigError(f"'study {action}' cannot be read. Expected {wanted} behind it. See 'study --help'.")
    said = _act(store, queue, action, study_id, rest[0] if rest else "")
    if json:
        print_json({"study_id": study_id, "action": action})
    else:
        say(f"{study_id}: {said}")


def _act(store: Store, queue: Queue, action: str, study_id: str, word: str) -> str:
    if action == "stop":
        control.stop_study(store, study_id, queue=queue)
        return f"stops and keeps its state; go on with 'python -m cnnlab study resume {study_id}'."
    if action == "resume":
        control.resume_study(store, study_id, queue=queue)
        return "goes on."
    if action == "add-trials":
        return f"may make {control.add_trials(store, study_id, _number(word, action), queue=queue)} trials in all."
    if action == "width":
        control.set_width(store, study_id, _number(word, action))
        return f"trains {word} trials at a time."
    if action == "cancel":
        control.cancel_trial(store, study_id, word, queue=queue)
        return f"trial {word} ends; the search goes on."
    if action == "delete":
        stored.delete_study(store, study_id)
        return f"in the trash, its runs stay; bring it back with 'python -m cnnlab study restore {study_id}'."
    stored.restore_study(store, study_id)
    return "restored."


def _number(word: str, action: str) -> int:
    if not word.isdecimal() or int(word) < 1:
        raise ConfigError(f"'study {action}' takes a number, got {word!r}. Expected 1 or more. Give another.")
    return int(word)


def _config(
    values: dict[str, Any], searched: list[str], objectives: list[str], chosen: dict[tuple[str, ...], Any]
) -> StudyConfig:
    space = dict(values.get("space") or {})
    for text in searched:
        path, equals, body = text.partition("=")
        if not equals:
            raise ConfigError(
                f"--search {text!r} cannot be read. Expected setting=range, such as "
                "--search 'training.learning_rate=float(1e-4, 1e-1, log)'. Add the range."
            )
        space[path.strip()] = body.strip()
    if not space:
        raise ConfigError(
            "There is nothing to search. Expected at least one --search, such as "
            "--search 'training.learning_rate=float(1e-4, 1e-1, log)'. Add one."
        )
    study = {**values, "space": space}
    if objectives:
        study["objectives"] = objectives
    if study["run"].get("name") and not study.get("name"):
        study["name"] = study["run"].pop("name")
    for keys, value in chosen.items():
        if value is not None:
            *parts, last = keys
            place = study
            for part in parts:
                place[part] = dict(place.get(part) or {})
                place = place[part]
            place[last] = value
    return study_from_dict(study)


def _show(store: Store, study_id: str, *, is_json: bool) -> None:
    found = document(store, study_id)
    if is_json:
        print_json(found)
        return
    names = list(found["objectives"])
    columns = ("trial", "status", *names, "epochs", "values", "run", "reason")
    rows = [
        (
            row["trial_id"],
            row["status"],
            *(_score(name, row["objectives"].get(name)) for name in names),
            row["epochs_done"],
            values_text(row["values"]),
            (row["run_ids"] or [""])[0],
            row["reason"] if row["status"] != "completed" else None,
        )
        for row in ranked_rows(found)
    ]
    print_table(columns, rows, right=(*names, "epochs"))
    counts = ", ".join(f"{count} {status}" for status, count in found["counts"].items() if count)
    say(
        f"{found['name']} ({found['algorithm']}): {found['state']}, {counts or 'no trial yet'}. {found['reason'] or ''}"
    )


def _line(found: dict[str, Any]) -> tuple[Any, ...]:
    best, names = found["best"], list(found["objectives"])
    score = "" if best is None else ", ".join(f"{name} {_score(name, best['objectives'].get(name))}" for name in names)
    made = f"{len(found['trials'])}/{found['max_trials']}"
    return (found["study_id"], found["name"], found["state"], found["algorithm"], made, score)


def _score(name: str, value: float | None) -> str:
    if value is None:
        return ""
    return percent(value) if "accuracy" in name else f"{value:,.5g}"
