"""How searches differ: random, grid and Bayesian with the same budget on the same landscape, side by side."""

from functools import partial

import polars as pl
import streamlit as st

from cnnlab.analysis.search_lesson import LANDSCAPES, SEARCHES
from cnnlab.plots.labels import plural
from cnnlab.plots.search_lesson import (
    SearchLessonInfo,
    best_of_searches,
    search_ground,
    search_lesson_info,
    search_lesson_summary,
)
from dashboard.components import how_to_read
from dashboard.components.chart import chart
from dashboard.components.text import plain
from dashboard.state import link

SEEDS = 20


@st.cache_resource(max_entries=64, show_spinner="Searching …")
def searches(name: str, budget: int, seed: int) -> SearchLessonInfo:
    """Return all searches of a landscape, whole; which trials are shown is decided when drawn."""
    return search_lesson_info(LANDSCAPES[name], budget=budget, shown=budget, seed=seed, seeds=SEEDS)


def trials_table(info: SearchLessonInfo, search: str) -> pl.DataFrame:
    """Return the trials of one search that are shown, in their order."""
    run = info.runs[search]
    return pl.DataFrame(
        {
            "trial": range(1, info.shown + 1),
            "setting A": run.points[: info.shown, 0],
            "setting B": run.points[: info.shown, 1],
            "value": run.values[: info.shown],
            "best so far": run.best_so_far[: info.shown],
        }
    )


st.title("How searches differ")
st.caption(
    "A search sees only the values of the trials it makes. Here the whole landscape is known, so it can be seen what "
    "each search finds and what it misses. The stronger the colour of the ground, the better."
)
left, middle, right = st.columns(3, vertical_alignment="bottom")
name = left.segmented_control(
    "Landscape", list(LANDSCAPES), default=next(iter(LANDSCAPES)), required=True, key="landscape", bind="query-params"
)
budget = middle.slider("Budget (trials)", 4, 49, 25, key="budget", bind="query-params")
seed = right.number_input("Seed", 0, 999, 0, key="lesson_seed", bind="query-params", help="Chance parts two searches.")
st.caption(plain(LANDSCAPES[str(name)].note))
whole = searches(str(name), int(budget), int(seed))
shown = st.slider("Trials made so far", 1, int(budget), int(budget), key=f"shown_{budget}") if budget > 1 else 1
info = SearchLessonInfo(whole.landscape, whole.ground, whole.runs, whole.bests, int(shown))
is_dark = st.context.theme.type == "dark"
with st.grid(min_column_width=280):
    for search in SEARCHES:
        with st.container(gap="small"):
            st.markdown(f"**{search[0].upper()}{search[1:]}**")
            chart(
                search_ground(info, search, is_dark=is_dark),
                f"ground_{search}",
                summary=f"Where the {search} search looked, {plural(int(shown), 'trial')}.",
                numbers=partial(trials_table, info, search),
                how_to_read=how_to_read.SEARCH_GROUND,
                is_small=True,
            )
st.caption(
    plain(search_lesson_summary(info)) + " Ticks along the lower edge are the values of setting A that were tried: "
    "a grid repeats few, the others hardly any."
)
st.subheader("Chance averaged out", anchor=False)
chart(
    best_of_searches(info),
    "bests",
    summary=f"Median and quarters of {SEEDS} searches each. The grid visits its points in random order.",
    how_to_read=how_to_read.SEARCH_BESTS,
)
with st.expander("What to see here", icon=":material/school:"):
    st.markdown(
        "1. **One matters**: the grid spends its budget on repeating values of the setting that matters "
        "(Bergstra and Bengio 2012, figure 1). Which landscape is it that a learning rate gives?\n"
        "2. **One hill**: the Bayesian search climbs after a few trials. Move *Trials made so far* from 4 upwards and "
        "watch where it goes next.\n"
        "3. **Many hills**: neighbours say little, and the lead of the Bayesian search shrinks or goes.\n"
        "4. Change the **seed**: one search tells little about a method; look at the quarters."
    )
    link("tune", "Search with a real training", icon=":material/tune:")
