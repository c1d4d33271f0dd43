"""`runs --where`, `runs --sql`, `annotate`, `delete --where`, `disk`, `empty-trash`, as a person meets them."""

import json

import pytest
from made_runs import make_run

from cnnlab.runs import queries
from cnnlab.runs.store import Store


@pytest.fixture
def store() -> Store:
    return Store()


def said(store: Store, run_id: str) -> dict:
    row = queries.summaries(store).filter(run_id=run_id).row(0, named=True)
    return {name: row[name] for name in ("name", "notes", "tags", "is_starred", "is_archived")}


def listed(call, *arguments: str) -> list[str]:
    code, out, err = call("runs", "--json", *arguments)
    assert code == 0, err
    return [row["run_id"] for row in json.loads(out)["runs"]]


def test_runs_are_found_sorted_and_shown_with_columns(call, store):
    good = make_run(store.root, accuracy=0.95, training={"batch_size": 32, "epochs": 1})
    bad = make_run(store.root, accuracy=0.5, training={"batch_size": 64, "epochs": 1})
    assert listed(call, "--where", "accuracy>90%") == [good]
    assert listed(call, "--where", "batch_size=32..64", "--sort", "accuracy") == [bad, good]
    code, out, _ = call("runs", "--columns", "training.batch_size,accuracy,tag", "--sort", "-accuracy")
    assert code == 0
    assert out.split("\n")[0].split() == ["run", "training.batch_size", "accuracy", "tag"]
    assert out.split("\n")[1].split() == [good, "32", "0.95"]
    rows = json.loads(call("runs", "--json", "--columns", "depth,batch")[1])["runs"]
    assert rows[0] == {"run_id": bad, "depth": None, "batch": 64}
    said = call("runs", "--where", "accuracy>99% architecture=lent5")[1].splitlines()
    assert said[0].startswith("No run matches.")
    assert said[1:] == ["accuracy>99%: no run alone.", "architecture=lent5: no run alone. Did you mean 'lenet5'?"]
    call("annotate", good, bad, "--archive")
    said = call("runs", "--where", "architecture=lenet5")[1].splitlines()
    assert said[1:] == ["architecture=lenet5: no run alone."], "archived ones are not looked at"


def test_sql_is_asked_of_all_runs_or_those_of_a_query(call, store):
    make_run(store.root, accuracy=0.95)
    make_run(store.root, accuracy=0.5)
    code, out, _ = call("runs", "--json", "--sql", "select count(*) as n from runs", "--where", "accuracy>90%")
    assert (code, json.loads(out)) == (0, {"columns": ["n"], "rows": [{"n": 1}], "is_cut": False})
    assert call("runs", "--sql", "select count(*) as n from config")[1].split() == ["n", "2"]
    code, out, err = call("runs", "--sql", "copy runs to 'x'")
    assert (code, out) == (2, "")
    assert "COPY is not for reading" in err
    assert call("runs", "--sql", "")[0] == 2, "all runs in place of an answer"


def test_an_unknown_state_is_said(call, store):
    make_run(store.root)
    code, _, err = call("runs", "--status", "complete")
    assert code == 2
    assert "Unknown state 'complete'. Did you mean 'completed'?" in err


def test_runs_are_written_about_and_archived_ones_left_out(call, store):
    first, second = make_run(store.root, name="one"), make_run(store.root, name="two")
    code, out, _ = call("annotate", first, "--tag", "Baseline", "--tag", "b", "--star", "--note", "Good", "--name", "x")
    assert code == 0
    assert out == "1 run: name=x, notes=Good, add_tags=['baseline', 'b'], is_starred=True.\n"
    assert said(store, first) == {
        "name": "x", "notes": "Good", "tags": ["baseline", "b"], "is_starred": True, "is_archived": False
    }  # fmt: skip
    assert listed(call, "--where", "tag=baseline starred") == [first]
    code, out, _ = call("annotate", "--where", "name=two", "--archive", "--json")
    assert json.loads(out) == {"run_ids": [second], "change": {"is_archived": True}}
    assert listed(call) == [first]
    assert set(listed(call, "--archived")) == {first, second}
    assert listed(call, "--where", "archived") == [second]
    call("annotate", first, second, "--no-archive", "--untag", "b", "--no-star")
    assert set(listed(call)) == {first, second}
    assert said(store, first)["tags"] == ["baseline"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("annotate", "x"), "Nothing was said. Expected an option such as --tag baseline or --star. Give one."),
        (("annotate", "--star"), "Neither ids nor a query, or both."),
        (("annotate", "x", "--where", "y", "--star"), "Neither ids nor a query, or both."),
        (("annotate", "x", "--star"), "No run 'x' in "),
        (("annotate", "x", "--tag", "two words"), "The tag 'two words' cannot be used."),
        (("annotate", "--where", "nothing", "--star"), "No run matches 'nothing'."),
        (("runs", "--where", "accurcy>1"), "Unknown field 'accurcy'. Did you mean 'accuracy'?"),
        (("runs", "--where", "accuracy>"), "'accuracy>' lacks a value."),
        (("runs", "--columns", "nonsense"), "Unknown field 'nonsense'."),
        (("delete",), "Neither ids nor a query, or both."),
    ],
)
def test_bad_input_is_one_sentence(call, store, arguments, sentence):
    make_run(store.root)
    code, out, err = call(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith(sentence)
    assert err.count("\n") == 1


def test_runs_are_deleted_by_a_query_and_the_trash_is_emptied(call, store, monkeypatch):
    kept, gone = make_run(store.root, accuracy=0.9), make_run(store.root, accuracy=0.2)
    asked: list[str] = []
    monkeypatch.setattr("typer.confirm", lambda question, **_: bool(asked.append(question)))
    assert call("delete", "--where", "accuracy<50%")[0] == 1
    assert asked[0].startswith("Move 1 run(s), ")
    assert asked[0].endswith("kB, to the trash?")
    assert call("delete", "--where", "accuracy<50%", "--yes")[0] == 0
    assert store.run_ids() == [kept]
    code, out, err = call("disk")
    assert code == 0
    assert kept in out
    assert gone not in out
    assert "leaves it 30 days after it was deleted, or by 'python -m cnnlab empty-trash'." in err
    told = json.loads(call("disk", "--json", "--where", "accuracy>0.5")[1])
    assert (told["runs"]["count"], told["trash"]["count"]) == (1, 1)
    assert told["runs"]["bytes"] == told["largest"][0]["bytes"] > 0
    assert call("empty-trash")[0] == 1
    assert json.loads(call("empty-trash", "--yes", "--json")[1]) == {"count": 1, "bytes": told["trash"]["bytes"]}
    assert store.trash_ids() == []
    assert call("empty-trash")[1] == "The trash is empty.\n"


def test_an_old_run_leaves_the_trash_by_itself(call, store, monkeypatch):
    first, second = make_run(store.root), make_run(store.root)
    call("delete", first, "--yes")
    assert store.trash_ids() == [first]
    monkeypatch.setenv("CNNLAB_TRASH_DAYS", "0.0000001")
    call("delete", second, "--yes")
    assert first not in store.trash_ids()
