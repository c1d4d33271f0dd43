"""What came out of a run, of one output at a time: test accuracy with its interval, confusion matrix, classes."""

from collections.abc import Sequence
from typing import Any

import polars as pl
import streamlit as st

from cnnlab.analysis.confusion import per_class
from cnnlab.analysis.intervals import wilson
from cnnlab.analysis.joint import all_right
from cnnlab.plots.confusion import confusion_info
from cnnlab.plots.square import NAMED_CLASSES
from dashboard import data
from dashboard.components.cells import cell_of_address, clicked_cell
from dashboard.components.matrices import choose_look, draw_matrix
from dashboard.components.mistakes import Whose, draw_mistakes, show_cell
from dashboard.components.network_cost import CONVENTION
from dashboard.components.numbers import MISSING, count, duration, number, percent, percent_interval, short
from dashboard.components.run_judgement import run_judgement
from dashboard.image_data import Side

TOGETHER = "All together"


def run_results(run_id: str, result: dict[str, Any]) -> str | None:
    """Draw the headline numbers and the mistakes of one output at a time; return that output.

    None stands for a network with one output, or for all outputs together.
    """
    outputs: dict[str, list[str]] = result["outputs"]
    main = result["main_output"]
    if len(outputs) == 1:
        _headline(result, main)
        _output(run_id, main, outputs[main], result)
        return None
    chosen = choose_output([main, *(name for name in outputs if name != main)])
    if chosen == TOGETHER:
        _headline(result, main)
        _together(run_id, result, main)
        return TOGETHER
    _headline(result, chosen)
    _output(run_id, chosen, outputs[chosen], result)
    return chosen


def choose_output(outputs: Sequence[str]) -> str:
    """Draw the choice between the outputs and all of them together; it stands in the address."""
    return str(
        st.segmented_control(
            "Output", [*outputs, TOGETHER], default=outputs[0], required=True, key="output", bind="query-params"
        )
    )


def _together(run_id: str, result: dict[str, Any], main: str) -> None:
    """Draw the accuracy of the other outputs beside that of the main one above, and how often all are right."""
    correct, n = all_right(data.predictions(run_id, "test"))
    with st.container(horizontal=True, gap="small"):
        if n:
            share = {"accuracy": correct / n, "correct": correct, "n": n}
            _test_metric(share, "All outputs right", border=True)
        for name in result["outputs"]:
            if name != main:
                _test_metric(result["test"].get(name) or {}, f"Test accuracy of {name}", border=True)
    st.caption("Choose an output to see its confusion matrix and its classes.")


def _headline(result: dict[str, Any], output: str) -> None:
    test = result["test"].get(output) or {}
    val = result["val"].get(output) or {}
    of_main = f" of {output}" if len(result["outputs"]) > 1 else ""
    with st.container(horizontal=True, gap="small", key="headline"):
        _test_metric(test, f"Test accuracy{of_main}", border=True)
        st.metric(
            "Validation accuracy",
            percent(val.get("accuracy")),
            delta=_kept(result),
            delta_color="off",
            delta_arrow="off",
            border=True,
            width=190,
            height="stretch",
            help="Of the weights that were kept.",
        )
        st.metric("Test loss", number(test.get("loss")), border=True, width=140, height="stretch")
        st.metric("Parameters", count(result.get("num_params")), border=True, width=150, height="stretch")
        macs = short(result.get("macs"))
        st.metric("MACs of one image", macs, border=True, width=170, height="stretch", help=CONVENTION)
        speed = result.get("images_per_s")
        st.metric(
            "Training time",
            duration(result.get("train_s")),
            delta=f"{short(speed)} images/s" if speed else None,
            delta_color="off",
            delta_arrow="off",
            border=True,
            width=160,
            height="stretch",
        )
    _views(result, output)
    if result.get("gpu_memory_bytes"):
        st.caption(f"The tensors took {short(result['gpu_memory_bytes'], 'B')} of the GPU at most while it trained.")
    if result.get("not_counted"):
        st.caption(f"MACs leave out what cannot be counted: {', '.join(map(str, result['not_counted']))}.")


def _views(result: dict[str, Any], output: str) -> None:
    """Say where accuracies are of several views: they compare only with others of the same views."""
    views = result.get("test_time", "none")
    if views == "none":
        return
    plain = (result.get("plain", {}).get("test", {}).get(output) or {}).get("accuracy")
    st.caption(
        f":material/flip: Averaged over views of each image ({views.replace('_', ' ')}); of the images as they are the "
        f"test accuracy is {percent(plain)}. Compare only with runs of the same views."
    )


def _kept(result: dict[str, Any]) -> str | None:
    epoch = result.get("kept_epoch") or result.get("best_epoch")
    return f"epoch {epoch} of {result['epochs_done']}" if epoch else None


def _test_metric(test: dict[str, Any], label: str, *, border: bool = False) -> None:
    interval = MISSING
    if test.get("n"):
        interval = percent_interval(*wilson(int(test["correct"]), int(test["n"])))
    st.metric(
        label,
        percent(test.get("accuracy")),
        delta=f"{interval}, n = {count(test.get('n'))}",
        delta_color="off",
        delta_arrow="off",
        border=border,
        width=230,
        height="stretch",
        help="With the 95 % Wilson interval: what another sample of so many test images may give.",
    )


@st.fragment
def _output(run_id: str, output: str, classes: list[str], result: dict[str, Any]) -> None:
    splits = [split for split in ("test", "val") if result.get(split, {}).get(output)]
    if not splits:
        st.caption("There are no predictions of this output.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom", key="matrix_choices"):
        look = choose_look()
        split = st.segmented_control(
            "Images", splits, default=splits[0], required=True, key="split", bind="query-params"
        )
    frame = data.predictions(run_id, split)
    info = confusion_info(frame, classes, output=output, split=split)
    key = f"confusion.{output}"
    clicked = clicked_cell(key, len(classes))
    if clicked is not None:
        show_cell(clicked)
    left, right = st.columns([3, 2] if len(classes) > NAMED_CLASSES else 2, gap="large")
    with left:
        draw_matrix(info, key, look, look.places([info]), cell_of_address(len(classes)))
    with right:
        _class_table(per_class(info.matrix, classes))
    run_judgement(run_id, output, split)
    st.subheader("Mistakes", anchor="mistakes")
    draw_mistakes(Whose(Side(run_id, "this run", (run_id,)), output, split, tuple(classes)))


def _class_table(table: pl.DataFrame) -> None:
    shown = table.with_columns(*(pl.col(name) * 100 for name in ("precision", "recall", "f1")))
    column = st.column_config
    st.dataframe(
        shown,
        hide_index=True,
        placeholder=MISSING,
        height=min(520, 38 + 35 * max(1, table.height)),
        column_config={
            "class": column.TextColumn("Class", pinned=True),
            "n": column.NumberColumn("n", format="localized", help="Images of this class."),
            "precision": column.NumberColumn("Precision", format="%.1f %%", help="Of the images taken for this class."),
            "recall": column.NumberColumn("Recall", format="%.1f %%", help="Of the images of this class."),
            "f1": column.NumberColumn("F1", format="%.1f %%", help="Harmonic mean of precision and recall."),
        },
        alt="Precision, recall and F1 of each class",
    )
