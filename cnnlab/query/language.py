"""Questions about runs in plain words, as a tree: `architecture=resnet depth>20 not tag:old`.

    question   = either
    either     = all ("or" all)*
    all        = one (["and"] one)*
    one        = "not" one | "(" either ")" | comparison | word
    comparison = field operator value ("," value)*      any of the values
    operator   = "=" | "!=" | "<" | "<=" | ">" | ">=" | ":"     ":" is "contains"; "==" "=>" "=<" are read, too
    value      = text | text ".." text | text ".." | ".." text  ends belong to the range
    field      = text

"&&", "&", "||" and "|" are read as "and" and "or". A text is quoted with ' or " where it has spaces, quotes,
parentheses, commas or operators, or would be read as "and", "or", "not" or a range; a backslash takes the next
character as it is. What is quoted is never a number, a pattern or a word of the language. A word alone is looked for
in names, notes, tags and the like.

This module knows neither fields nor types: a tree says what was written. `text(parse(x))` is the same question.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from cnnlab.errors import QueryError

OPERATORS = ("!=", "<=", ">=", "=", "<", ">", ":")
MOST_CHARACTERS = 2000
# Deeper ones end Python's stack, and nobody writes them by hand.
MOST_NESTED = 50
# As people write them who come from a programming language.
_OTHER_KEYWORDS = {"&&": "and", "&": "and", "||": "or", "|": "or"}
_OTHER_OPERATORS = {"==": "=", "=>": ">=", "=<": "<="}
_KEYWORDS = ("and", "or", "not", *_OTHER_KEYWORDS)
_SPACE = re.compile(r"\s+")
_OPERATOR = re.compile("|".join(map(re.escape, (*_OTHER_OPERATORS, *OPERATORS))))
_QUOTED = re.compile(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"", re.DOTALL)
_BARE = re.compile(r"[^\s'\"(),=<>!:]+")
# After an operator a colon is a character as any other, as in 2026-11-01T10:30.
_BARE_VALUE = re.compile(r"[^\s'\"(),=<>!]+")


@dataclass(frozen=True)
class Text:
    """A text as it was written, without quotes."""

    text: str
    is_quoted: bool = False


@dataclass(frozen=True)
class Range:
    """From `low` to `high`; None for an open end."""

    low: Text | None
    high: Text | None


@dataclass(frozen=True)
class Word:
    """A text that is looked for everywhere."""

    text: Text


@dataclass(frozen=True)
class Comparison:
    """A field, an operator of `OPERATORS` and the values of which one is enough."""

    field: str
    operator: str
    values: tuple[Text | Range, ...]


@dataclass(frozen=True)
class Not:
    """The opposite."""

    part: "Tree"


@dataclass(frozen=True)
class All:
    """Every part holds; without parts everything does."""

    parts: tuple["Tree", ...]


@dataclass(frozen=True)
class Either:
    """One part holds."""

    parts: tuple["Tree", ...]


Tree = Word | Comparison | Not | All | Either


# === Reading ===


@dataclass(frozen=True)
class _Token:
    kind: str  # "text", "operator", "(", ")", ","
    text: str
    place: int
    is_quoted: bool = False

    def is_keyword(self, word: str) -> bool:
        said = self.text.lower()
        return self.kind == "text" and not self.is_quoted and word in (said, _OTHER_KEYWORDS.get(said))


def parse(question: str) -> Tree:
    """Return the tree of a question; the empty one holds for every run.

    Raises:
        QueryError: it cannot be read, and where.
    """
    if len(question) > MOST_CHARACTERS:
        raise QueryError(f"The query has {len(question):,} characters. Expected at most {MOST_CHARACTERS:,}. Cut it.")
    tokens = list(_tokens(question))
    if not tokens:
        return All(())
    reader = _Reader(tokens)
    tree = reader.either()
    if (left := reader.next()) is not None:
        raise QueryError(f"{left.text!r} has nothing to its left that it closes. Expected a word. Remove it.")
    return tree


def _tokens(question: str) -> Iterator[_Token]:
    place, is_value = 0, False
    while place < len(question):
        if found := _SPACE.match(question, place):
            pass
        elif found := _QUOTED.match(question, place):
            yield _Token("text", _unescaped(found[1] if found[1] is not None else found[2]), place, True)
            is_value = False
        elif question[place] in "(),":
            found = re.compile(".").match(question, place)
            yield _Token(question[place], question[place], place)
            is_value = question[place] == ","
        elif found := (_BARE_VALUE if is_value else _BARE).match(question, place):
            yield _Token("text", found[0], place)
            is_value = False
        elif found := _OPERATOR.match(question, place):
            yield _Token("operator", _OTHER_OPERATORS.get(found[0], found[0]), place)
            is_value = True
        elif question[place] in "'\"":
            raise QueryError(
                f"The quote at {question[place : place + 20]!r} is not closed. Expected another {question[place]} "
                "after the text. Close it, or write \\ before it."
            )
        else:
            raise QueryError(f"'{question[place]}' says nothing alone. Expected '!='. Write 'not' to exclude.")
        assert found
        place = found.end()


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)


class _Reader:
    def __init__(self, tokens: list[_Token]):
        self._tokens = tokens
        self._place = 0
        self._depth = 0

    def next(self, ahead: int = 0) -> _Token | None:
        place = self._place + ahead
        return self._tokens[place] if place < len(self._tokens) else None

    def take(self) -> _Token:
        self._place += 1
        return self._tokens[self._place - 1]

    def either(self) -> Tree:
        parts = [self.all()]
        while (token := self.next()) and token.is_keyword("or"):
            self.take()
            parts.append(self.all())
        return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def all(self) -> Tree:
        parts = [self.one()]
        while (token := self.next()) and token.kind != ")" and not token.is_keyword("or"):
            if token.is_keyword("and"):
                self.take()
            parts.append(self.one())
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def one(self) -> Tree:
        token = self.next()
        if token is None:
            last = self._tokens[-1].text
            raise QueryError(f"Nothing comes after {last!r}. Expected a comparison or a word. Write on, or remove it.")
        self.take()
        self._depth += 1
        if self._depth > MOST_NESTED:
            raise QueryError(f"The query nests deeper than {MOST_NESTED}. Expected a simpler one. Split it.")
        try:
            return self._one(token)
        finally:
            self._depth -= 1

    def _one(self, token: _Token) -> Tree:
        if token.is_keyword("not"):
            return Not(self.one())
        if token.kind == "(":
            part = self.either()
            if (closing := self.next()) is None or closing.kind != ")":
                raise QueryError("A '(' is not closed. Expected ')'. Close it.")
            self.take()
            return part
        follows = self.next()
        if token.kind == "text" and follows is not None and follows.kind == "operator":
            return self._comparison(token.text, self.take().text)
        if token.kind == "text" and not any(map(token.is_keyword, _KEYWORDS)):
            return Word(Text(token.text, token.is_quoted))
        raise QueryError(
            f"{token.text!r} stands where a word was expected. Expected a comparison such as accuracy>0.9, or a word. "
            f"""Remove it, or quote it: "{token.text}"."""
        )

    def _comparison(self, field: str, operator: str) -> Comparison:
        values = [self._value(f"{field}{operator}")]
        while (token := self.next()) and token.kind == ",":
            self.take()
            values.append(self._value(f"{field}{operator}…,"))
        if operator in ("<", "<=", ">", ">=") and (len(values) > 1 or isinstance(values[0], Range)):
            raise QueryError(
                f"{field}{operator} takes one number. Expected {field}=1..2 for a range or {field}=1,2 for several. "
                "Write '=' instead."
            )
        return Comparison(field, operator, tuple(values))

    def _value(self, before: str) -> Text | Range:
        token = self.next()
        if token is None or token.kind != "text":
            raise QueryError(
                f"{before!r} lacks a value. Expected a text, a number or a range such as 10..20. Write one."
            )
        self.take()
        low, dots, high = token.text.partition("..")
        if token.is_quoted or not dots:
            return Text(token.text, token.is_quoted)
        if not low and not high:
            raise QueryError(f"'{before}..' lacks both ends. Expected such as 10..20, 10.. or ..20. Write one.")
        return Range(Text(low) if low else None, Text(high) if high else None)


# === Writing ===


def text(tree: Tree) -> str:
    """Return a question that `parse` reads as this tree.

    >>> text(parse("a = 1  and (b>2 or not 'c d')"))
    'a=1 (b>2 or not "c d")'
    """
    match tree:
        case Word(word):
            return _quoted(word)
        case Comparison(field, operator, values):
            return f"{_quoted(Text(field))}{operator}{','.join(map(_value_text, values))}"
        case Not(part):
            return f"not {_nested(part)}"
        case All(parts):
            return " ".join(map(_nested, parts))
        case Either(parts):
            return " or ".join(map(_nested, parts))


def _nested(tree: Tree) -> str:
    return f"({text(tree)})" if isinstance(tree, All | Either) else text(tree)


def _value_text(value: Text | Range) -> str:
    if isinstance(value, Range):
        return f"{value.low.text if value.low else ''}..{value.high.text if value.high else ''}"
    is_plain = _BARE_VALUE.fullmatch(value.text) and ".." not in value.text
    return value.text if is_plain and not value.is_quoted else _in_quotes(value.text)


def _quoted(value: Text) -> str:
    is_plain = _BARE.fullmatch(value.text) and value.text.lower() not in _KEYWORDS
    return value.text if is_plain and not value.is_quoted else _in_quotes(value.text)


def _in_quotes(text: str) -> str:
    escaped = re.sub(r'([\\"])', r"\\\1", text)
    return f'"{escaped}"'
