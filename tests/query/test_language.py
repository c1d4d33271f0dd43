"""The language of queries: what is read, what is refused and how, and that writing undoes reading."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnlab.errors import QueryError
from cnnlab.query.language import (
    MOST_NESTED,
    OPERATORS,
    All,
    Comparison,
    Either,
    Not,
    Range,
    Text,
    Tree,
    Word,
    parse,
    text,
)


def equal(field: str, *values: str) -> Comparison:
    return Comparison(field, "=", tuple(map(Text, values)))


@pytest.mark.parametrize(
    ("question", "tree"),
    [
        ("", All(())),
        ("resnet", Word(Text("resnet"))),
        ("a=1", equal("a", "1")),
        ("a = 1 ,2", equal("a", "1", "2")),
        ("a=1 b=2", All((equal("a", "1"), equal("b", "2")))),
        ("a=1 AND b=2", All((equal("a", "1"), equal("b", "2")))),
        ("a=1 or b=2 c=3", Either((equal("a", "1"), All((equal("b", "2"), equal("c", "3")))))),
        ("(a=1 or b=2) c=3", All((Either((equal("a", "1"), equal("b", "2"))), equal("c", "3")))),
        ("not a=1 b", All((Not(equal("a", "1")), Word(Text("b"))))),
        ("not not b", Not(Not(Word(Text("b"))))),
        ("tag:base", Comparison("tag", ":", (Text("base"),))),
        ("a!=1", Comparison("a", "!=", (Text("1"),))),
        ("a>=-1.5e3", Comparison("a", ">=", (Text("-1.5e3"),))),
        ("a=1..2,7..", Comparison("a", "=", (Range(Text("1"), Text("2")), Range(Text("7"), None)))),
        ("a=..2", Comparison("a", "=", (Range(None, Text("2")),))),
        ("\"or\" 'it\\'s'", All((Word(Text("or", True)), Word(Text("it's", True))))),
        ('a="1..2"', Comparison("a", "=", (Text("1..2", True),))),
        ("created>2026-11-01T10:30", Comparison("created", ">", (Text("2026-11-01T10:30"),))),
        ("a..b", Word(Text("a..b"))),
        ('"odd name">1', Comparison("odd name", ">", (Text("1"),))),
        ("accuracy>90%", Comparison("accuracy", ">", (Text("90%"),))),
        ("a=or", equal("a", "or")),
        ("a==1 && b=2", All((equal("a", "1"), equal("b", "2")))),
        ("a=>1 || b=<2", Either((Comparison("a", ">=", (Text("1"),)), Comparison("b", "<=", (Text("2"),))))),
        ('"&&" R&D', All((Word(Text("&&", True)), Word(Text("R&D"))))),
    ],
)
def test_what_is_read(question: str, tree: Tree) -> None:
    assert parse(question) == tree
    assert parse(text(tree)) == tree


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("a>", "'a>' lacks a value. Expected a text, a number or a range such as 10..20. Write one."),
        ("a=1,", "'a=…,' lacks a value. Expected a text, a number or a range such as 10..20. Write one."),
        ("a=..", "'a=..' lacks both ends. Expected such as 10..20, 10.. or ..20. Write one."),
        ("a or", "Nothing comes after 'or'. Expected a comparison or a word. Write on, or remove it."),
        ("(a", "A '(' is not closed. Expected ')'. Close it."),
        ("a)", "')' has nothing to its left that it closes. Expected a word. Remove it."),
        ("or a", "'or' stands where a word was expected. Expected a comparison such as accuracy>0.9, or a word. "
                 'Remove it, or quote it: "or".'),
        ("> 3", "'>' stands where a word was expected. Expected a comparison such as accuracy>0.9, or a word. "
                'Remove it, or quote it: ">".'),
        ('a="b', "The quote at '\"b' is not closed. Expected another \" after the text. Close it, or write \\ "
                 "before it."),
        ("a !", "'!' says nothing alone. Expected '!='. Write 'not' to exclude."),
        ("a>1,2", "a> takes one number. Expected a=1..2 for a range or a=1,2 for several. Write '=' instead."),
        ("a" * 2001, "The query has 2,001 characters. Expected at most 2,000. Cut it."),
    ],
)  # fmt: skip
def test_what_is_refused_says_the_way_out(question: str, said: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(question)
    assert str(caught.value) == said


@pytest.mark.parametrize("unit", ["not ", "("])
def test_deep_nesting_is_refused_before_the_stack_ends(unit: str) -> None:
    parse(unit * (MOST_NESTED - 1) + "a" + ")" * (MOST_NESTED - 1) * (unit == "("))
    with pytest.raises(QueryError, match="nests deeper than 50"):
        parse(unit * 400 + "a")


QUOTED = st.builds(Text, st.text(max_size=8), st.just(True))
BARE = st.from_regex(r"[A-Za-z0-9_*%.+/-]{1,8}", fullmatch=True)
WORD_TEXTS = BARE.filter(lambda one: one.lower() not in ("and", "or", "not")).map(Text) | QUOTED
ENDS = st.from_regex(r"[A-Za-z0-9%-]{1,6}", fullmatch=True).map(Text)
RANGES = st.builds(Range, ENDS, st.none() | ENDS) | st.builds(Range, st.none(), ENDS)
VALUES = BARE.filter(lambda one: ".." not in one).map(Text) | QUOTED | RANGES
COMPARISONS = st.builds(
    Comparison,
    st.text(max_size=8),
    st.sampled_from(["=", "!=", ":"]),
    st.lists(VALUES, min_size=1, max_size=3).map(tuple),
) | st.builds(Comparison, BARE, st.sampled_from(OPERATORS), st.tuples(QUOTED))
TREES = st.recursive(
    st.builds(Word, WORD_TEXTS) | COMPARISONS,
    lambda inner: (
        st.builds(Not, inner)
        | st.builds(All, st.lists(inner, min_size=2, max_size=3).map(tuple))
        | st.builds(Either, st.lists(inner, min_size=2, max_size=3).map(tuple))
    ),
    max_leaves=8,
)


@given(TREES)
def test_reading_undoes_writing(tree: Tree) -> None:
    assert parse(text(tree)) == tree


@given(st.text(alphabet="ab=<>!:,.()'\"\\ orndt1", max_size=30))
def test_any_text_is_read_or_refused_and_what_is_read_stays_the_same(question: str) -> None:
    try:
        tree = parse(question)
    except QueryError:
        return
    assert parse(text(tree)) == tree
