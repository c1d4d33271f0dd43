"""The one-line language of augmentation, such as `flip_lr|crop(pad=4)|cutout(8)`.

    line     = [ step { "|" step } ]
    step     = name [ "(" [ argument { "," argument } ] ")" ]
    argument = [ name "=" ] value
    value    = number | word | "true" | "false"

Blanks mean nothing, an empty line is no augmentation, steps run from left to right and may
repeat. Values without a name fill the settings in the order of the catalogue. The canonical
form writes the first setting always, so that a table of runs shows how strong it was, and
the others where they differ from their default; a lone setting is written without its name.
Imports no Keras.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cnnlab.augmentation.catalogue import OPS, Op, get_op
from cnnlab.errors import ConfigError
from cnnlab.parameters import Parameters, ParameterSpec, check, specs

MAX_STEPS = 32
EXAMPLE = "flip_lr|crop(pad=4)|cutout(8)"

_TOKEN = re.compile(
    r"(?P<number>[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?(?![A-Za-z0-9_.]))"
    r"|(?P<word>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<symbol>[|(),=])"
)
_MAX_DIGITS = 40  # int() of thousands of digits is an error of Python's own
_NAMES = "Expected the name of an augmentation"


@dataclass(frozen=True)
class Step:
    """One augmentation with its settings."""

    op: str
    parameters: Parameters

    @property
    def entry(self) -> Op:
        """The catalogue's entry."""
        return OPS[self.op]

    def text(self) -> str:
        """Return the canonical form of this step."""
        fields = specs(type(self.parameters))
        written = [
            (field.name, _text(getattr(self.parameters, field.name)))
            for index, field in enumerate(fields)
            if index == 0 or getattr(self.parameters, field.name) != field.default
        ]
        if not written:
            return self.op
        if len(fields) == 1:
            return f"{self.op}({written[0][1]})"
        return f"{self.op}({', '.join(f'{name}={value}' for name, value in written)})"


@dataclass(frozen=True)
class Pipe:
    """What a line asks for: checked steps, from first to last."""

    steps: tuple[Step, ...] = ()

    @property
    def mixes_labels(self) -> bool:
        """Whether labels become shares of two classes."""
        return any(step.entry.mixes_labels for step in self.steps)

    def line(self) -> str:
        """Return the canonical line; parsing it gives this pipe again."""
        return build_line(self.steps)

    def check_image_size(self, shorter_side_px: int) -> None:
        """Raise `ConfigError` if a step asks for more pixels than an image has."""
        for step in self.steps:
            if step.entry.limit is None:
                continue
            name, share = step.entry.limit
            value, most = getattr(step.parameters, name), int(shorter_side_px * share)
            if value > most:
                raise ConfigError(
                    f"{step.op}: {name}={value} is too large for images of {shorter_side_px} px. "
                    f"Expected at most {most}. Lower it, or raise the image size."
                )


@dataclass(frozen=True)
class _Token:
    kind: str  # number, word, symbol or end
    text: str
    position: int  # counted from 1, as people do


def make_step(name: str, values: Mapping[str, Any] | None = None) -> Step:
    """Build one step from the name of an augmentation and its settings.

    Raises:
        ConfigError: the name or a setting is unknown, or a value is out of range.
    """
    op = get_op(name)
    for field in specs(op.parameters):
        if field.name in (values or {}):
            _check_kind(op, field, (values or {})[field.name])
    try:
        return Step(op.name, check(op.parameters, values or {}, f"augmentation {op.name!r}"))
    except ConfigError as error:
        text = str(error)
        raise ConfigError(text if text.startswith("Unknown") else f"{op.name}: {text}") from None


def build_line(steps: Iterable[Step]) -> str:
    """Return the canonical line of `steps`; `parse` reads it back."""
    return "|".join(step.text() for step in steps)


def parse(line: str) -> Pipe:
    """Read a line.

    Raises:
        ConfigError: names the word or the position that is wrong, and the way out.
    """
    return _Parser(line).pipe()


class _Parser:
    """Reads tokens from left to right, one ahead."""

    def __init__(self, line: str):
        self._tokens = _tokens(line)
        self._next = 0

    def pipe(self) -> Pipe:
        if self._ahead.kind == "end":
            return Pipe()
        steps = [self._step()]
        while self._ahead.kind != "end":
            self._take("|", "Expected '|' before the next augmentation, or the end of the line")
            steps.append(self._step())
            if len(steps) > MAX_STEPS:
                raise ConfigError(
                    f"The line has more than {MAX_STEPS} augmentations. Expected fewer. Remove some of them."
                )
        return Pipe(tuple(steps))

    @property
    def _ahead(self) -> _Token:
        return self._tokens[self._next]

    def _step(self) -> Step:
        name = self._take("word", _NAMES).text.lower()
        op = get_op(name)
        values: dict[str, Any] = {}
        if self._ahead.text == "(":
            self._take("(", "")
            while self._ahead.text != ")":
                if values:
                    self._take(",", f"Expected ',' or ')' in the settings of {name!r}")
                self._argument(op, values)
            self._take(")", "")
        return make_step(name, values)

    def _argument(self, op: Op, values: dict[str, Any]) -> None:
        first, fields = self._ahead, [field.name for field in specs(op.parameters)]
        if first.kind == "word" and self._tokens[self._next + 1].text == "=":
            self._next += 2
            name = first.text.lower()
            if name in values:
                raise ConfigError(
                    f"{op.name}: {name!r} is given twice (position {first.position}). Expected it once. Remove one."
                )
            values[name] = self._value(op)
            return
        value = self._value(op)
        if len(values) >= len(fields):
            takes = f"Expected at most {len(fields)}: {', '.join(fields)}" if fields else "It takes no settings"
            raise ConfigError(
                f"{op.name}: {first.text!r} at position {first.position} is one value too many. {takes}. Remove it."
            )
        if list(values) != fields[: len(values)]:
            raise ConfigError(
                f"{op.name}: {first.text!r} at position {first.position} has no name but follows a named setting. "
                f"Expected 'name=value', with one of: {', '.join(fields)}. Write its name."
            )
        values[fields[len(values)]] = value

    def _value(self, op: Op) -> Any:
        token = self._ahead
        if token.kind == "number":
            self._next += 1
            return _number(token)
        word = self._take("word", f"Expected a number, a word, true or false for {op.name!r}").text.lower()
        return {"true": True, "false": False}.get(word, word)

    def _take(self, what: str, expected: str) -> _Token:
        token = self._ahead
        if what not in (token.kind, token.text) or (token.kind == "end" and what != "end"):
            if token.kind == "end":
                raise ConfigError(f"The line ends too early. {expected}. An example: {EXAMPLE!r}.")
            raise ConfigError(
                f"Unexpected {token.text!r} at position {token.position}. {expected}. An example: {EXAMPLE!r}."
            )
        self._next += 1
        return token


def _tokens(line: str) -> list[_Token]:
    found, position = [], 0
    while position < len(line):
        if line[position].isspace():
            position += 1
            continue
        match = _TOKEN.match(line, position)
        if match is None:
            raise ConfigError(
                f"Unexpected {line[position]!r} at position {position + 1}. "
                f"Expected names, numbers and the signs | ( ) , =. An example: {EXAMPLE!r}."
            )
        found.append(_Token(str(match.lastgroup), match.group(), position + 1))
        position = match.end()
    return [*found, _Token("end", "", len(line) + 1)]


def _number(token: _Token) -> int | float:
    if len(token.text) > _MAX_DIGITS:
        raise ConfigError(
            f"The number at position {token.position} has {len(token.text)} characters. "
            f"Expected at most {_MAX_DIGITS}. Write it shorter."
        )
    return float(token.text) if any(sign in token.text for sign in ".eE") else int(token.text)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return repr(value) if isinstance(value, float) else str(value)


def _check_kind(op: Op, field: ParameterSpec, value: Any) -> None:
    """Refuse what pydantic would convert, such as true for 1, with a sentence that says the range."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    is_right = {
        "integer": is_number and abs(value) < 2**53 and value == value // 1,  # NaN and infinity fail too
        "number": is_number,
        "boolean": isinstance(value, bool),
    }.get(field.kind, True)
    if is_right:
        return
    kind = {"integer": "an integer", "number": "a number"}.get(field.kind, "true or false")
    bounds = f" in {field.range_text()}" if field.range_text() else ""
    raise ConfigError(f"{op.name}: {field.name}={_text(value)} cannot be used. Expected {kind}{bounds}.")
