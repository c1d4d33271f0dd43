"""Numbers with units and times, as people write them in a query: `90%`, `1.5M`, `2h`, `200MB`, `2026-11`."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cnnlab.errors import QueryError

_NUMBER = re.compile(r"([+-]?(?:\d+(?:_\d+)*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)\s*([A-Za-zµ%]*)")
_COUNTS = {"k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
_SECONDS = {"ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
_BYTES = {"B": 1.0, "kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12,
          "KiB": 2.0**10, "MiB": 2.0**20, "GiB": 2.0**30, "TiB": 2.0**40}  # fmt: skip
_TIME = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2}))?Z?)?)?)?")


@dataclass(frozen=True)
class Moment:
    """A stretch of time, such as a day, from `begin` to just before `end`."""

    begin: datetime
    end: datetime


def number(text: str, field: str) -> float | None:
    """Return the number that a text says with its unit, None where it says none.

    Args:
        field: The column it is compared with: its ending decides which units fit, and a share is in [0, 1].

    Raises:
        QueryError: the unit does not fit, or a share is above 1.
    """
    found = _NUMBER.fullmatch(text.strip())
    if found is None:
        return None
    value, unit = float(found[1].replace("_", "")), found[2]
    if unit == "%":
        return value / 100
    if is_share(field) and abs(value) > 1:
        raise QueryError(
            f"{field} is a share between 0 and 1, got {text}. Expected such as {value:g}%. Add the percent sign."
        )
    if not unit:
        return value
    units = _units(field)
    if unit not in units:
        raise QueryError(
            f"The unit {unit!r} does not fit {field}, in {text!r}. Expected a number, or one with "
            f"{', '.join(units)}. Change the unit."
        )
    return value * units[unit]


def _units(field: str) -> dict[str, float]:
    if field.endswith("_bytes"):
        return _BYTES
    return _SECONDS if field.endswith("_s") or field == "age" else _COUNTS


def is_share(field: str) -> bool:
    """Return whether a column holds shares of one, which people read in percent."""
    last = field.rpartition(".")[2]
    return last.endswith("accuracy") or last.endswith("share")


def moment(text: str, field: str, now: datetime | None = None) -> Moment:
    """Return the time that a text says, in UTC: a year, month, day, minute or second, `today` or `yesterday`.

    Raises:
        QueryError: it says no time.
    """
    now = now or datetime.now(UTC)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    day = timedelta(days=1)
    if text.lower() in ("today", "yesterday"):
        begin = midnight if text.lower() == "today" else midnight - day
        return Moment(begin, begin + day)
    found = _TIME.fullmatch(text.strip())
    try:
        if found is None:
            raise ValueError
        return _moment([int(part) for part in found.groups() if part is not None])
    except (ValueError, OverflowError):
        raise QueryError(
            f"{field} is a time, and {text!r} is none. Expected such as 2026-11-01, 2026-11 or today. "
            "For a time since now write age<7d."
        ) from None


def _moment(parts: list[int]) -> Moment:
    lowest = [1, 1, 1, 0, 0, 0]
    year, month, day, hour, minute, second = parts + lowest[len(parts) :]
    begin = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    if len(parts) == 1:
        return Moment(begin, begin.replace(year=year + 1))
    if len(parts) == 2:
        return Moment(begin, (begin + timedelta(days=31)).replace(day=1))
    length = {3: timedelta(days=1), 5: timedelta(minutes=1)}.get(len(parts), timedelta(seconds=1))
    return Moment(begin, begin + length)


def yes_or_no(text: str, field: str) -> bool:
    """Return what a text says; raises `QueryError` where it says neither."""
    word = text.strip().lower()
    if word in ("yes", "true", "1", "on"):
        return True
    if word in ("no", "false", "0", "off"):
        return False
    raise QueryError(f"{field} is yes or no, got {text!r}. Expected {field}=yes or {field}=no. Write one of them.")
