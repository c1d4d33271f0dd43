"""`import-runs` and `export`: runs from and for TensorBoard, MLflow, CSV, Keras Tuner and parquet."""

from pathlib import Path
from typing import Annotated, Any

import typer

from cnnlab.commands.output import JsonOption, print_json, print_table, say
from cnnlab.commands.progress import ProgressOption, with_progress
from cnnlab.errors import ConfigError, UnknownNameError
from cnnlab.exchange.converting import ImportOptions
from cnnlab.exchange.csv_columns import ROLES
from cnnlab.exchange.epochs import COUNTINGS, Counting
from cnnlab.exchange.exporting import FORMATS, export_runs
from cnnlab.exchange.found import counted
from cnnlab.exchange.importing import Look, import_runs, look
from cnnlab.exchange.names import Target, target_of
from cnnlab.exchange.report import told_remarks, told_troubles
from cnnlab.runs.origin import TOOLS
from cnnlab.runs.store import Store

# So many reasons are printed; '--json' has them all.
MOST_SHOWN, MOST_NOTES = 20, 5


def import_runs_command(
    path: Annotated[Path, typer.Argument(help="A file, a folder, or a zip of such.")],
    format: Annotated[str, typer.Option("--format", help=f"One of {', '.join(TOOLS)}; found out when left out.")] = "",
    mapping: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="NAME=PLACE",
            help="What a name becomes: 'top1=val:accuracy', 'acc=train:accuracy%' for percent ('!' for not), 'x=-' to "
            "leave it out.",
        ),
    ] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option("--column", metavar="NAME=ROLE", help=f"What a column of a CSV file is: {', '.join(ROLES)}."),
    ] = None,
    steps: Annotated[str, typer.Option("--steps", help=f"What steps are: {', '.join(COUNTINGS)}.")] = "auto",
    is_look: Annotated[bool, typer.Option("--look", help="Say what would be imported, and import nothing.")] = False,
    shown_path: Annotated[str, typer.Option("--said-path", hidden=True)] = "",
    json: JsonOption = False,
    is_progress_json: ProgressOption = False,
) -> None:
    """Import runs of TensorBoard, MLflow, CSV files or Keras Tuner; again adds nothing."""
    options = import_options(mapping or [], steps)
    roles = _pairs(columns or [], "--column", "epoch=epoch")
    store, tool = Store(), format or None
    if is_look:
        _print_look(look(path, store.cache_dir / "exchange", tool, options, roles), json)
        return
    report = with_progress(
        is_progress_json,
        lambda tell: import_runs(
            store, path, tool=tool, options=options, columns=roles, shown_path=shown_path or None, progress=tell
        ),
    )
    if json:
        print_json(report.to_dict())
        return
    print(report.sentence())
    for note in report.notes:
        print(note)
    for run_id in report.imported:
        earlier = report.newer.get(run_id)
        print(run_id + (f" (a later state of {', '.join(earlier)})" if earlier else ""))
    for line in (*told_remarks(report.remarks, MOST_NOTES), *told_troubles(report.troubles, MOST_NOTES)):
        print(line)
    for one in report.skipped[:MOST_SHOWN]:
        say(f"Left out {one.key}: {one.reason}")


def export_command(
    to: Annotated[Path, typer.Option("--to", help="A new folder, or a name that ends in '.zip'.")],
    run_ids: Annotated[list[str] | None, typer.Argument(help="Ids of runs, or 'all'.")] = None,
    ids_file: Annotated[
        Path | None, typer.Option("--ids", help="A file with the ids, one a line; for more than a command line holds.")
    ] = None,
    format: Annotated[str, typer.Option("--format", help=f"One of {', '.join(FORMATS)}.")] = "parquet",
    has_predictions: Annotated[
        bool, typer.Option("--predictions/--no-predictions", help="With the answers to images (parquet, mlflow).")
    ] = True,
    has_models: Annotated[bool, typer.Option("--models/--no-models", help="With the networks (mlflow).")] = False,
    json: JsonOption = False,
    is_progress_json: ProgressOption = False,
) -> None:
    """Export runs as parquet, as CSV, for TensorBoard or for MLflow."""
    store = Store()
    if format not in FORMATS:
        raise UnknownNameError("format", format, FORMATS)
    wanted = store.run_ids() if run_ids == ["all"] else [*(run_ids or []), *_ids(ids_file)]
    done = with_progress(
        is_progress_json,
        lambda tell: export_runs(
            store, wanted, to, format, predictions=has_predictions, models=has_models, progress=tell
        ),
    )
    if json:
        print_json(done.to_dict())
        return
    print(f"{counted(done.runs, 'run')} in {done.path} ({done.size_bytes / 1e6:.1f} MB).")


def _ids(path: Path | None) -> list[str]:
    try:
        return [] if path is None else path.read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"The ids in {str(path)!r} cannot be read: {error}. Expected a text file with one id a line. "
            "Check the path."
        ) from None


def import_options(mapping: list[str], steps: str) -> ImportOptions:
    """Return the options that `--map` and `--steps` say; raises `ConfigError` where they say none."""
    counting: dict[str, Counting] = {name: name for name in COUNTINGS}
    if steps not in counting:
        raise UnknownNameError("counting of steps", steps, COUNTINGS)
    targets: dict[str, Target | None] = {
        name: target_of(place) for name, place in _pairs(mapping, "--map", "top1=val:accuracy").items()
    }
    return ImportOptions(targets, counting[steps])


def _pairs(items: list[str], flag: str, example: str) -> dict[str, str]:
    """Return the pairs of `name=value`; a name may hold '=', a value may not."""
    found = {}
    for item in items:
        name, equals, value = item.rpartition("=")
        if not equals or not name or not value:
            raise ConfigError(f"{flag} {item!r} cannot be read. Expected name=value. Write for instance {example}.")
        found[name] = value
    return found


def _print_look(found: Look, is_json: bool) -> None:
    if is_json:
        print_json(look_document(found))
        return
    print(f"{TOOLS[found.tool]}: {counted(found.runs, 'run')}, the first {found.looked_at:,} looked at.")
    for note in found.notes:
        print(note)
    if found.columns:
        print_table(("column", "role"), list(found.columns.items()))
    rows = [
        (one.name, one.target.text() if one.target else "-", one.runs, one.points, f"{one.low:g}", f"{one.high:g}")
        for one in found.names
    ]
    print_table(("name", "becomes", "runs", "numbers", "lowest", "highest"), rows, right=("runs", "numbers"))
    if found.parameters:
        print(f"Parameters: {', '.join(found.parameters)}")


def look_document(found: Look) -> dict[str, Any]:
    """Return what an import would find, as plain values."""
    names = [
        {
            "name": one.name,
            "becomes": one.target.text() if one.target else "-",
            "runs": one.runs,
            "numbers": one.points,
            "lowest": one.low,
            "highest": one.high,
        }
        for one in found.names
    ]
    return {
        "tool": found.tool,
        "runs": found.runs,
        "looked_at": found.looked_at,
        "names": names,
        "parameters": list(found.parameters),
        "columns": dict(found.columns),
        "notes": list(found.notes),
    }
