"""Numbers as people read them. What is missing is an en dash, never a zero."""

from datetime import UTC, datetime

MISSING = "–"
_PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def percent(share: float | None, digits: int = 1) -> str:
    """Return `'97.3 %'` for 0.973."""
    return MISSING if share is None or share != share else f"{100 * share:.{digits}f} %"


def percent_interval(low: float | None, high: float | None, digits: int = 1) -> str:
    """Return `'95.1 to 98.6 %'`."""
    if low is None or high is None or low != low or high != high:
        return MISSING
    return f"{100 * low:.{digits}f} to {100 * high:.{digits}f} %"


def count(number: float | None) -> str:
    """Return `'61,706'`."""
    return MISSING if number is None or number != number else f"{number:,.0f}"


def short(number: float | None, unit: str = "") -> str:
    """Return three digits with a prefix, `'416 k'`, `'40.8 M'`."""
    if number is None or number != number:
        return MISSING
    for size, prefix in _PREFIXES:
        if abs(number) >= size * 0.9995:
            scaled = number / size
            digits = 0 if abs(scaled) >= 99.95 else 1 if abs(scaled) >= 9.995 else 2
            return f"{scaled:.{digits}f} {prefix}{unit}"
    return f"{number:,.0f} {unit}".strip()


def number(value: float | None, digits: int = 4) -> str:
    """Return a loss or a rate with `digits` significant digits; NaN and infinity are said."""
    if value is None:
        return MISSING
    return "NaN" if value != value else f"{value:.{digits}g}"


def duration(seconds: float | None) -> str:
    """Return `'8.4 s'`, `'3 min 05 s'`, `'2 h 07 min'` or `'3 d 4 h'`."""
    if seconds is None or seconds != seconds:
        return MISSING
    if seconds < 10:
        return f"{max(0.0, seconds):.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    if whole < 86_400:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 86_400} d {whole % 86_400 // 3600} h"


def parse_time(text: str | None) -> datetime | None:
    """Return the time of ISO text in UTC, or nothing where it is missing or torn."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def ago(text: str | None, now: datetime | None = None) -> str:
    """Return `'3 min ago'` for ISO text in UTC."""
    moment = parse_time(text)
    if moment is None:
        return MISSING
    seconds = ((now or datetime.now(UTC)) - moment).total_seconds()
    if seconds < 45:
        return "just now"
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit} ago"
    return "1 min ago"


def between(start: str | None, end: str | None, now: datetime | None = None) -> float | None:
    """Return the seconds from `start` to `end`, or to now while there is no end."""
    first, last = parse_time(start), parse_time(end) or now or datetime.now(UTC)
    return None if first is None else max(0.0, (last - first).total_seconds())
