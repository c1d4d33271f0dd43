"""What can be done with the chosen runs: compare, open, star, tag, name, put aside, delete."""

from collections.abc import Sequence

import polars as pl
import streamlit as st

from cnnlab.errors import CNNLabError
from cnnlab.files import size_of
from cnnlab.runs.annotations import Change, change, checked_tag
from dashboard import data, runs_data
from dashboard.components import runs_chosen, runs_undo
from dashboard.components.confirm import confirm
from dashboard.components.exchange_export import export_action
from dashboard.components.numbers import short
from dashboard.components.runs_undo import Deed, runs_text
from dashboard.components.text import plain
from dashboard.state import go, say

TAGS = "tags_of_chosen"


def draw_actions(picked: pl.DataFrame) -> None:
    """Draw the buttons; `picked` are the rows of the chosen runs."""
    run_ids = picked["run_id"].to_list()
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="run_actions"):
        _draw_opening(run_ids)
        if not run_ids:
            noun = "groups" if st.session_state.get("view") == "Groups" else "runs"
            st.caption(f"Tick {noun} in the first column to compare, open, tag or delete them.")
            return
        _draw_star(picked)
        with st.popover("Tags", icon=":material/sell:", key="tags_popover"):
            draw_tags(picked)
        if st.button("Name and notes", icon=":material/edit_note:", key="edit_chosen"):
            edit(picked)
        _draw_archive(picked)
        if st.button("Delete", icon=":material/delete:", key="delete_chosen"):
            ask_delete(picked)
        export_action(run_ids)
        st.button("Choose none", icon=":material/close:", type="tertiary", key="choose_none",
                  on_click=runs_chosen.choose, args=([],))  # fmt: skip


def _draw_opening(run_ids: Sequence[str]) -> None:
    label = f"Compare {len(run_ids)}" if len(run_ids) > 1 else "Compare"
    if st.button(label, type="primary", disabled=not run_ids, icon=":material/compare_arrows:", key="compare_chosen"):
        # Groups that were ticked are compared as groups.
        as_groups = {"mean": "true"} if st.session_state.get("view") == "Groups" else {}
        go("compare", runs=",".join(run_ids), **as_groups)
    if st.button("Open", disabled=len(run_ids) != 1, icon=":material/monitoring:", key="open_chosen"):
        go("run", run=run_ids[0])


# === Stars and the archive ===


def star(picked: pl.DataFrame, is_on: bool) -> None:
    """Mark runs, or take the mark away."""
    changed = picked.filter(pl.col("is_starred") != is_on)["run_id"].to_list()
    if changed:
        told = "starred" if is_on else "no longer starred"
        inverse = {Change(is_starred=not is_on): changed}
        runs_undo.annotate(changed, Change(is_starred=is_on), told, ":material/star:", inverse)


def archive(picked: pl.DataFrame, is_on: bool) -> None:
    """Put runs aside, or bring them back to the table."""
    changed = picked.filter(pl.col("is_archived") != is_on)["run_id"].to_list()
    if changed:
        told = "archived" if is_on else "back from the archive"
        inverse = {Change(is_archived=not is_on): changed}
        runs_undo.annotate(changed, Change(is_archived=is_on), told, ":material/archive:", inverse)


def _draw_star(picked: pl.DataFrame) -> None:
    is_on = not picked["is_starred"].all()
    st.button("Star" if is_on else "Take the star away", icon=":material/star:", key="star_chosen",
              on_click=star, args=(picked, is_on))  # fmt: skip


def _draw_archive(picked: pl.DataFrame) -> None:
    is_on = not picked["is_archived"].all()
    st.button("Archive" if is_on else "Bring back", icon=":material/archive:" if is_on else ":material/unarchive:",
              key="archive_chosen", on_click=archive, args=(picked, is_on),
              help="Archived runs stay as they are; the table leaves them out until it is asked for them.")  # fmt: skip


# === Tags ===


def draw_tags(picked: pl.DataFrame) -> None:
    """Draw the tags of the chosen runs; a tag that is added or taken away holds at once."""
    lists = [set(tags) for tags in picked["tags"].to_list()]
    common = sorted(set.intersection(*lists))
    partly = sorted(set.union(*lists) - set(common))
    known = runs_data.tags(data.summaries())
    st.session_state[TAGS] = common
    st.multiselect(
        "Tags of all of them" if len(lists) > 1 else "Tags",
        list(dict.fromkeys([*common, *partly, *known])),
        accept_new_options=True,
        key=TAGS,
        placeholder="Choose or write a tag",
        on_change=lambda: save_tags(picked, common, st.session_state[TAGS]),
    )
    if partly:
        st.caption(f"Some have also: {', '.join(map(plain, partly))}.")


def save_tags(picked: pl.DataFrame, before: Sequence[str], chosen: Sequence[str]) -> None:
    """Give all chosen runs the tags that are new, and take away those that are gone."""
    try:
        after = [checked_tag(tag) for tag in chosen]
        said = change(add_tags=set(after) - set(before), remove_tags=set(before) - set(after))
    except CNNLabError as error:
        say(plain(error), ":material/error:")
        return
    if not said.line():
        return
    inverse: dict[Change, list[str]] = {}
    for run_id, tags in picked.select("run_id", "tags").iter_rows():
        new, gone = (tuple(tag for tag in said.add_tags if tag not in tags),
                     tuple(tag for tag in said.remove_tags if tag in tags))  # fmt: skip
        inverse.setdefault(Change(add_tags=gone, remove_tags=new), []).append(run_id)
    words = [f"tagged {', '.join(said.add_tags)}"] if said.add_tags else []
    words += [f"no longer tagged {', '.join(said.remove_tags)}"] if said.remove_tags else []
    runs_undo.annotate(picked["run_id"].to_list(), said, " and ".join(words), ":material/sell:", inverse)


# === Names and notes ===


def edit(picked: pl.DataFrame) -> None:
    """Open the form for names and notes."""
    st.dialog("Name and notes", icon=":material/edit_note:", width="medium")(_edit_form)(picked)


def _edit_form(picked: pl.DataFrame) -> None:
    row, many = picked.row(0, named=True), picked.height > 1
    names, notes = (picked[column].unique() for column in ("name", "notes"))
    begun = {"name": row["name"] if len(names) == 1 else "", "notes": (row["notes"] or "") if len(notes) == 1 else ""}
    if many:
        st.caption(
            f"For {runs_text(picked.height)}. What you leave as it is stays; what you write is the same for all."
        )
    st.text_input("Name", begun["name"], max_chars=80, key="edit_name", help="Empty: as the run was made.")
    st.text_area("Notes", begun["notes"], max_chars=4000, height=180, key="edit_notes")
    if st.button("Save", type="primary", icon=":material/save:", key="save_edit", on_click=save_edit,
                 args=(picked, begun)):  # fmt: skip
        st.rerun()


def save_edit(picked: pl.DataFrame, begun: dict[str, str]) -> None:
    """Keep a name and notes where they changed; what somebody else wrote meanwhile is told before it is replaced."""
    said_now = {field: str(st.session_state[f"edit_{field}"]) for field in begun}
    written = {field: value for field, value in said_now.items() if value != begun[field]}
    if not written:
        return
    run_ids = picked["run_id"].to_list()
    data.refresh()  # the newest of what others wrote
    now = data.summaries().filter(pl.col("run_id").is_in(run_ids)).select("run_id", "name", "notes")
    met = now.join(picked.select("run_id", "name", "notes"), on="run_id", suffix="_before")
    for field in written:
        other = met.filter(pl.col(field).ne_missing(pl.col(f"{field}_before")))[field].to_list()
        if other:
            say(plain(f"Somebody had meanwhile changed the {field} to {other[0]!r}; now yours holds. What was there "
                      "stays in the run's person.jsonl."), ":material/group:")  # fmt: skip
    try:
        said = change(name=written.get("name"), notes=written.get("notes"))
    except CNNLabError as error:
        say(plain(error), ":material/error:")
        return
    inverse: dict[Change, list[str]] = {}
    for run_id, old_name, old_notes in now.iter_rows():
        back = Change(old_name if "name" in written else None, (old_notes or "") if "notes" in written else None)
        inverse.setdefault(back, []).append(run_id)
    runs_undo.annotate(run_ids, said, f"with another {' and '.join(written)}", ":material/edit_note:", inverse)


# === Deleting ===


def ask_delete(picked: pl.DataFrame) -> None:
    """Ask before the chosen runs go, with what they take; those that wait or train are left alone."""
    free = picked.filter(~pl.col("state").is_in(data.RUNNING_STATES))
    busy = picked.height - free.height
    left = f" {busy} of them wait or train: cancel these first." if busy else ""
    if free.is_empty():
        st.warning(f"Runs that wait or train are not deleted.{left}", icon=":material/warning:")
        return
    names = ", ".join(plain(row["name"] or row["run_id"]) for row in free.head(5).iter_rows(named=True))
    more = f" and {free.height - 5:,} more" if free.height > 5 else ""
    run_ids = free["run_id"].to_list()
    size = short(sum(size_of(data.store().runs_dir / run_id) for run_id in run_ids), "B")
    days = runs_data.kept_days()
    kept = "until somebody empties it" if not days else f"for {days:g} days"
    question = (
        f"{names}{more}: {size} on disk. They move to the store's trash, which keeps them {kept}, and this page offers "
        f"to bring them back.{left}"
    )
    confirm(f"Delete {runs_text(free.height)} ({size})?", question, "Delete", lambda: delete(run_ids))


def delete(run_ids: Sequence[str]) -> None:
    """Move runs to the trash and offer to bring them back."""
    gone, wrong = runs_data.delete(run_ids)
    for sentence in wrong:
        say(plain(sentence), ":material/error:")
    if gone:
        told = f"{runs_text(len(gone))} in the trash."
        runs_undo.remember(Deed(told, ":material/delete:", lambda: runs_data.restore(gone)[1]))
    runs_chosen.tick(gone, is_on=False)
