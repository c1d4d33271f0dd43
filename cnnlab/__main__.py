"""The command line: `python -m cnnlab`, or `cnnlab` where the scripts are on the path."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from typer.exceptions import Abort, TyperException

import cnnlab
from cnnlab.commands import (
    ablation,
    annotate,
    catalogues,
    compare,
    datasets,
    doctor,
    evaluate,
    exchange,
    features,
    finding,
    inspect,
    measure,
    runs,
    training,
    tuning,
)
from cnnlab.errors import CNNLabError

app = typer.Typer(
    help="Learn, train, tune and compare convolutional networks for image classification.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(datasets.app, name="datasets", help="List, import and delete data sets.")
app.command("architectures")(catalogues.list_architectures)
app.command("augmentations")(catalogues.list_augmentations)
app.command("inspect")(inspect.inspect_network)
app.command("train")(training.train)
app.command("submit")(training.submit)
app.command("queue")(training.show_queue)
app.command("cancel")(training.cancel)
app.command("pause")(training.pause)
app.command("resume")(training.resume)
app.command("retry")(training.retry)
app.command("extend")(training.extend)
app.command("warm")(training.warm)
app.command("runs")(runs.list_runs)
app.command("show")(runs.show)
app.command("compare")(compare.compare)
app.command("evaluate")(evaluate.evaluate)
app.command("ablate")(ablation.ablate)
app.command("ablation")(ablation.ablation)
app.command("tune")(tuning.tune)
app.command("studies")(tuning.list_studies)
app.command("study")(tuning.study)
app.command("measure")(measure.measure)
app.command("find-rate")(finding.find_rate)
app.command("find-batch")(finding.find_batch)
app.command("doctor")(doctor.doctor)
app.command("features")(features.features)
app.command("import-runs")(exchange.import_runs_command)
app.command("export")(exchange.export_command)
app.command("logs")(runs.logs)
app.command("annotate")(annotate.annotate)
app.command("disk")(annotate.disk)
app.command("delete")(runs.delete)
app.command("restore")(runs.restore)
app.command("empty-trash")(annotate.empty_trash)


def _version(is_asked: bool) -> None:
    if is_asked:
        print(f"cnnlab {cnnlab.__version__}")
        raise typer.Exit


@app.callback()
def choose_store(
    store: Annotated[
        Path | None, typer.Option("--store", help="Folder of runs and data sets; else CNNLAB_STORE, else experiments.")
    ] = None,
    is_version: Annotated[  # noqa: ARG001 answered by its callback
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Every command, and every process it starts, works on one store."""
    if store is not None:
        os.environ["CNNLAB_STORE"] = str(store.expanduser().resolve())


@app.command("dashboard")
def dashboard(
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Port of the page.")] = 8501,
    address: Annotated[
        str, typer.Option("--address", help="Who may come in: 127.0.0.1 is this machine alone.")
    ] = "127.0.0.1",
    is_opened: Annotated[bool, typer.Option("--browser/--no-browser", help="Open a browser.")] = True,
) -> None:
    """Open the dashboard in a browser."""
    from dashboard.launcher import serve

    serve(port=port, address=address, store_root=os.environ.get("CNNLAB_STORE"), open_browser=is_opened)


def main(arguments: list[str] | None = None) -> None:
    """Run one command; leave with 0 on success, 1 when a run failed, 2 on bad input, 130 on Ctrl-C."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code; bad input is one sentence on standard error."""
    try:
        code = app(_store_first(arguments), standalone_mode=False)
    except CNNLabError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except TyperException as error:
        if error.format_message():
            sys.stderr.write(f"{error.format_message()} See 'python -m cnnlab --help'.\n")
        return error.exit_code
    except (KeyboardInterrupt, Abort):
        sys.stderr.write("Cancelled.\n")
        return 130
    return code if isinstance(code, int) else 0


def _store_first(arguments: list[str]) -> list[str]:
    """Take `--store DIR` from anywhere on the line, where people write it, to where typer reads it."""
    front: list[str] = []
    rest: list[str] = []
    words = iter(arguments)
    for word in words:
        if word == "--store":
            front += [word, *[value for value in [next(words, None)] if value is not None]]
        elif word.startswith("--store="):
            front.append(word)
        else:
            rest.append(word)
    return front + rest


if __name__ == "__main__":
    main()
