"""A formula as one writes it down: in letters, then with the numbers in."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Formula:
    """One formula: what it gives, in letters, with numbers, and its value."""

    what: str
    letters: str
    numbers: str
    value: int

    def __str__(self) -> str:
        """Return `what: letters = numbers = value`."""
        return f"{self.what}: {self.letters} = {self.numbers} = {self.value:,}"
