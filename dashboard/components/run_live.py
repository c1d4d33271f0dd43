"""What moves on a run's page: progress, curves, hardware and the last lines of the log."""

import os
from typing import Any

import polars as pl
import streamlit as st

from cnnlab.analysis.curve_rows import epoch_rows
from cnnlab.config import RunConfig
from cnnlab.plots.curve_marks import marks_of
from cnnlab.plots.learning_curves import learning_curves, learning_curves_info, learning_curves_summary
from cnnlab.plots.output_weights import output_weights, output_weights_info, output_weights_summary
from cnnlab.runs.status import RunStatus
from dashboard import curve_data, data
from dashboard.components import how_to_read
from dashboard.components.chart import chart
from dashboard.components.live_runs import progress_share
from dashboard.components.numbers import between, duration, short
from dashboard.components.run_doctor import run_doctor
from dashboard.components.run_results import TOGETHER, choose_output
from dashboard.components.text import plain
from dashboard.state import link

EVERY_S = 1.0
LOG_LINES = 200
LINE_PX = 21


def run_live(
    run_id: str, config: RunConfig, status: RunStatus, *, main_output: str | None, output: str | None = None
) -> None:
    """Draw the moving part; it draws itself anew each second until the run has ended.

    Args:
        main_output: The output that comes first where there are several.
        output: The one that is chosen already, elsewhere on the page.
    """
    drawn = _signature(run_id, status)

    def body() -> None:
        now = data.status(run_id)
        if _signature(run_id, now) != drawn:
            data.refresh()
            st.rerun(scope="app")  # a new state changes buttons and tabs, which are not of this part
        data.tick()
        _waiting(run_id, now)
        _paused(run_id, now)
        _progress(run_id, now)
        if not now.is_at_rest or not data.metrics([run_id]).is_empty():
            curves(run_id, config, main_output=main_output, output=output)
        run_doctor(run_id, now)
        if not now.is_at_rest:
            log_tail(run_id, lines=12)

    st.fragment(body, run_every=None if status.is_at_rest else EVERY_S)()


def _signature(run_id: str, status: RunStatus) -> tuple[Any, ...]:
    has_environment = (data.store().run_dir(run_id) / "environment.json").exists()
    return (status.state, status.attempt, has_environment)


def _waiting(run_id: str, status: RunStatus) -> None:
    if status.state != "queued":
        return
    place = next((entry.position for entry in data.entries() if entry.run_id == run_id), 0)
    position = "" if not place else " It is next." if place == 1 else f" {place - 1} before it."
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(f":material/schedule: Waits for a free slot.{position}", width="content")
        link("queue", "See the queue")


def _paused(run_id: str, status: RunStatus) -> None:
    if status.state == "paused":
        place = data.checkpoint_place(run_id)
        goes_on = f"It goes on {place}" if place else "It has not trained yet and begins"
        st.info(f"Paused; its slot is free for others. {goes_on} when it is resumed.", icon=":material/pause:")


def _progress(run_id: str, status: RunStatus) -> None:
    if status.state != "running":
        return
    progress = data.store().read_progress(run_id) or {}
    st.progress(progress_share(progress), text=progress_line(progress))
    facts = [f"Running for {duration(between(status.started_at, None))}"]
    if progress.get("images_per_s"):
        facts.append(f"{short(progress['images_per_s'])} images per second")
    st.caption(" · ".join(facts + hardware_facts(run_id)))


def progress_line(progress: dict[str, Any]) -> str:
    """Return `'Epoch 3 of 20 · batch 12 of 18 · about 8.2 s left'`."""
    if not progress.get("epochs"):
        return "Starting: loading the libraries and the data …"
    parts = [f"Epoch {progress.get('epoch') or 1} of {progress['epochs']}"]
    if progress.get("batches"):
        parts.append(f"batch {progress.get('batch') or 0} of {progress['batches']}")
    parts.append(
        "time left not known yet" if progress.get("eta_s") is None else f"about {duration(progress['eta_s'])} left"
    )
    return " · ".join(parts)


def hardware_facts(run_id: str) -> list[str]:
    """Return what the run takes of the machine at the last look, in words."""
    rows = data.hardware(run_id).tail(1).to_dicts()
    if not rows:
        return []
    use = rows[0]
    facts = [] if use["cpu_percent"] is None else [f"{use['cpu_percent'] / 100:.1f} of {os.cpu_count()} cores"]
    facts += [] if use["memory_bytes"] is None else [f"{short(use['memory_bytes'], 'B')} memory"]
    facts += [] if use["gpu_percent"] is None else [f"GPU {use['gpu_percent']:.0f} % busy"]
    if use["gpu_memory_bytes"] is not None:
        facts.append(f"{short(use['gpu_memory_bytes'], 'B')} of {short(use['gpu_memory_total_bytes'], 'B')} GPU memory")
    return facts


def curves(run_id: str, config: RunConfig, *, main_output: str | None = None, output: str | None = None) -> None:
    """Draw loss and accuracy side by side, of one output at a time where there are several."""
    frame = data.metrics([run_id])
    outputs = sorted({name for name in frame["output"].to_list() if name}, key=lambda name: (name != main_output, name))
    of_loss = of_accuracy = None
    if len(outputs) > 1:
        chosen = output or choose_output(outputs)
        of_loss, of_accuracy = ("", outputs[0]) if chosen == TOGETHER else (chosen, chosen)
        if chosen == TOGETHER:
            st.caption(f"Loss of all outputs together; accuracy of {plain(outputs[0])}.{_weighed(config)}")
    with st.container(horizontal=True, vertical_alignment="center"):
        is_log = st.toggle("Logarithmic upwards", key="logy", bind="query-params")
        link("compare", "All settings of the curves", icon=":material/tune:", runs=run_id, part="Curves")
    rows, ended = epoch_rows(frame), curve_data.ended([run_id])
    left, right = st.columns(2, gap="medium")
    for column, metric, name in ((left, "loss", of_loss), (right, "accuracy", of_accuracy)):
        # Of the accuracy the error is what a logarithm shows.
        metric = "error" if is_log and metric == "accuracy" else metric
        info = learning_curves_info(rows, metric, run_ids=[run_id], output=name)
        marks = marks_of(info.curves, metric, ended, info.members)
        figure = learning_curves(info, epochs=config.training.epochs, height_px=320, is_log_y=is_log, marks=marks)
        with column:
            chart(figure, f"curve_{metric}", summary=learning_curves_summary(info), how_to_read=how_to_read.LIVE_CURVES)
    if config.heads.uncertainty_weighting:
        _weights(frame, config)


def _weighed(config: RunConfig) -> str:
    """Return what the sum of the losses is, where it is not the plain one."""
    if config.heads.uncertainty_weighting:
        return " In training the loss is the weighed sum, in validation the plain one, so that epochs compare."
    return " The losses are weighed as the config says." if config.heads.weights else ""


def _weights(frame: pl.DataFrame, config: RunConfig) -> None:
    info = output_weights_info(frame)
    chart(
        output_weights(info, epochs=config.training.epochs),
        "output_weights",
        summary=output_weights_summary(info),
        how_to_read=how_to_read.OUTPUT_WEIGHTS,
    )


def log_tail(run_id: str, lines: int = LOG_LINES, height: int | None = None) -> None:
    """Draw the last lines of what the trainer printed; with a height, scrolled to the end."""
    text = data.store().log_tail(run_id, lines=lines)
    if not text.strip():
        st.caption("The log is empty so far.")
    elif height is None or text.count("\n") * LINE_PX < height:
        st.code(text, language=None, wrap_lines=True)
    else:
        with st.container(height=height, border=False, autoscroll=True):
            st.code(text, language=None, wrap_lines=True)
