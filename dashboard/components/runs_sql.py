"""Questions in SQL over the runs that the filters keep: asked in the background, answered as a table."""

from collections.abc import Sequence

import polars as pl
import streamlit as st

from cnnlab.errors import CNNLabError
from cnnlab.plots.csv_text import csv_text
from cnnlab.query.sql import EXAMPLES, IN_FOLDERS, MOST_ROWS, MOST_S, SqlAnswer, SqlQuestion
from cnnlab.runs.schema import SUMMARY
from dashboard import runs_data
from dashboard.components import runs_chosen
from dashboard.components.numbers import count, duration
from dashboard.components.text import plain
from dashboard.state import set_query

ASKED = "sql_asked"
TEXT = "sql"
LOOK_S = 0.5
# A longer one keeps its place in the session, not in the address.
LONGEST_IN_ADDRESS = 1500


def draw_sql(run_ids: Sequence[str], is_all: bool) -> None:
    """Draw the box, what it may name, and the answer.

    Args:
        run_ids: Of the runs that the tables are about.
        is_all: These are all runs of the store.
    """
    if TEXT not in st.session_state:
        st.session_state[TEXT] = st.query_params.get(TEXT) or next(iter(EXAMPLES.values()))
    about = "all runs" if is_all else "the runs that the filters above keep"
    st.caption(
        f"The tables runs, config, {', '.join(IN_FOLDERS)} hold {about}: {count(len(run_ids))}. "
        f"DuckDB's SQL, for reading only; at most {MOST_S:g} s and {count(MOST_ROWS)} rows."
    )
    question = st.text_area("SQL", key=TEXT, height=170, label_visibility="collapsed")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if st.button("Ask", type="primary", icon=":material/play_arrow:", key="sql_ask", disabled=not question.strip()):
            _ask(question, None if is_all else run_ids)
        _draw_examples()
        _draw_tables()
    asked: SqlQuestion | None = st.session_state.get(ASKED)
    if asked is not None:
        st.fragment(_draw_answer, run_every=None if asked.is_done else LOOK_S)(asked)


def _ask(question: str, run_ids: Sequence[str] | None) -> None:
    before: SqlQuestion | None = st.session_state.get(ASKED)
    if before is not None:
        before.cancel()
    st.session_state[ASKED] = runs_data.ask_sql(question, run_ids)
    set_query(sql=question if len(question) <= LONGEST_IN_ADDRESS else None)


def _draw_examples() -> None:
    with st.popover("Examples", icon=":material/lightbulb:", key="sql_examples"):
        for name, example in EXAMPLES.items():
            st.button(name, key=f"sql example {name}", on_click=_write, args=(example,), type="tertiary")


def _write(question: str) -> None:
    st.session_state[TEXT] = question


def _draw_tables() -> None:
    with st.popover("Tables", icon=":material/table:", key="sql_tables"):
        tables = {"runs": SUMMARY, **{name: table for name, (table, _) in IN_FOLDERS.items()}}
        name = st.segmented_control(
            "Table", ["runs", "config", *IN_FOLDERS], default="runs", required=True, key="sql_table"
        )
        if name == "config":
            st.caption('A column per setting and number, in double quotes: "training.batch_size".')
            rows = [{"Column": f'"{column}"' if "." in column else column} for column in runs_data.fields().columns]
        else:
            rows = [{"Column": one.name, "Type": one.dtype, "What it is": one.note} for one in tables[name].columns]
        st.dataframe(rows, hide_index=True, key=f"sql_columns_{name}")


def _draw_answer(asked: SqlQuestion) -> None:
    if not asked.is_done:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f":material/hourglass_top: Asked {duration(asked.elapsed_s)} ago.", width="content")
            st.button("Stop", icon=":material/stop_circle:", key="sql_stop", on_click=asked.cancel)
        if asked.result(timeout_s=LOOK_S / 2) is None and not asked.is_done:
            return
        st.rerun(scope="app")  # ends the polling
    try:
        answer = asked.result()
    except CNNLabError as error:
        st.error(plain(error), icon=":material/error:")
        return
    if answer is not None:
        _draw_rows(answer)


def _draw_rows(answer: SqlAnswer) -> None:
    frame = answer.frame
    more = f"the first {count(frame.height)} rows; there are more" if answer.is_cut else f"{count(frame.height)} rows"
    st.caption(f"{more[0].upper()}{more[1:]}, after {duration(answer.took_s)}.")
    st.dataframe(frame, hide_index=True, placeholder="–", key="sql_answer", alt="The answer to the SQL")
    with st.container(horizontal=True, gap="small"):
        st.download_button(
            "Download as CSV", lambda: _csv(answer), file_name="answer.csv", mime="text/csv", on_click="ignore",
            icon=":material/download:", key="sql_csv",
        )  # fmt: skip
        if "run_id" in frame.columns and frame.height:
            run_ids = frame["run_id"].drop_nulls().cast(str).unique(maintain_order=True).to_list()
            st.button(f"Choose these {count(len(run_ids))} runs", icon=":material/checklist:", key="sql_choose",
                      on_click=_choose, args=(run_ids,))  # fmt: skip


def _choose(run_ids: list[str]) -> None:
    runs_chosen.choose(run_ids)
    st.session_state["view"] = "Runs"


def _csv(answer: SqlAnswer) -> str:
    frame = answer.frame
    nested = [name for name, kind in frame.schema.items() if isinstance(kind, pl.Array | pl.Struct)]
    return csv_text(frame.with_columns(pl.Series(name, map(str, frame[name].to_list())) for name in nested))
