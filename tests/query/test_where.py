"""What queries find among a few runs, what they refuse, and the order of what is found."""

import math
import operator
import re

import polars as pl
import pytest
from few_runs import few_fields, few_runs
from hypothesis import given
from hypothesis import strategies as st

from cnnlab.errors import QueryError
from cnnlab.query import where
from cnnlab.query.names import SHORT, described, resolve
from cnnlab.runs.schema import SUMMARY, polars_schema


@pytest.fixture
def runs() -> pl.DataFrame:
    return few_runs()


@pytest.fixture
def flat() -> pl.DataFrame:
    return few_fields()


@pytest.fixture
def found(runs: pl.DataFrame, flat: pl.DataFrame):
    return lambda question: "".join(where.find(runs, question, lambda: flat)["run_id"])


@pytest.mark.parametrize(
    ("question", "kept"),
    [
        ("", "abcde"),
        # words
        ("resnet", "ab"), ("DEEP", "a"), ("nan_loss", "d"), ("fast", "d"), ("baseline", "a"), ("vgg run", "ce"),
        (".*", ""), ("starred", "b"), ("archived", "d"), ("not archived", "abce"), ('"starred"', ""),
        # numbers
        ("accuracy>0.9", "a"), ("accuracy>=90%", "ac"), ("accuracy<90%", "b"), ("accuracy=0.9", "c"),
        ("accuracy=85%..90%", "bc"), ("accuracy=..0.9", "bc"), ("epochs=20,10", "ab"), ("epochs!=20", "bcde"),
        ("time>1min", "c"), ("time=1.5min", "c"), ("size>4MB", "c"), ("size<4MiB", ""), ("depth>20", "b"),
        ("depth=16..20", "ace"), ("momentum=0.9", "ab"), ("training.momentum>.9", "d"),
        # missing
        ("accuracy=missing", "d"), ("accuracy!=missing", "abce"), ("not accuracy>0.9", "bcde"), ("tag=missing", "bcd"),
        ("optimizer!=sgd", "acde"),
        # texts
        ("architecture=RESNET", "ab"), ("arch=resnet,lenet5", "abd"), ("arch=*net*", "abd"), ('arch="*net*"', ""),
        ("arch:net", "abd"), ("arch:n*5", "d"), ('notes="too fast"', "d"), ("optimizer:a", "c"),
        # lists
        ("tag:base", "ae"), ("tag=base", ""), ("tag=baseline", "a"), ("tag=*-2", "e"), ("tag!=old", "bcde"),
        # yes or no
        ("starred=yes", "b"), ("is_starred=no", "acde"), ("decay_all=true", "a"), ("decay_all!=true", "bcde"),
        # times
        ("created=2026-11-02", "b"), ("created>2026-11-02", "cde"), ("created>=2026-11-02", "bcde"),
        ("created<2026-11", ""), ("created<=2026", "abcde"), ("created=2026-11-02..2026-11-03", "bc"),
        ("created=2026-11-02T12:30", "b"), ("created=2026-11-02T12:31", ""), ("created=2026-11-04..", "de"),
        ("age>=0s", "abcde"), ("age<1s", ""),
        # what is a number in some runs and a list in others
        ("width=16", "a"), ("width=16.0", "a"), ("width>0.1", "ac"), ("width:8", "b"), ("width=0.4..0.6", "c"),
        # together
        ("resnet accuracy>0.9", "a"), ("resnet or vgg", "abce"), ("not (resnet or vgg)", "d"),
        ("starred or tag:base depth<20", "be"), ("not not starred", "b"), ("kept_epoch>3", "bc"),
        ("result.test.label.accuracy>0.9", "a"), ("blocks_per_stack>1", ""), ("blocks_per_stack=missing", "abcde"),
    ],
)  # fmt: skip
def test_what_is_found(found, question: str, kept: str) -> None:
    assert found(question) == kept


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("accurcy>0.9", "Unknown field 'accurcy'. Did you mean 'accuracy'? To look for a word, quote it."),
        ("wdith=3", "Unknown field 'wdith'. Did you mean 'width'? To look for a word, quote it."),
        ("zzz=3", "Unknown field 'zzz'. Expected a field such as accuracy, architecture, depth or training.batch_size. "
                  "The help lists them all."),
        ("parameters.depth=3 or label.accuracy>90%", None),
        ("accuracy>90", "test_accuracy is a share between 0 and 1, got 90. Expected such as 90%. "
                        "Add the percent sign."),
        ("epochs>many", "epochs is a number, and 'many' is none. Expected such as epochs>10. Write one."),
        ("epochs>5s", "The unit 's' does not fit epochs, in '5s'. Expected a number, or one with k, K, M, G, T. "
                      "Change the unit."),
        ("architecture>5", "architecture is text, which is neither smaller nor larger. Expected architecture=… or "
                           "architecture:… for a part of it. Write '=' or ':'."),
        ("starred>1", "is_starred is yes or no. Expected is_starred=yes or is_starred=no. Write one of them."),
        ("starred=maybe", "is_starred is yes or no, got 'maybe'. Expected is_starred=yes or is_starred=no. "
                          "Write one of them."),
        ("tag>1", "tags are words. Expected tags=… or tags:… for a part of one. Write '=' or ':'."),
        ("created>soon", "created_at is a time, and 'soon' is none. Expected such as 2026-11-01, 2026-11 or today. "
                         "For a time since now write age<7d."),
        ("created=2026-13", "created_at is a time, and '2026-13' is none. Expected such as 2026-11-01, 2026-11 or "
                            "today. For a time since now write age<7d."),
    ],
)  # fmt: skip
def test_what_does_not_fit_says_the_way_out(found, question: str, said: str | None) -> None:
    if said is None:
        assert found(question) == "a"
        return
    with pytest.raises(QueryError, match=re.escape(said)):
        found(question)


def test_a_name_that_may_mean_two_things(runs: pl.DataFrame, flat: pl.DataFrame) -> None:
    both = flat.with_columns(pl.lit(1).alias("result.val.label.accuracy"))
    said = "'label.accuracy' may mean result.test.label.accuracy or result.val.label.accuracy. Expected one of them."
    with pytest.raises(QueryError, match=re.escape(said)):
        where.find(runs, "label.accuracy>0.5", lambda: both)


def test_settings_are_read_only_where_a_query_needs_them(runs: pl.DataFrame) -> None:
    def read() -> pl.DataFrame:
        raise AssertionError("read for nothing")

    assert where.find(runs, "accuracy>0.9 starred or arch=vgg tag:b", read)["run_id"].to_list() == ["e"]


@pytest.mark.parametrize(
    ("by", "order"),
    [
        ("accuracy", "bcade"), ("-accuracy", "acbde"), ("-created", "edcba"), ("architecture", "dabce"),
        ("depth", "ceabd"), ("-tags", "aebcd"), ("starred", "acdeb"), ("blocks_per_stack", "abcde"),
        ("width", "cabde"),
    ],
)  # fmt: skip
def test_order(runs: pl.DataFrame, flat: pl.DataFrame, by: str, order: str) -> None:
    assert "".join(where.ordered(runs, by, lambda: flat)["run_id"]) == order


def test_why_nothing_is_left(runs: pl.DataFrame, flat: pl.DataFrame) -> None:
    parts = where.parts(runs, "arch=resnet blocks_per_stack>2 starred", lambda: flat)
    assert [(one.text, one.num_kept, one.lacking) for one in parts] == [
        ("arch=resnet", 2, ""),
        ("blocks_per_stack>2", 0, "architecture.parameters.blocks_per_stack"),
        ("starred", 1, ""),
    ]
    (part,) = where.parts(runs, "arch=resnt", lambda: flat)
    assert part.sentence == "arch=resnt: no run alone. Did you mean 'resnet'?"


@pytest.mark.parametrize(("question", "is_asked"), [("archived", True), ("a or not archived=no", True), ("x", False)])
def test_whether_a_query_speaks_of_archived_runs(question: str, is_asked: bool) -> None:
    assert where.mentions(where.parse(question), "is_archived") is is_asked


def test_an_empty_table_is_searched() -> None:
    empty = pl.DataFrame(schema=polars_schema(SUMMARY))
    flat = pl.DataFrame(schema={"run_id": pl.String})
    assert where.find(empty, "resnet depth>2 tag:a created>2026 starred", lambda: flat).is_empty()
    assert where.ordered(empty, "-depth", lambda: flat).is_empty()


def test_every_field_is_listed_and_means_itself(flat: pl.DataFrame) -> None:
    rows = described(flat.columns)
    names = [row["field"] for row in rows]
    assert set(SUMMARY.names) | {"training.batch_size", "architecture.parameters.depth", "tricks.test_time"} <= set(
        names
    )
    for row in rows:
        assert row["note"]
        for name in (row["field"], *filter(None, row["short"].split(", "))):
            assert resolve(name, flat.columns).column == row["field"], name
    assert set(SHORT.values()) <= set(SUMMARY.names)


NUMBERS = st.sampled_from([0.1, 0.25, 0.5, 1.0, 2.0, 1e6])
COMPARE = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "=": math.isclose}


@given(st.lists(st.none() | NUMBERS, min_size=1, max_size=8), st.sampled_from(sorted(COMPARE)), NUMBERS)
def test_comparisons_agree_with_python(numbers: list, sign: str, value: float) -> None:
    ids = [str(number) for number in range(len(numbers))]
    runs = pl.DataFrame({"run_id": ids})
    flat = pl.DataFrame({"run_id": ids, "training.momentum": pl.Series(numbers, dtype=pl.Float64)})
    kept = where.find(runs, f"momentum{sign}{value!r}", lambda: flat)["run_id"].to_list()
    assert kept == [id_ for id_, one in zip(ids, numbers, strict=True) if one is not None and COMPARE[sign](one, value)]
    rest = where.find(runs, f"not momentum{sign}{value!r}", lambda: flat)["run_id"].to_list()
    assert sorted(kept + rest) == ids
