"""Names as figures can show them: as they are, not too long, and never two alike."""

from collections import Counter
from collections.abc import Iterable, Mapping


def escaped(text: str) -> str:
    """Return `text` so that plotly shows it as it is: it reads `<b>` and `<a href>` in names."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def shortened(text: str, length: int = 28) -> str:
    """Return `text`, or its beginning and end around an ellipsis when it is too long for an axis."""
    if len(text) <= length:
        return text
    half = (length - 1) // 2
    return f"{text[: length - 1 - half]}…{text[-half:]}"


def unique_labels(names: Iterable[str], length: int = 28) -> list[str]:
    """Return names fit for a categorical axis, which would merge two of the same text."""
    labels: list[str] = []
    taken: set[str] = set()
    for name in names:
        label = first = escaped(shortened(name, length))
        again = 2
        while label in taken:
            label, again = f"{first} ({again})", again + 1
        labels.append(label)
        taken.add(label)
    return labels


def distinct(names: Mapping[str, str]) -> dict[str, str]:
    """Return the names of runs by id, with ` #1`, ` #2` behind those that several runs share, such as seeds."""
    shared = Counter(names.values())
    counts: dict[str, int] = {}
    result = {}
    for key, name in names.items():
        counts[name] = counts.get(name, 0) + 1
        result[key] = f"{name} #{counts[name]}" if shared[name] > 1 else name
    return result


def with_n(name: str, count: int) -> str:
    """Return what a group is called with how many runs are behind it: `net, n = 3`."""
    return f"{name}, n = {count}"


def plural(count: int, noun: str, many: str = "") -> str:
    """Return `1 run` or `1,234 runs`."""
    return f"{count:,} {noun if count == 1 else many or noun + 's'}"


def digits_below_one(share: float, least: int, most: int = 5) -> int:
    """Return how many decimals a number takes so that it is not rounded up to 1; at least and at most so many.

    >>> digits_below_one(0.98, 2), digits_below_one(0.99996, 2), digits_below_one(1.0, 2)
    (2, 5, 2)
    """
    if share >= 1:
        return least
    return next((digits for digits in range(least, most) if round(share, digits) < 1), most)


def listed_with_reasons(reasons: Mapping[str, str], names: Mapping[str, str], most: int = 6) -> str:
    """Return `a (reason), b (reason) and 3 more`, naming runs by `names`."""
    texts = [f"{names.get(key, key)} ({reason})" for key, reason in reasons.items()]
    more = f" and {len(texts) - most} more" if len(texts) > most else ""
    return ", ".join(texts[:most]) + more
