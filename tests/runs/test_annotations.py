"""What people say of runs: kept beside what the trainer writes, seen in the list at once, nothing of it lost."""

import json
import re
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from run_making import complete, fail

from cnnlab.config import RunConfig
from cnnlab.errors import ConfigError, RunNotFoundError, StoreError
from cnnlab.runs import annotations, index, noticed, queries
from cnnlab.runs.annotations import FILE, Annotations, annotate, applied, change, read_annotations
from cnnlab.runs.status import RunStatus, write_status
from cnnlab.runs.store import Store

Make = Callable[..., Path]
SAID = ("name", "notes", "tags", "is_starred", "is_archived")


def forget() -> None:
    """Forget what was read, as a process that has just begun."""
    for cache in (index._listings, index._indexes, index._bases, noticed._known):
        cache.clear()


def said(store: Store, run_dir: Path) -> dict:
    row = queries.summaries(store).filter(run_id=run_dir.name).row(0, named=True)
    return {name: row[name] for name in SAID}


def assert_agrees(store: Store) -> None:
    """The list is the same from the index, from a new process and from the folders, but for the bytes of now."""
    scanned = index.scan(store).drop("disk_bytes")
    assert queries.summaries(store).drop("disk_bytes").equals(scanned)
    forget()
    assert queries.summaries(store).drop("disk_bytes").equals(scanned)


NOTHING = {"name": "lenet5 on digits", "notes": "", "tags": [], "is_starred": False, "is_archived": False}


@pytest.mark.parametrize("is_ended", [True, False])
def test_it_is_seen_in_the_next_list(store: Store, make_run: Make, is_ended: bool) -> None:
    run_dir, other = make_run(complete if is_ended else None), make_run(complete)
    assert said(store, run_dir) == NOTHING
    annotate(store, [run_dir.name], change(name=" Best  one ", add_tags=["Baseline"], is_starred=True))
    assert said(store, run_dir) == NOTHING | {"name": "Best one", "tags": ["baseline"], "is_starred": True}
    annotate(store, [run_dir.name, other.name], change(notes="Two\nlines", add_tags=["b"], is_archived=True))
    assert said(store, other) == NOTHING | {"notes": "Two\nlines", "tags": ["b"], "is_archived": True}
    annotate(store, [run_dir.name], change(name="", remove_tags=["baseline"], is_starred=False))
    assert said(store, run_dir) == NOTHING | {"notes": "Two\nlines", "tags": ["b"], "is_archived": True}
    assert_agrees(store)


def test_notes_begin_as_those_of_the_config_and_may_be_cleared(store: Store) -> None:
    run_dir = store.create_run(RunConfig(name="Mine", notes="From the form"))
    complete(run_dir)
    assert said(store, run_dir) == NOTHING | {"name": "Mine", "notes": "From the form"}
    annotate(store, [run_dir.name], change(notes=""))
    assert said(store, run_dir)["notes"] == ""
    assert store.read_config(run_dir.name).notes == "From the form"
    assert_agrees(store)


def test_a_run_may_train_meanwhile(store: Store, make_run: Make) -> None:
    run_dir = make_run()
    write_status(run_dir, RunStatus(state="running", host="another machine"))
    annotate(store, [run_dir.name], change(add_tags=["live"]))
    assert said(store, run_dir)["tags"] == ["live"]
    complete(run_dir)
    assert said(store, run_dir)["tags"] == ["live"]
    assert_agrees(store)


def test_deleted_restored_and_copied_runs_keep_it(store: Store, make_run: Make) -> None:
    run_dir = make_run(complete)
    annotate(store, [run_dir.name], change(add_tags=["kept"]))
    store.delete_run(run_dir.name)
    store.restore_run(run_dir.name)
    assert said(store, run_dir)["tags"] == ["kept"]
    copy = run_dir.with_name("20200101-000000-lenet5-digits-copy")
    shutil.copytree(run_dir, copy)
    assert said(store, copy)["tags"] == ["kept"]
    assert_agrees(store)


@pytest.mark.parametrize("gone", ["index", "both"])
def test_the_copies_may_be_deleted(store: Store, make_run: Make, gone: str) -> None:
    run_dir = make_run(complete)
    queries.summaries(store)
    annotate(store, [run_dir.name], change(add_tags=["a"]))
    queries.summaries(store)
    index.index_path(store).unlink()
    if gone == "both":
        (store.index_dir / noticed.FILE).unlink()
    assert said(store, run_dir)["tags"] == ["a"]
    annotate(store, [run_dir.name], change(add_tags=["b"]))
    assert said(store, run_dir)["tags"] == ["a", "b"]
    assert_agrees(store)


def test_another_journal_than_the_index_had_read_makes_it_look_at_all(store: Store, make_run: Make) -> None:
    run_dir, other = make_run(complete), make_run(complete)
    annotate(store, [run_dir.name], change(add_tags=["a"]))
    queries.summaries(store)
    annotate(store, [other.name], change(add_tags=["b"]))
    (store.index_dir / noticed.FILE).write_text(json.dumps({"runs": ["x" * 80]}) + "\n")
    assert (said(store, run_dir)["tags"], said(store, other)["tags"]) == (["a"], ["b"])
    assert_agrees(store)


def test_only_runs_that_were_written_about_are_looked_at(
    store: Store, make_run: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = [make_run(complete) for _ in range(3)]
    queries.summaries(store)
    looked: list[str] = []
    monkeypatch.setattr(
        index, "read_annotations", lambda run_dir: looked.append(run_dir.name) or read_annotations(run_dir)
    )
    annotate(store, [runs[1].name], change(is_starred=True))
    for _ in range(3):
        queries.summaries(store)
    assert looked == [runs[1].name]


def test_many_changes_go_into_the_index(store: Store, make_run: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = [make_run(complete) for _ in range(3)]
    queries.summaries(store)
    monkeypatch.setattr(index, "_MOST_NOTICED", 1)
    annotate(store, [run_dir.name for run_dir in runs[:2]], change(add_tags=["t"]))
    queries.summaries(store)
    kept = pl.read_parquet(index.index_path(store)).filter(pl.col("tags").list.contains("t"))
    assert kept.height == 2
    assert index._base(store).num_noticed == 0
    assert_agrees(store)


def test_people_who_write_at_once_lose_nothing(store: Store, make_run: Make) -> None:
    run_dir = make_run(complete)

    def write(person: int) -> None:
        for number in range(10):
            annotate(store, [run_dir.name], change(add_tags=[f"p{person}"], notes=f"{person} {number}"))

    people = [threading.Thread(target=write, args=(person,)) for person in range(4)]
    for one in people:
        one.start()
    for one in people:
        one.join()
    found = said(store, run_dir)
    assert sorted(found["tags"]) == ["p0", "p1", "p2", "p3"]
    lines = [json.loads(line) for line in (run_dir / FILE).read_text().splitlines()]
    assert len(lines) == 40  # what the last one replaced is still in the file
    assert found["notes"] == lines[-1]["notes"]
    assert all(line["time"] and "by" in line for line in lines)


def test_a_torn_line_and_what_a_later_version_says_are_left_out(store: Store, make_run: Make) -> None:
    run_dir = make_run(complete)
    lines = ['{"name": 3, "add_tags": "x", "is_starred": "yes", "colour": "red"}', '{"add_tags": ["a", 1]}', '{"name"']
    (run_dir / FILE).write_text("\n".join(lines))
    assert read_annotations(run_dir) == Annotations(tags=("a",))
    annotate(store, [run_dir.name], change(name="after"))
    assert read_annotations(run_dir) == Annotations(name="after", tags=("a",))


def test_nothing_is_written_where_nothing_is_said_or_a_run_is_missing(store: Store, make_run: Make) -> None:
    run_dir = make_run(complete)
    annotate(store, [run_dir.name], change())
    with pytest.raises(RunNotFoundError):
        annotate(store, [run_dir.name, "gone"], change(is_starred=True))
    assert not (run_dir / FILE).exists()
    assert not (store.index_dir / noticed.FILE).exists()


@pytest.mark.parametrize("tag", ["", " ", "two words", "a,b", "a=b", "-old", "x" * 41, "a:b", "a(b"])
def test_tags_that_a_query_could_not_name_are_refused(tag: str) -> None:
    with pytest.raises(ConfigError) as caught:
        change(add_tags=[tag])
    assert str(caught.value) == (
        f"The tag {tag!r} cannot be used. Expected up to 40 letters, digits or . + / - _ that begin with a letter or "
        "digit. Write several tags one by one."
    )


def test_long_texts_and_many_tags_are_refused(store: Store, make_run: Make) -> None:
    with pytest.raises(ConfigError, match=re.escape("name has 81 characters. Expected at most 80. Shorten it.")):
        change(name="x" * 81)
    with pytest.raises(ConfigError, match=re.escape("notes has 4,001 characters. Expected at most 4,000. Shorten it.")):
        change(notes="x" * 4001)
    run_dir = make_run(complete)
    with pytest.raises(
        ConfigError, match=re.escape("would have more than 30 tags. Expected fewer. Take some away first.")
    ):
        annotate(store, [run_dir.name], change(add_tags=[f"t{number}" for number in range(31)]))
    assert not (run_dir / FILE).exists()


def test_a_store_that_cannot_be_written_says_so(store: Store, make_run: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    run_dir = make_run(complete)

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(annotations, "append_lines", refuse)
    with pytest.raises(StoreError, match="cannot be written: Permission denied"):
        annotate(store, [run_dir.name], change(is_starred=True))


TAGS = st.lists(st.sampled_from("abc"), max_size=3)
LINES = st.fixed_dictionaries(
    {},
    optional={"add_tags": TAGS, "remove_tags": TAGS, "is_starred": st.booleans(), "name": st.sampled_from(["", "n"])},
)


@given(st.lists(LINES, max_size=6))
def test_of_each_field_the_last_line_holds(lines: list[dict]) -> None:
    found = Annotations()
    for line in lines:
        found = applied(found, line)
    stars = [line["is_starred"] for line in lines if "is_starred" in line]
    names = [line["name"] or None for line in lines if "name" in line]
    assert found.is_starred == (stars[-1] if stars else False)
    assert found.name == (names[-1] if names else None)
    for tag in "abc":
        adding = [tag not in line.get("remove_tags", ()) for line in lines
                  if tag in (*line.get("add_tags", ()), *line.get("remove_tags", ()))]  # fmt: skip
        assert (tag in found.tags) == (adding[-1] if adding else False)


def test_an_old_index_does_not_hide_what_was_said(store: Store, make_run: Make) -> None:
    run_dir = make_run(fail)
    queries.summaries(store)
    old = index.index_path(store).read_bytes()
    annotate(store, [run_dir.name], change(is_archived=True))
    queries.summaries(store)
    index.index_path(store).write_bytes(old)  # somebody slower, who had not seen the change
    assert said(store, run_dir)["is_archived"] is True
    assert_agrees(store)
