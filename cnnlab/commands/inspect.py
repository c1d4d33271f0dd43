"""`inspect`: what a network costs, layer by layer, without training it."""

from typing import Annotated, Any, Literal

import psutil
import typer

from cnnlab.commands.options import pairs
from cnnlab.commands.output import JsonOption, grouped, percent, print_json, print_table, say
from cnnlab.errors import ConfigError

GIB = 2**30
MIB = 2**20
RIGHT = ("params", "MACs", "activation KiB", "field px", "stride px", "padding px", "of params", "of MACs")


def inspect_network(
    network: Annotated[
        str,
        typer.Argument(
            metavar="ARCH", help="An architecture, keras.applications:NAME, or the path of a .keras or .h5 file."
        ),
    ],
    parameters: Annotated[
        list[str] | None, typer.Option("-p", "--param", help="A setting of the network as name=value; may be repeated.")
    ] = None,
    input_shape: Annotated[
        str | None, typer.Option(help="Height, width, channels, such as 224,224,3. Default: the network's own.")
    ] = None,
    num_classes: Annotated[int | None, typer.Option(min=1, max=1_000_000, help="Classes of the output.")] = None,
    batch_size: Annotated[int, typer.Option(min=1, max=1_000_000, help="For the memory of training.")] = 32,
    optimizer: Annotated[
        Literal["sgd", "sgd_momentum", "rmsprop", "adagrad", "adam", "adamw"], typer.Option(help="Likewise.")
    ] = "adam",
    memory_gib: Annotated[
        float | None, typer.Option(min=0, help="Memory to train in. Default: of the first GPU, else of this machine.")
    ] = None,
    formulas: Annotated[
        bool, typer.Option("--formulas", help="Show each convolution's formulas with numbers.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Show what a network costs: parameters, MACs, activations, receptive field, memory; in total and by layer."""
    shape = _shape(input_shape) if input_shape else None
    document = _inspected(network, pairs(parameters or [], "-p"), shape, num_classes)
    document |= {"memory": _memory(document.pop("costs"), batch_size, optimizer, memory_gib)}
    if json:
        print_json(document)
        return
    _print_totals(document)
    _print_layers(document["layers"])
    if formulas:
        _print_formulas(document["layers"])
    _print_notes(document)


def _inspected(
    name: str, parameters: dict[str, Any], shape: tuple[int, int, int] | None, num_classes: int | None
) -> dict[str, Any]:
    import contextlib

    from cnnlab.analysis.costs import costs
    from cnnlab.analysis.document import document_of
    from cnnlab.analysis.networks import load_network, without_weights
    from cnnlab.analysis.saved_network import SUFFIXES

    # A saved model comes with its weights; any other network needs none to be counted.
    with contextlib.nullcontext() if name.lower().endswith(SUFFIXES) else without_weights():
        sample = load_network(name, parameters, shape, num_classes)
        counted = costs(sample.network, sample.input_shape)
        head = {"network": name, "input_shape": list(sample.input_shape), "parameters": parameters}
        return {**head, **document_of(counted), "notes": list(sample.notes), "costs": counted}


def _memory(counted: Any, batch_size: int, optimizer: str, memory_gib: float | None) -> dict[str, Any]:
    from cnnlab.analysis.memory import training_memory

    parts = training_memory(counted)
    budget, source = _budget(memory_gib)
    return {
        "is_estimated": True,
        "batch_size": batch_size,
        "optimizer": optimizer,
        "peak_bytes": parts.peak_bytes(batch_size, optimizer),
        **parts.as_document(),
        "budget_bytes": budget,
        "budget_source": source,
        "largest_batch_size": parts.largest_batch(budget, optimizer),
    }


def _budget(memory_gib: float | None) -> tuple[int, str]:
    if memory_gib is not None:
        return int(memory_gib * GIB), "--memory-gib"
    from cnnlab.runs.nvml import opened, text, visible_handles

    with opened() as nvml:
        for handle in visible_handles(nvml) if nvml else []:
            return int(nvml.nvmlDeviceGetMemoryInfo(handle).total), text(nvml.nvmlDeviceGetName(handle))
    return psutil.virtual_memory().total, "memory of this machine"


def _shape(written: str) -> tuple[int, int, int]:
    sides = [part.strip() for part in written.replace("x", ",").split(",")]
    if len(sides) != 3 or not all(side.isdecimal() and 0 < int(side) < 100_000 for side in sides):
        raise ConfigError(
            f"--input-shape {written!r} cannot be read. Expected height, width and channels, each above zero. "
            "Write it as in --input-shape 224,224,3."
        )
    height, width, channels = map(int, sides)
    return height, width, channels


def _print_totals(document: dict[str, Any]) -> None:
    field = document["receptive_field_px"]
    seen = "cannot be followed"
    if field is not None:
        seen = f"{field} px, every {document['effective_stride_px']} px, at {document['last_feature_map']}"
        if document["paths_are_aligned"]:
            seen += f"; effective padding {document['effective_padding_px']} px"
        else:
            seen += f"; paths are not aligned (together they see {document['receptive_field_union_px']} px)"
        seen += "; gates see the whole image" if document["sees_whole_image"] else ""
    memory = document["memory"]
    most = memory["largest_batch_size"]
    fits = f"largest batch {most} in" if most else "not one image fits in"
    rows = [
        ("input", " x ".join("any" if side is None else str(side) for side in document["input_shape"])),
        ("parameters", f"{grouped(document['num_params'])}, {grouped(document['trainable_params'])} trained"),
        ("MACs", grouped(document["macs"]) or "not counted"),
        ("activations", f"{document['activation_bytes'] / MIB:,.2f} MiB"),
        ("receptive field", seen),
        (
            "training memory",
            f"about {memory['peak_bytes'] / GIB:,.2f} GiB at batch {memory['batch_size']} with {memory['optimizer']}; "
            f"{fits} {memory['budget_bytes'] / GIB:,.1f} GiB ({memory['budget_source']})",
        ),
    ]
    print_table(("of one image", document["network"]), rows)
    print()


def _print_layers(rows: list[dict[str, Any]]) -> None:
    columns = ("layer", "kind", "output", *RIGHT)
    print_table(columns, map(_cells, rows), right=RIGHT)
    print()


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    size = row["activation_bytes"]
    field, padding = row["receptive_field_px"], row["effective_padding_px"]
    if field is None:
        seen = ("all" if row["sees_whole_image"] else "", "", "")
    else:
        seen = (
            f"{field}{' +all' if row['sees_whole_image'] else ''}",
            f"{row['effective_stride_px']:g}",
            "unaligned" if padding is None else str(padding),
        )
    return (
        row["name"] + (f" ({row['calls']} calls)" if row["calls"] > 1 else ""),
        row["kind"],
        "x".join("?" if side is None else str(side) for side in row["output_shape"]),
        grouped(row["num_params"]),
        grouped(row["macs"]) if row["counted"] else "not counted",
        "" if size is None else f"{size / 1024:,.1f}",
        *seen,
        percent(row["params_share"], 1),
        percent(row["macs_share"], 1),
    )


def _print_formulas(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        if not row["formulas"]:
            continue
        padding = ", ".join(f"{side} {before}+{after}" for side, (before, after) in (row["padding"] or {}).items())
        print(f"{row['name']} ({row['kind']}{'; padding ' + padding if padding else ''})")
        for formula in row["formulas"]:
            print(f"  {formula['what']}: {formula['letters']} = {formula['numbers']} = {formula['value']:,}")
    print()


def _print_notes(document: dict[str, Any]) -> None:
    if document["not_counted"]:
        print(f"Not counted: {', '.join(document['not_counted'])}.")
    for note in (*document["notes"], *document["conventions"].values()):
        say(note)
