"""What is in a store: one description of every table, with units and notes.

From it come the Arrow schemas, the writer's checks and `experiments/README.md`
(`python -m cnnlab.runs.schema` writes it, a test keeps it true).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cnnlab.errors import StoreError, suggestion

if TYPE_CHECKING:
    import polars
    import pyarrow

# Raised by one when a reader of before would misread what is written now; see migrations.py.
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        dtype: One of `DTYPES`; text is plain strings, never dictionary-encoded.
        unit: Empty where there is none.
    """

    name: str
    dtype: str
    note: str
    unit: str = ""
    is_nullable: bool = False


@dataclass(frozen=True)
class Table:
    """One kind of parquet file."""

    name: str
    path: str
    note: str
    columns: tuple[Column, ...]

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]


DTYPES = (
    "string",
    "bool",
    "int32",
    "int64",
    "float64",
    "list<int32>",
    "list<float32>",
    "list<string>",
    "timestamp[us, UTC]",
)

_RUN_ID = Column("run_id", "string", "Name of the run's folder.")
_OUTPUT = Column("output", "string", "Name of the network's output; empty for all outputs together.")

METRICS = Table(
    "metrics",
    "runs/<run_id>/metrics/metrics.parquet",
    "One row per number measured while training (long form), in the order of measuring.",
    (
        _RUN_ID,
        Column("epoch", "int32", "Counted from 1.", "epochs"),
        Column("step", "int64", "Optimizer updates done so far.", "steps"),
        Column("split", "string", "`train` or `val`; `test` in imported runs only."),
        _OUTPUT,
        Column(
            "metric",
            "string",
            "`loss`, `accuracy`, `learning_rate`, `weight` (of an output in the loss, where it is learnt), or "
            "`feed_wait`: share of the steps' time that was waited for images. Imported runs have others too.",
        ),
        Column(
            "value",
            "float64",
            "Accuracy in [0, 1]. NaN and infinities are kept; null is missing.",
            is_nullable=True,
        ),
        Column("elapsed_s", "float64", "Since training began, pauses left out.", "s", is_nullable=True),
    ),
)

STEPS = Table(
    "steps",
    "runs/<run_id>/steps.parquet",
    "One row per optimizer step and output, with augmentation and dropout on. While the run lives: `steps.jsonl`, a "
    "line for some neighbouring steps at a time.",
    (
        _RUN_ID,
        Column("epoch", "int32", "Counted from 1.", "epochs"),
        Column("step", "int64", "Counted from 1 over all epochs.", "steps"),
        _OUTPUT,
        Column("loss", "float64", "Mean over the batch; what the optimizer made smaller where output is empty."),
        Column("accuracy", "float64", "Share of the batch, in [0, 1]; null for all outputs together.", "", True),
        Column("learning_rate", "float64", "Of this step."),
        Column("elapsed_s", "float64", "When the steps written with it were done, since training began.", "s"),
    ),
)

PROBES = Table(
    "probes",
    "runs/<run_id>/probes.parquet",
    "One row per layer for each look between two epochs, on up to 128 training images that stay the same, without "
    "augmentation. Every epoch of a second or longer has a look, of shorter ones 1, 2, 4, 8, ... and the last. While "
    "the run lives: `probes.jsonl`, a line per look.",
    (
        _RUN_ID,
        Column("epoch", "int32", "After which it was, counted from 1.", "epochs"),
        Column("step", "int64", "Optimizer updates done by then.", "steps"),
        Column("position", "int32", "Order in the network, of layers with weights or ReLU, counted from 0."),
        Column("layer", "string", "Name of the layer."),
        Column("kind", "string", "Keras class of the layer."),
        Column("is_frozen", "bool", "It has weights, and training may not change them."),
        Column("num_weights", "int64", "That training may change, frozen ones included.", "parameters"),
        Column("gradient_norm", "float64", "Of the loss by these weights (L2); null where frozen or none.", "", True),
        Column("weight_norm", "float64", "Of these weights together (L2).", "", True),
        Column(
            "weight_change",
            "float64",
            "Norm of what changed since the look before (the first weights, for the first look) over the norm then; "
            "null where that is not known.",
            "",
            True,
        ),
        Column("units", "int32", "Channels, or neurons, of a layer that ends in ReLU.", "", True),
        Column("dead_share", "float64", "Of the units, those that answer 0 for all images and places.", "", True),
        Column("activation_mean", "float64", "Of what the layer answers to the first 32.", "", True),
        Column("activation_std", "float64", "Of what the layer answers to the first 32.", "", True),
        Column("input_mean", "list<float32>", "Per channel, of what the first layer with weights sees.", "", True),
        Column("input_std", "list<float32>", "Per channel, of what the first layer with weights sees.", "", True),
    ),
)

PREDICTIONS = Table(
    "predictions",
    "runs/<run_id>/predictions.parquet",
    "One row per image and output, with the weights that the run kept.",
    (
        _RUN_ID,
        Column("sample_id", "string", "Of the image; the same in every run and version of a data set."),
        Column("split", "string", "`val` or `test`."),
        Column("output", "string", "Name of the network's output."),
        Column("label", "int32", "True class, counted from 0."),
        Column("predicted", "int32", "Class of the highest probability; null where one is NaN.", is_nullable=True),
        Column("probabilities", "list<float32>", "One per class, in the order of `outputs` in `result.json`."),
    ),
)

LAYERS = Table(
    "layers",
    "runs/<run_id>/layers.parquet",
    "One row per layer of the network, for one image.",
    (
        _RUN_ID,
        Column("position", "int32", "Order in the network, counted from 0."),
        Column("name", "string", "Of the layer."),
        Column("kind", "string", "Keras class of the layer."),
        Column("output_shape", "list<int32>", "Without the batch; null where unknown.", is_nullable=True),
        Column("num_params", "int64", "Weights of the layer.", "parameters"),
        Column("trainable_params", "int64", "Weights that training changes.", "parameters"),
        Column("macs", "int64", "Null where not counted; FLOPs are twice that.", "multiply-accumulates", True),
        Column("counted", "bool", "False: the layer computes, but nobody knows how to count it."),
    ),
)

SUMMARY = Table(
    "summary",
    "index/runs.parquet",
    "One row per ended run, by run_id. A copy for fast lists: delete it freely, it is rebuilt from the folders.",
    (
        _RUN_ID,
        Column("name", "string", "As given, or made from the config."),
        Column("state", "string", "`queued`, `running`, `paused`, `completed`, `failed`, `cancelled` or `lost`."),
        Column("created_at", "timestamp[us, UTC]", "When the folder was made.", is_nullable=True),
        Column("started_at", "timestamp[us, UTC]", "Of the last attempt.", is_nullable=True),
        Column("ended_at", "timestamp[us, UTC]", "Of the last attempt.", is_nullable=True),
        Column("dataset", "string", "Name of the data set.", is_nullable=True),
        Column("dataset_version", "string", "The one it trained on.", is_nullable=True),
        Column("architecture", "string", "Name in the catalogue.", is_nullable=True),
        Column("augmentation", "string", "The line; empty for none.", is_nullable=True),
        Column("optimizer", "string", "How gradients became steps.", is_nullable=True),
        Column("learning_rate", "float64", "The highest of the schedule.", is_nullable=True),
        Column("batch_size", "int32", "Images per step.", "images", True),
        Column("epochs", "int32", "Asked for.", "epochs", True),
        Column("epochs_done", "int32", "Finished so far.", "epochs", True),
        Column("seed", "int64", "Of weights, data order and augmentation.", is_nullable=True),
        Column("group_id", "string", "Shared by runs whose configs differ in the seed only.", is_nullable=True),
        Column("backend", "string", "Of Keras.", is_nullable=True),
        Column("num_params", "int64", "Weights of the network.", "parameters", True),
        Column("trainable_params", "int64", "Weights that training changes.", "parameters", True),
        Column("macs", "int64", "For one image; null where nothing was counted.", "multiply-accumulates", True),
        Column("depth", "int32", "Layers with weights on the longest way from image to answer.", "layers", True),
        Column("val_accuracy", "float64", "Of the main output at the best epoch, in [0, 1].", is_nullable=True),
        Column("test_accuracy", "float64", "Of the main output, in [0, 1].", is_nullable=True),
        Column("test_correct", "int64", "Test images whose main output is right.", "images", True),
        Column("test_n", "int64", "Test images.", "images", True),
        Column("test_loss", "float64", "Of the main output.", is_nullable=True),
        Column("best_epoch", "int32", "The one of the lowest validation loss.", is_nullable=True),
        Column("train_s", "float64", "Time spent training.", "s", True),
        Column("images_per_s", "float64", "Training images per second of training.", "1/s", True),
        Column("failure", "string", "Kind of failure; null where it did not fail.", is_nullable=True),
        Column("main_output", "string", "The output that accuracies speak of.", is_nullable=True),
        Column("serious_findings", "int32", "Of the doctor at the end; null where it did not look.", "", True),
        Column("study_id", "string", "The study that the run is of; null for others.", is_nullable=True),
        Column("trial_id", "string", "The trial of that study.", is_nullable=True),
        Column("origin", "string", "Tool and experiment that it was imported from; null for our own.", "", True),
        Column("is_foreign", "bool", "Imported without a config of ours; null for our own.", is_nullable=True),
        Column("notes", "string", "Of the config, or what a person wrote since; empty for none.", is_nullable=True),
        Column("tags", "list<string>", "That people gave it, in the order given."),
        Column("is_starred", "bool", "Somebody marked it."),
        Column("is_archived", "bool", "Somebody put it aside: lists leave it out unless they are asked for it."),
        Column("disk_bytes", "int64", "Of its folder when the row was made; null until it has ended.", "bytes", True),
    ),
)

HARDWARE = Table(
    "hardware",
    "runs/<run_id>/hardware.jsonl",
    "JSON lines, one object every 2 s while the trainer lives: what it uses of the machine.",
    (
        Column("time", "timestamp[us, UTC]", "ISO 8601 text in the file."),
        Column("elapsed_s", "float64", "Since the first line; not in the file, made by our reader.", "s"),
        Column("cpu_percent", "float64", "Of the trainer and its children; 100 is one core.", "%", True),
        Column("memory_bytes", "int64", "Resident memory of the trainer and its children.", "bytes", True),
        Column("gpu_percent", "float64", "Mean over the run's GPUs; null without one.", "%", True),
        Column("gpu_memory_bytes", "int64", "In use on the run's GPUs, by whomever.", "bytes", True),
        Column("gpu_memory_total_bytes", "int64", "Of the run's GPUs.", "bytes", True),
    ),
)

INFERENCE = Table(
    "inference",
    "runs/<run_id>/inference.parquet",
    "One row per batch size, written by `python -m cnnlab measure`, and of one image by a training that was asked to "
    "measure its latency: how fast the trained network answers, from pixels "
    "in memory to logits in memory, on one machine. Measuring again on the same machine, device and versions replaces "
    "the rows; others stay.",
    (
        _RUN_ID,
        Column("batch_size", "int32", "Images in one call.", "images"),
        Column("n", "int32", "Timed calls, after some untimed ones.", "calls"),
        Column("median_s", "float64", "Of a call.", "s"),
        Column("p10_s", "float64", "A tenth of the calls took at most that.", "s"),
        Column("p90_s", "float64", "Nine tenths of the calls took at most that.", "s"),
        Column("images_per_s", "float64", "`batch_size / median_s`.", "1/s"),
        Column(
            "memory_bytes",
            "int64",
            "By how much the resident memory of the process had grown at its highest, since before the network was "
            "loaded; batch sizes come in rising order in one process. Null where the process had trained it.",
            "bytes",
            True,
        ),
        Column("gpu_memory_bytes", "int64", "Highest use by the backend's tensors; null without GPU.", "bytes", True),
        Column("hardware", "string", "The GPU that computed, else the processor and its usable cores."),
        Column("versions", "string", "Of Python, Keras and its backend."),
        Column("load_1min", "float64", "Load of the machine just before; null where it is not kept.", "", True),
        Column("measured_at", "timestamp[us, UTC]", "When this batch size was done."),
    ),
)

FEATURES = Table(
    "features",
    "runs/<run_id>/features.parquet",
    "One row per output and classifier, written by `python -m cnnlab features`: how well a classifier of scikit-learn "
    "does on what the trained network computes just before its own classifier. Its setting is chosen on `val`, it "
    "learns on `train` and answers `test`. Doing it again replaces the row.",
    (
        _RUN_ID,
        Column("output", "string", "Name of the network's output whose classes are learnt."),
        Column("classifier", "string", "`svm` (LinearSVC), `knn` (k nearest neighbours) or `linear` (softmax)."),
        Column("setting", "string", "The one that did best on `val`, such as `C=0.1` or `k=5`."),
        Column("num_features", "int32", "Of one image, each brought to mean 0 and deviation 1 over `train`."),
        Column("n_train", "int32", "Images that it learnt on.", "images"),
        Column("val_accuracy", "float64", "In [0, 1]."),
        Column("test_accuracy", "float64", "In [0, 1]."),
        Column("test_correct", "int64", "Test images that are right.", "images"),
        Column("test_n", "int64", "Test images.", "images"),
        Column("test_low", "float64", "Low end of the 95 % Wilson interval of `test_accuracy`."),
        Column("test_high", "float64", "High end of it."),
        Column("fit_s", "float64", "Learning with all settings, without the features.", "s"),
        Column("versions", "string", "Of scikit-learn and Keras."),
        Column("measured_at", "timestamp[us, UTC]", "When it was done."),
    ),
)

INDEX = Table(
    "index",
    "index/runs.parquet",
    SUMMARY.note,
    (
        *SUMMARY.columns,
        Column("status_stamp", "string", "Of the `status.json` that the row was made from.", is_nullable=True),
        Column("made_name", "string", "The name before people gave it another."),
        Column("made_notes", "string", "The notes of its config.", is_nullable=True),
    ),
)

TRIALS = Table(
    "trials",
    "studies/<study_id>/trials.parquet",
    "One row per trial of a study that is not at work, in the order of their numbers. While it is at work: "
    "`trials.jsonl`, whose lines each say something of one trial; what a later line says of it holds.",
    (
        Column("trial_id", "string", "As the search calls it."),
        Column("number", "int32", "Counted from 1, in the order in which they were begun."),
        Column(
            "status",
            "string",
            "`waiting`, `running`, `completed`, `failed`, `stopped` (early, by the study) or `cancelled`.",
        ),
        Column("reason", "string", "Why it failed, was stopped or cancelled, in words.", is_nullable=True),
        Column("worker", "string", "Who trained it last, such as `worker0`.", is_nullable=True),
        Column("attempts", "int32", "How often a worker took it up.", is_nullable=True),
        Column("run_ids", "list<string>", "Its runs, one per execution, in the order of their seeds.", "", True),
        Column("values", "string", "JSON: what was tried, by dotted key of the config.", is_nullable=True),
        Column(
            "objectives",
            "string",
            "JSON: what it reached so far, by metric; the mean over its executions, at its best epoch.",
            is_nullable=True,
        ),
        Column("epochs_done", "int32", "Of its runs together.", "epochs", True),
        Column("started_at", "timestamp[us, UTC]", "When it was begun.", is_nullable=True),
        Column("ended_at", "timestamp[us, UTC]", "When it ended; null until then.", is_nullable=True),
    ),
)

TABLES = (METRICS, STEPS, PROBES, PREDICTIONS, LAYERS, INDEX, HARDWARE, INFERENCE, FEATURES, TRIALS)


def check_row(table: Table, row: dict[str, Any], where: str) -> None:
    """Raise `StoreError` where `row` has a column that the table lacks, or lacks one that may not be null."""
    for name in row:
        if name not in table.names:
            raise StoreError(f"Unknown column {name!r} in {where}. {suggestion(name, table.names)}")
    for column in table.columns:
        if not column.is_nullable and row.get(column.name) is None:
            raise StoreError(
                f"Column {column.name!r} is missing in {where}. Expected a {column.dtype}. Give it a value."
            )


def arrow_schema(table: Table) -> "pyarrow.Schema":
    """Return the Arrow schema, with unit and note of each column and the version in its metadata."""
    import pyarrow as pa

    types = {
        "string": pa.string(),
        "bool": pa.bool_(),
        "int32": pa.int32(),
        "int64": pa.int64(),
        "float64": pa.float64(),
        "list<int32>": pa.list_(pa.int32()),
        "list<float32>": pa.list_(pa.float32()),
        "list<string>": pa.list_(pa.string()),
        "timestamp[us, UTC]": pa.timestamp("us", tz="UTC"),
    }
    fields = [
        pa.field(c.name, types[c.dtype], nullable=c.is_nullable, metadata={"unit": c.unit, "note": c.note})
        for c in table.columns
    ]
    return pa.schema(fields, metadata={"cnnlab.table": table.name, "cnnlab.schema_version": str(SCHEMA_VERSION)})


def polars_schema(table: Table) -> "dict[str, polars.DataType]":
    """Return the types that frames of this table have."""
    import polars as pl

    types: dict[str, Any] = {
        "string": pl.String(),
        "bool": pl.Boolean(),
        "int32": pl.Int32(),
        "int64": pl.Int64(),
        "float64": pl.Float64(),
        "list<int32>": pl.List(pl.Int32()),
        "list<float32>": pl.List(pl.Float32()),
        "list<string>": pl.List(pl.String()),
        "timestamp[us, UTC]": pl.Datetime("us", "UTC"),
    }
    return {column.name: types[column.dtype] for column in table.columns}


if __name__ == "__main__":
    from cnnlab.runs.readme import main

    main()
