"""`datasets list|show|import|delete`; `marks` and `correct` are in `cnnlab.commands.marks`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from cnnlab.commands.marks import correct_command, marks_command
from cnnlab.commands.options import with_model
from cnnlab.commands.output import JsonOption, grouped, print_json, print_table, say
from cnnlab.commands.progress import ProgressOption, with_progress
from cnnlab.datasets.catalogue import DATASETS
from cnnlab.datasets.importing import ImportOptions, import_images
from cnnlab.datasets.storage import DatasetInfo, delete_dataset, find_dataset, list_datasets, open_dataset
from cnnlab.runs.store import Store

# So many names of skipped files are printed; '--json' and dataset.json have them all.
MOST_SKIPPED_SHOWN = 20

app = typer.Typer(no_args_is_help=True)
app.command("marks")(marks_command)
app.command("correct")(correct_command)


@app.command("list")
def list_command(json: JsonOption = False) -> None:
    """List the data sets of the catalogue and those in the store."""
    stored = list_datasets(Store().root)
    if json:
        print_json({"catalogue": [_entry_document(name) for name in DATASETS], "stored": [document(i) for i in stored]})
        return
    rows: list[tuple[Any, ...]] = []
    for entry in DATASETS.values():
        where = "needs the network once" if entry.needs_network else "there at once"
        classes = " x ".join(str(len(names)) for names in entry.outputs.values())
        rows.append((entry.name, _size(entry.image_shape), classes, grouped(entry.num_images), where))
    for info in stored:
        classes = " x ".join(str(len(names)) for names in info.outputs.values())
        where = f"in the store, version {info.version}"
        rows.append((info.name, _size(info.image_shape), classes, grouped(info.num_images), where))
    print_table(("name", "size", "classes", "images", ""), rows, right=("classes", "images"))


@app.command("show")
def show_command(
    name: Annotated[str, typer.Argument(help="A name from 'datasets list'.")],
    version: Annotated[str | None, typer.Option("--version", help="The newest when left out.")] = None,
    json: JsonOption = False,
) -> None:
    """Show one data set: classes, splits, version, files left out. Builds a catalogue set if need be."""
    root = Store().root
    info = open_dataset(root, name).info if name in DATASETS and not version else find_dataset(root, name, version)
    _print_info(info, json)


@app.command("import")
@with_model(ImportOptions, "the import")
def import_command(
    options: ImportOptions,
    source: Annotated[Path, typer.Argument(help="A zip or a folder with one sub-folder per class.")],
    name: Annotated[str, typer.Option("--name", help="What the data set is called from now on.")],
    json: JsonOption = False,
    is_progress_json: ProgressOption = False,
) -> None:
    """Import your own images."""
    root = Store().root
    info = with_progress(is_progress_json, lambda tell: import_images(source, root, name, options, tell))
    _print_info(info, json)


@app.command("delete")
def delete_command(
    name: Annotated[str, typer.Argument(help="A name from 'datasets list'.")],
    version: Annotated[str | None, typer.Option("--version", help="All versions when left out.")] = None,
    is_sure: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete a data set from the store. It cannot be undone; runs that used it stay."""
    root = Store().root
    find_dataset(root, name, version)
    if not is_sure and not typer.confirm(f"Delete data set {name!r} for good?"):
        raise typer.Exit(1)
    for info in delete_dataset(root, name, version):
        say(f"{info.name}, version {info.version}: deleted.")


def document(info: DatasetInfo) -> dict[str, Any]:
    """Return what is known of a stored data set, as plain values."""
    return {
        "name": info.name,
        "version": info.version,
        "title": info.title,
        "source": info.source,
        "image_shape": list(info.image_shape),
        "outputs": {name: list(classes) for name, classes in info.outputs.items()},
        "counts": dict(info.counts),
        "num_images": info.num_images,
        "skipped": [{"file": one.file, "reason": one.reason} for one in info.skipped],
        "notes": list(info.notes),
        "parameters": dict(info.parameters),
        "created_at": info.created_at,
        "path": str(info.path),
    }


def _print_info(info: DatasetInfo, is_json: bool) -> None:
    if is_json:
        print_json(document(info))
        return
    print(f"{info.name}, version {info.version}: {info.num_images:,} images of {_size(info.image_shape)}")
    print("splits: " + ", ".join(f"{split} {count:,}" for split, count in info.counts.items()))
    for output, classes in info.outputs.items():
        print(f"{output}: {', '.join(classes)}")
    for note in info.notes:
        print(note)
    if info.skipped:
        print(f"{len(info.skipped)} files left out:")
        for one in info.skipped[:MOST_SKIPPED_SHOWN]:
            print(f"  {one.file}: {one.reason}")
        if len(info.skipped) > MOST_SKIPPED_SHOWN:
            print(f"  and {len(info.skipped) - MOST_SKIPPED_SHOWN} more, all in {info.path / 'dataset.json'}")


def _entry_document(name: str) -> dict[str, Any]:
    entry = DATASETS[name]
    return {
        "name": entry.name,
        "title": entry.title,
        "summary": entry.summary,
        "image_shape": list(entry.image_shape),
        "outputs": {output: list(classes) for output, classes in entry.outputs.items()},
        "num_images": entry.num_images,
        "needs_network": entry.needs_network,
    }


def _size(shape: tuple[int, int, int]) -> str:
    return "x".join(str(side) for side in shape)
