"""What each change against a baseline does to the test accuracy: the table of an ablation over any runs."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
import streamlit as st

from cnnlab.analysis.ablation import Effect, Scores
from cnnlab.analysis.baseline import effects_against, num_pairs
from cnnlab.analysis.comparison import Comparison, compare
from cnnlab.analysis.config_table import Setting
from cnnlab.analysis.pairing import shared_text
from cnnlab.plots.forest import forest, forest_info, forest_summary
from cnnlab.plots.labels import listed_with_reasons, plural
from dashboard import data
from dashboard.components import how_to_read
from dashboard.components.chart import chart
from dashboard.components.compare.overview import sides_of_subject
from dashboard.components.compare.subject import Subject
from dashboard.components.comparing import setting_text
from dashboard.components.effect_rows import RIGHT, effect_row, method_sentences
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
    scores = [scores_of(names[key], subject.members_of(key)) for key in order]
    by_key = {side.key: side for side in sides_of_subject(subject)}
    comparison = compare(list(by_key.values()), list(by_key).index(chosen))
    found = effects_against(comparison, [by_key[key] for key in order], scores)
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
    shared = comparison.shared
    said = (stands_on(found, scores, comparison), shared_text(shared, subject.names), _refused_text(comparison))
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
        # Of another data set the images are others too.
        versions=frozenset(f"{row['dataset']} {row['dataset_version']}" for row in tested),
    )


def _corrected_over(found: Sequence[Effect], comparison: Comparison) -> str:
    """Return over which pairs the correction is; what is known by accuracies alone counts all that are chosen."""
    count = comparison.num_pairs
    over = "the one pair" if count == 1 else f"all {count:,} compared pairs"
    told = [f"{over}, as in the overview"] if count else []
    if any(one.method == "welch" for one in found):
        told.append(f"all {plural(num_pairs(len(found)), 'pair')} of these {len(found)} for Welch's t")
    return " and over ".join(told)


def _refused_text(comparison: Comparison) -> str:
    told = listed_with_reasons(dict(comparison.refused.values()), {})
    return f"Not compared: {told}." if told else ""


def change_text(settings: Sequence[Setting], base: int, other: int) -> str:
    """Return in what one run differs from another, such as `training.learning_rate 0.002 → 0.01`.

    Defaults that come with another network are left out.
    """
    return "; ".join(
        f"{setting.field} {setting_text(setting.values[base])} → {setting_text(setting.values[other])}"
        for setting in settings
        if setting.differs(base, other)
    )


def stands_on(found: Sequence[Effect], scores: Sequence[Scores], comparison: Comparison) -> str:
    """Return method, correction, n and data, in sentences."""
    said = method_sentences(found)
    if not said:
        return ""
    said.append(
        "Each interval is at 95 % by itself; 'more than noise' means p below 0.05 after Holm's correction over "
        f"{_corrected_over(found, comparison)}."
    )
    versions = sorted({version for one in scores for version in one.versions})
    images = comparison.shared.num_images or max(one.num_images for one in scores)
    return " ".join([*said, f"{images:,} test images of {', '.join(versions)}."])
