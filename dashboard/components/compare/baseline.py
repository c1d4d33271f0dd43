"""What each change against a baseline does to the test accuracy: the table of an ablation over any runs."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import polars as pl
import streamlit as st

from cnnlab.analysis.ablation import Effect, Scores, effects
from cnnlab.analysis.config_table import Setting
from cnnlab.analysis.pairing import Shared, share, shared_text
from cnnlab.plots.forest import forest, forest_info, forest_summary
from dashboard import data
from dashboard.components import how_to_read
from dashboard.components.chart import chart
from dashboard.components.compare.shared_images import answered_runs, left_out_text, on_shared
from dashboard.components.compare.subject import Subject
from dashboard.components.comparing import setting_text
from dashboard.components.effect_rows import METHODS, RIGHT, effect_row
from dashboard.components.text import plain
from dashboard.state import url


def draw_baseline(subject: Subject, settings: list[Setting]) -> None:
    """Draw the choice of the baseline, the effects of all others, and what they stand on."""
    names = subject.labels
    keys = list(names)
    chosen = st.selectbox(
        "Baseline", keys, format_func=names.__getitem__, key="baseline", bind="query-params",
        help="All others are compared with it. With 'Mean over seeds' the runs of a group are taken together.",
    )  # fmt: skip
    order = [chosen, *(key for key in keys if key != chosen)]
    rows = [row for key in order for row in subject.members_of(key)]
    runs = answered_runs(rows)
    shared = share(runs)
    compared, reasons = on_shared(rows, runs, shared)
    alike = replace(subject, rows=compared)
    scores = [scores_of(names[key], alike.members_of(key)) for key in order]
    found = [
        _refused(one, alike.members[key], reasons)
        for key, one in zip(order, effects(scores, [0] * len(order), _answers(subject.output, shared)), strict=True)
    ]
    places = {key: place for place, key in enumerate(keys)}
    changed = {key: change_text(settings, places[chosen], places[key]) for key in keys}
    table = pl.DataFrame(
        [
            effect_row(
                one,
                "" if key == chosen else changed[key] or "nothing but what tells seeds apart",
                url("compare", runs=",".join(row["run_id"] for row in subject.members_of(key))),
            )
            for key, one in zip(order, found, strict=True)
        ]
    )
    st.dataframe(
        table,
        hide_index=True,
        key="effects",
        column_config={
            "Variant": st.column_config.TextColumn(pinned=True),
            "Settings": st.column_config.TextColumn(width="large"),
            **{name: st.column_config.TextColumn(alignment="right") for name in RIGHT},
            "Runs": st.column_config.LinkColumn(display_text="compare"),
        },
        alt="Effect of each change against the baseline",
    )
    info = forest_info(found)
    versions = {f"{row['dataset']} {row['dataset_version']}" for row in compared if row["test_accuracy"] is not None}
    said = (
        stands_on(found, scores, sorted(versions)),
        shared_text(shared, subject.names),
        left_out_text(reasons, subject),
    )
    hint = plain(" ".join(filter(None, said)))
    chart(
        forest(info), "effects_forest", summary=forest_summary(info), numbers=table, how_to_read=how_to_read.FOREST,
        hint=hint,
    )  # fmt: skip


def scores_of(name: str, rows: Sequence[Mapping[str, Any]]) -> Scores:
    """Return what the runs of one variant reached.

    Args:
        rows: Of `Subject.rows`.
    """
    tested = [row for row in rows if row["test_accuracy"] is not None]
    return Scores(
        name=name,
        run_ids=tuple(row["run_id"] for row in tested),
        accuracies=tuple(float(row["test_accuracy"]) for row in tested),
        planned=len(rows),
        active=sum(row["state"] in data.RUNNING_STATES for row in rows),
        num_images=int(tested[0]["test_n"] or 0) if tested else 0,
    )


def change_text(settings: Sequence[Setting], base: int, other: int) -> str:
    """Return in what one run differs from another, such as `training.learning_rate 0.002 → 0.01`.

    Defaults that come with another network are left out.
    """
    return "; ".join(
        f"{setting.field} {setting_text(setting.values[base])} → {setting_text(setting.values[other])}"
        for setting in settings
        if setting.differs(base, other)
    )


def _refused(one: Effect, run_ids: Sequence[str], reasons: Mapping[str, str]) -> Effect:
    """Return an effect with the reason why none of its runs can be compared, where that is so."""
    told = "; ".join(dict.fromkeys(reasons[run_id] for run_id in run_ids if run_id in reasons))
    return replace(one, reason=told) if told and not one.n else one


def stands_on(found: Sequence[Effect], scores: Sequence[Scores], versions: Sequence[str]) -> str:
    """Return method, correction, n and data, in sentences.

    Args:
        versions: Of the data that the compared runs were tested on, by name.
    """
    methods = list(dict.fromkeys(one.method for one in found if one.method))
    if not methods:
        return ""
    said = [f"Compared by {' and '.join(METHODS[method] for method in methods)}."]
    if "paired" in methods:
        said.append("One seed tells two networks apart, not two settings: more seeds show what chance does.")
    compared = sum(one.difference is not None for one in found)
    said.append(
        "Each interval is at 95 % by itself; 'more than noise' means p below 0.05 after Holm's correction over "
        f"{'the one difference' if compared == 1 else f'all {compared} differences'}."
    )
    return " ".join([*said, f"{max(one.num_images for one in scores):,} test images of {', '.join(versions)}."])


def _answers(output: str | None, shared: Shared) -> Any:
    """Return what says which of the shared test images a run got right, of an output or of its main one."""

    def answers(run_id: str) -> pl.DataFrame:
        chosen = output or (data.result(run_id) or {}).get("main_output")
        is_right = (pl.col("predicted") == pl.col("label")).fill_null(value=False).alias("is_right")
        is_shared = pl.col("sample_id").is_in(shared.sample_ids.implode())
        return data.predictions(run_id).filter((pl.col("output") == chosen) & is_shared).select("sample_id", is_right)

    return answers
