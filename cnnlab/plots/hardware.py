"""What a run used of its machine: processor, memory and, where there is one, the GPU, over time."""

from dataclasses import dataclass

import plotly.graph_objects as go
import polars as pl

from cnnlab.plots.labels import plural
from cnnlab.plots.palette import CATEGORICAL
from cnnlab.plots.template import empty_figure, new_figure

# column -> (name, is a share of the machine, colour); a column that is missing or all null is not drawn
SERIES = {
    "cpu_percent": ("CPU", True, CATEGORICAL[0]),
    "gpu_percent": ("GPU", True, CATEGORICAL[1]),
    "memory_bytes": ("Memory", False, CATEGORICAL[0]),
    "gpu_memory_bytes": ("GPU memory", False, CATEGORICAL[1]),
}
GIB = 2.0**30


@dataclass(frozen=True)
class HardwareInfo:
    """`table` holds elapsed_s and the known columns of `SERIES`; `peaks` their largest values."""

    table: pl.DataFrame
    peaks: dict[str, float]

    @property
    def is_empty(self) -> bool:
        return not self.peaks


def hardware_info(usage: pl.DataFrame) -> HardwareInfo:
    """Return what is known of elapsed_s, cpu_percent (of one core), memory_bytes, gpu_percent, gpu_memory_bytes."""
    known = [name for name in SERIES if name in usage.columns and usage[name].is_not_null().any()]
    peaks = {name: float(usage[name].max()) for name in known}  # type: ignore[arg-type]
    columns = ["elapsed_s", *known] if known else []
    return HardwareInfo(usage.select(columns).sort("elapsed_s") if known else usage.clear(), peaks)


def hardware(info: HardwareInfo, *, height_px: int = 360) -> go.Figure:
    """Draw shares above and memory below, over one time axis."""
    if info.is_empty:
        return empty_figure("No use of the machine was measured.")
    figure = new_figure(height_px=height_px, revision="hardware")
    seconds = float(info.table["elapsed_s"].max() or 0)  # type: ignore[arg-type]
    divisor, unit = next(((d, u) for d, u in ((3600.0, "h"), (60.0, "min")) if seconds >= 3 * d), (1.0, "s"))
    time = info.table["elapsed_s"].cast(pl.Float64).to_numpy() / divisor
    for name in info.peaks:
        title, is_share, colour = SERIES[name]
        values = info.table[name].cast(pl.Float64).to_numpy()
        text = "%{y:.0f} %" if is_share else "%{y:.2f} GiB"
        figure.add_scatter(
            x=time,
            y=values if is_share else values / GIB,
            yaxis="y" if is_share else "y2",
            mode="lines",
            line={"color": colour, "width": 2, "dash": "solid" if is_share else "dot"},
            name=title,
            hovertemplate=f"{title} {text}<br>%{{x:.3~g}} {unit}<extra></extra>",
        )
    figure.update_layout(
        xaxis={"title": {"text": f"Elapsed time ({unit})"}, "anchor": "y2", "rangemode": "tozero"},
        yaxis={"title": {"text": "Use (%)"}, "domain": [0.56, 1], "rangemode": "tozero"},
        yaxis2={"title": {"text": "Memory (GiB)"}, "domain": [0, 0.44], "rangemode": "tozero", "anchor": "x"},
        showlegend=True,
    )
    return figure


def hardware_summary(info: HardwareInfo) -> str:
    """Return one sentence with the number of measurements and the peaks."""
    if info.is_empty:
        return "No use of the machine was measured."
    shown = [
        f"{title} {info.peaks[name]:.0f} %" if is_share else f"{title.lower()} {info.peaks[name] / GIB:.2f} GiB"
        for name, (title, is_share, _) in SERIES.items()
        if name in info.peaks
    ]
    shown = [text.replace("gpu memory", "GPU memory") for text in shown]
    return f"Use of the machine in {plural(info.table.height, 'measurement')}; peaks: {', '.join(shown)}."
