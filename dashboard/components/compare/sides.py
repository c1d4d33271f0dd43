"""Who is compared image by image: the chosen runs, or groups of them, and which two of those."""

import streamlit as st

from dashboard import image_data
from dashboard.components.compare.subject import Subject
from dashboard.image_data import Side
from dashboard.state import query, set_query

ROLES = {"a": "A, the baseline", "b": "B"}


def output_of(subject: Subject) -> str | None:
    """Return the output whose images are looked at: the chosen one, else the first main output of a tested run."""
    if subject.output is not None:
        return subject.output
    return next((row["main_output"] for row in subject.rows if row["main_output"]), None)


def sides_of(subject: Subject, output: str) -> dict[str, Side]:
    """Return the tested runs, or their groups where the page shows groups, by key.

    All have the classes of the first: what has others cannot be laid beside it, and is said.
    """
    tested = [row for row in subject.rows if image_data.classes_of(row["run_id"], output)]
    first = image_data.classes_of(tested[0]["run_id"], output) if tested else ()
    alike = [row for row in tested if image_data.classes_of(row["run_id"], output) == first]
    if len(alike) < len(tested):
        st.caption(f"Left out, for their classes are others: {len(tested) - len(alike)} of {len(tested)} runs.")
    members: dict[str, list[str]] = {}
    for row in alike:
        members.setdefault(row["group_id"] if subject.is_grouped else row["run_id"], []).append(row["run_id"])
    titles = subject.group_names if subject.is_grouped else subject.names
    return {
        key: Side(key, f"{titles[key]} ({len(runs)} seeds)" if len(runs) > 1 else titles[key], tuple(runs))
        for key, runs in members.items()
    }


def choose_pair(sides: dict[str, Side]) -> tuple[Side, Side]:
    """Draw the choice of A and B among two or more sides; both stand in the address as `a` and `b`."""
    keys = list(sides)
    asked = [query(name) for name in ROLES]
    first = asked[0] if asked[0] in keys else keys[0]
    second = asked[1] if asked[1] in keys and asked[1] != first else next(key for key in keys if key != first)
    chosen = []
    with st.container(horizontal=True, key="pair"):
        for (name, label), key in zip(ROLES.items(), (first, second), strict=True):
            st.session_state[f"pair_{name}"] = key
            chosen.append(
                st.selectbox(
                    label, keys, format_func=lambda key: sides[key].title, key=f"pair_{name}", on_change=_write,
                    args=(name, first, second), width=360,
                )
            )  # fmt: skip
    return sides[chosen[0]], sides[chosen[1]]


def _write(name: str, first: str, second: str) -> None:
    """Write the changed choice into the address; who is chosen on the other side too changes places with it."""
    new = st.session_state[f"pair_{name}"]
    a, b = (new, second) if name == "a" else (first, new)
    if a == b:
        a, b = second, first
    set_query(a=a, b=b)


def chosen_side(sides: dict[str, Side]) -> str:
    """Return whose images the address names as `of`, the first where it names none."""
    return query("of") if query("of") in sides else next(iter(sides))
