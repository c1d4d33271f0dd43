"""What is measured of one tracker with one number of runs."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.tracker_sides.environment import Environment, NotMeasurableError, environment_of
from benchmarks.tracker_sides.made_run import compared
from benchmarks.tracker_sides.opening import browsing, open_view
from benchmarks.tracker_sides.server import Server, serving
from benchmarks.tracker_sides.side import Side, View
from benchmarks.tracker_sides.writing import Written, disk_bytes, load_1_min, written

TRIES = 2


@dataclass(frozen=True)
class Plan:
    """What is asked for.

    Attributes:
        cold: How often a server is started anew for each page, and `repeats` how often it is opened after that.
        patience_s: For a server and for a page.
    """

    cache: Path
    epochs: int
    cold: int
    repeats: int
    patience_s: float


@dataclass
class Measured:
    """The rows of one tracker with one number of runs; each holds one value, or says why there is none."""

    side: Side
    num_runs: int
    epochs: int
    version: str = ""
    rows: list[dict[str, Any]] = field(default_factory=list)

    def add(self, what: str, unit: str, value: float, *, visit: str = "", outcome: str = "measured") -> None:
        """Keep a value."""
        row = {"tool": self.side.name, "version": self.version, "num_runs": self.num_runs, "epochs": self.epochs}
        row |= {"measurement": what, "visit": visit, "unit": unit, "value": float(value), "outcome": outcome}
        self.rows.append(row | {"load_1_min": load_1_min()})
        said = outcome if outcome != "measured" else f"{value:.2f} s" if unit == "s" else f"{value / 2**20:,.0f} MiB"
        print(f"{self.side.name:<12}{self.num_runs:>7,} runs  {f'{what}, {visit}'.strip(', '):<22}{said}", flush=True)

    def is_given_up(self, what: str) -> bool:
        """Return whether a measurement failed too often to be tried again; one failure may be chance."""
        failed = [row for row in self.rows if row["measurement"] == what and row["outcome"] != "measured"]
        return len(failed) >= TRIES


def measure(side: Side, num_runs: int, plan: Plan) -> list[dict[str, Any]]:
    """Return the rows of a tracker; what cannot be measured has a row that says why."""
    measured = Measured(side, num_runs, plan.epochs)
    try:
        environment = environment_of(side, plan.cache)
        measured.version = environment.version
        store, runs = stored(measured, environment, plan)
        with browsing() as browser:
            Pages(measured, environment, store, runs, plan, browser).measure()
    except NotMeasurableError as error:
        measured.add("all that follows", "s", float("nan"), outcome=f"not measured: {error}")
    return measured.rows


def stored(measured: Measured, environment: Environment, plan: Plan) -> tuple[Path, Written]:
    """Return the store, and what writing it took."""
    store, runs = written(measured.side, environment, plan.cache, measured.num_runs, plan.epochs)
    waiting = "" if runs.has_waited else "without waiting for the disk"
    measured.add("write", "s", runs.write_s, visit=waiting)
    measured.rows[-1]["load_1_min"] = runs.load_1_min  # it may have been another day
    forget(measured.side, store)
    measured.add("disk", "bytes", disk_bytes(store))
    return store, runs


def forget(side: Side, store: Path) -> None:
    """Bring a store to where it was before anybody looked at it."""
    for name in side.derived:
        shutil.rmtree(store / name, ignore_errors=True)


@dataclass
class Pages:
    """The pages of a tracker's server."""

    measured: Measured
    environment: Environment
    store: Path
    runs: Written
    plan: Plan
    browser: Any

    def measure(self) -> None:
        """Open each page first after a start, then again and again."""
        if self.measured.side.derived:
            self.open_first_ever()
        for what, view in self.views.items():
            for repeat in range(self.plan.cold):
                if not self.measured.is_given_up(what):
                    with self.server() as server:
                        self.measured.add("start", "s", server.start_s)
                        self.open(server, what, view(repeat), "cold")
        with self.server() as server:
            for what, view in self.views.items():
                self.open_again(server, what, view)
            self.measured.add("memory", "bytes", server.memory_bytes)

    def open_first_ever(self) -> None:
        """Open the list of a store that nobody has looked at; that Python compiles what it imports is not counted."""
        with self.server() as server:
            for view in self.views.values():
                self.look(server, view(0), "unmeasured")
        forget(self.measured.side, self.store)
        with self.server() as server:
            self.open(server, "list", self.list(0), "first ever")

    def open_again(self, server: Server, what: str, view: Callable[[int], View]) -> None:
        """Open a page that the server has shown already."""
        if self.measured.is_given_up(what):
            return
        self.look(server, view(self.plan.cold), "unmeasured")
        for repeat in range(self.plan.repeats):
            if not self.measured.is_given_up(what):
                self.open(server, what, view(self.plan.cold + 1 + repeat), "warm")

    @property
    def views(self) -> dict[str, Callable[[int], View]]:
        """The pages by name; a comparison is of other runs each time."""
        return {"list": self.list, "comparison": self.comparison}

    def list(self, repeat: int) -> View:
        return self.measured.side.list_view(self.runs.names)

    def comparison(self, repeat: int) -> View:
        run_ids = [self.runs.run_ids[number] for number in compared(len(self.runs.run_ids), repeat)]
        return self.measured.side.comparison_view(run_ids, self.runs.epochs)

    def open(self, server: Server, what: str, view: View, visit: str) -> None:
        value, outcome = self.look(server, view, f"{what}-{visit}")
        self.measured.add(what, "s", value, visit=visit, outcome=outcome)

    def look(self, server: Server, view: View, name: str) -> tuple[float, str]:
        picture = self.store.parent / f"not-in-time-{name}.png"
        return open_view(self.browser, server.address, view, self.plan.patience_s, picture)

    @contextmanager
    def server(self) -> Iterator[Server]:
        with serving(self.measured.side, self.environment, self.store, self.plan.patience_s) as server:
            yield server
