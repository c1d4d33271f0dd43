"""The sections of the training form. Each draws its widgets and returns its part of the config."""

from dataclasses import dataclass
from typing import Any

import streamlit as st

from cnnlab.architectures.catalogue import ARCHITECTURES, Architecture
from cnnlab.config import ComputeConfig, DataConfig, RunConfig, TrainingConfig
from cnnlab.datasets.catalogue import DATASETS
from cnnlab.parameters import specs
from dashboard import data
from dashboard.components.draft import PREFIX
from dashboard.components.layer_summary import layer_summary
from dashboard.components.numbers import count
from dashboard.components.text import plain
from dashboard.forms import draw, parameter_form, put

MAIN = (
    "epochs", "batch_size", "optimizer", "learning_rate", "momentum", "nesterov",
    "schedule", "warmup_epochs", "step_every_epochs", "step_factor",
)  # fmt: skip
CAREFUL = ("weight_decay", "label_smoothing", "early_stopping_epochs")
REPEATABLE = ("precision", "time_budget_minutes", "checkpoint_every_s", "deterministic")
NEWEST = "newest"


@dataclass(frozen=True)
class Choice:
    """A data set as the form offers it."""

    name: str
    title: str
    summary: str
    image_shape: tuple[int, int, int]
    outputs: dict[str, tuple[str, ...]]
    num_images: int
    versions: tuple[str, ...] = ()
    is_missing: bool = False


def dataset_choices() -> dict[str, Choice]:
    """Return the imported data sets, then those of the catalogue."""
    stored = data.datasets()
    imported: dict[str, Choice] = {}
    for info in stored:
        if info.name in DATASETS or info.name in imported:
            continue
        versions = tuple(other.version for other in stored if other.name == info.name)
        imported[info.name] = Choice(
            info.name, info.title, info.source, info.image_shape, dict(info.outputs), info.num_images, versions
        )
    built = {info.name for info in stored}
    listed = {
        entry.name: Choice(
            entry.name,
            entry.title,
            entry.summary,
            entry.image_shape,
            dict(entry.outputs),
            entry.num_images,
            is_missing=entry.needs_network and entry.name not in built,
        )
        for entry in DATASETS.values()
    }
    return imported | listed


def data_section(values: dict[str, Any]) -> dict[str, Any]:
    """Draw the choice of the data set, its version, outputs and parameters."""
    choices = dataset_choices()
    name = values["dataset"]
    if name not in choices:  # a config from elsewhere: say so, and keep it until another is chosen
        st.warning(
            f"Data set {plain(name)} is not in this store. Import it under that name, or choose another.",
            icon=":material/search_off:",
        )
        choices[name] = Choice(name, name, "", (0, 0, 0), {}, 0)
    put(f"{PREFIX}dataset", name)
    name = st.selectbox(
        "Data set", list(choices), format_func=lambda key: _dataset_label(choices[key]), key=f"{PREFIX}dataset"
    )
    chosen = choices[name]
    st.caption(plain(chosen.summary))
    if chosen.is_missing:
        st.caption(":orange[:material/cloud_download: Not on this machine yet: the first run downloads it.]")
    is_same = name == values["dataset"]
    return {
        "dataset": name,
        "version": _version(chosen, values["version"] if is_same else None),
        "outputs": _outputs(chosen, values["outputs"] if is_same else None),
        "parameters": _dataset_parameters(name, values["parameters"] if is_same else {}),
    }


def _dataset_label(choice: Choice) -> str:
    if not choice.num_images:
        return choice.title
    return f"{choice.title} · {count(choice.num_images)} images · {shape_text(choice.image_shape)}"


def shape_text(shape: tuple[int, ...]) -> str:
    """Return `'32×32×1'`."""
    return "×".join(map(str, shape))


def _version(choice: Choice, version: str | None) -> str | None:
    if not choice.versions:
        return version
    options = [NEWEST, *choice.versions]
    put(f"{PREFIX}version.{choice.name}", version if version in choice.versions else NEWEST)
    help_text = "Every run records the version that it trained on."
    chosen = st.selectbox(
        "Version", options, key=f"{PREFIX}version.{choice.name}", format_func=str.capitalize, help=help_text
    )
    return None if chosen == NEWEST else chosen


def _outputs(choice: Choice, outputs: Any) -> list[str] | None:
    if len(choice.outputs) < 2:
        return outputs
    key = f"{PREFIX}outputs.{choice.name}"
    put(key, [name for name in outputs or choice.outputs if name in choice.outputs])
    chosen = st.pills(
        "Outputs",
        list(choice.outputs),
        selection_mode="multi",
        key=key,
        format_func=lambda name: f"{name} ({len(choice.outputs[name])} classes)",
        help="Which labels the network learns at once; the first is the main one.",
    )
    kept = [name for name in choice.outputs if name in chosen]
    return None if len(kept) in (0, len(choice.outputs)) else kept


def _dataset_parameters(name: str, values: dict[str, Any]) -> dict[str, Any]:
    if name not in DATASETS or not specs(DATASETS[name].parameters):
        return {}
    with st.expander("Parameters of the generated set", icon=":material/tune:"):
        return parameter_form(DATASETS[name].parameters, values, f"{PREFIX}data.{name}")


def architecture_section(values: dict[str, Any]) -> dict[str, Any]:
    """Draw the choice of the architecture and its parameters."""
    put(f"{PREFIX}architecture", values["name"])
    labels = {key: one.label for key, one in ARCHITECTURES.items()}
    name = st.selectbox("Architecture", list(labels), format_func=labels.__getitem__, key=f"{PREFIX}architecture")
    entry = ARCHITECTURES[name]
    st.caption(plain(f"{entry.summary} {entry.source}." if entry.source else entry.summary))
    first = values["parameters"] if name == values["name"] else {}
    parameters = parameter_form(entry.parameters, first, f"{PREFIX}arch.{name}")
    if name == "layers":
        layer_summary(parameters["layers"])
    return {"name": name, "parameters": parameters}


def image_size_section(chosen: dict[str, Any], entry: Architecture, image_size: int | None) -> int | None:
    """Draw the size the network sees; what the architecture proposes for the images stands there first."""
    spec = next(spec for spec in specs(DataConfig) if spec.name == "image_size")
    shape = image_shape(chosen)
    proposed = entry.proposed_px(max(shape[:2])) if shape[2] else entry.natural_px
    # Another network or other images: another proposal, unless a size was asked for.
    key = f"{PREFIX}image_size.{entry.name}.{proposed}"
    put(key, image_size or proposed)
    size = int(draw(spec, key) or proposed)
    if shape[2]:
        is_own = "its own size" if size == entry.natural_px else f"its own size is {entry.natural_px}"
        change = "are used as they are" if shape[:2] == (size, size) else f"become {shape_text((size, size, shape[2]))}"
        st.caption(f"Images of {shape_text(shape)} {change} for {entry.title} ({is_own}).")
        if size < entry.natural_px and entry.small_images:
            st.caption(plain(entry.small_images))
    return None if size == proposed == entry.natural_px else size


def image_shape(chosen: dict[str, Any]) -> tuple[int, int, int]:
    """Return height, width and channels of the chosen data set's images; zeros when unknown."""
    choice = dataset_choices().get(chosen["dataset"])
    if choice is None:
        return (0, 0, 0)
    side = chosen["parameters"].get("size")
    return (side, side, choice.image_shape[2]) if side else choice.image_shape


def training_section(values: dict[str, Any]) -> dict[str, Any]:
    """Draw optimizer, learning rate, schedule and what else steers training."""
    held = parameter_form(TrainingConfig, values, f"{PREFIX}training", names=MAIN)
    with st.expander("Regularisation and early stopping", icon=":material/tune:"):
        careful = parameter_form(TrainingConfig, values, f"{PREFIX}training", names=CAREFUL, columns=3)
    with st.expander("Precision, budget and repeatability", icon=":material/timer:"):
        repeatable = parameter_form(TrainingConfig, values, f"{PREFIX}training", names=REPEATABLE)
    return {**values, **held, **careful, **repeatable}


def repeats_section(values: dict[str, Any]) -> tuple[int, int]:
    """Draw seed and repeats and return both."""
    seed_spec = next(spec for spec in specs(TrainingConfig) if spec.name == "seed")
    repeats_spec = next(spec for spec in specs(RunConfig) if spec.name == "repeats")
    left, right = st.columns(2)
    with left:
        put(f"{PREFIX}training.seed", values["training"]["seed"])
        seed = draw(seed_spec, f"{PREFIX}training.seed")
    with right:
        put(f"{PREFIX}repeats", values["repeats"])
        repeats = draw(repeats_spec, f"{PREFIX}repeats")
    if repeats > 1:
        st.caption(
            f"A group of {repeats} runs with the seeds {seed} to {seed + repeats - 1}: mean and interval over seeds."
        )
    return seed, repeats


def compute_section(values: dict[str, Any]) -> dict[str, Any]:
    """Draw where the run computes."""
    return parameter_form(ComputeConfig, values, f"{PREFIX}compute")
