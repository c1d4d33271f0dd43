"""What the picking table of a page shows, and what a person does in it, for tests that have no browser."""

import json
from typing import Any

from streamlit.testing.v1 import AppTest


def shown(page: AppTest, place: int = 0) -> dict[str, Any]:
    """Return what a picking table was given."""
    component = page.get("bidi_component")[place].proto
    return json.loads(component.json)


def rows(page: AppTest) -> list[dict[str, Any]]:
    """Return the rows by the ids of their columns."""
    table = shown(page)
    names = [column["id"] for column in table["columns"]]
    return [dict(zip(names, row["cells"], strict=True)) for row in table["rows"]]


def column(page: AppTest, name: str) -> list[Any]:
    """Return the cells of a column from top to bottom."""
    return [row[name] for row in rows(page)]


def do(page: AppTest, *events: dict[str, Any]) -> AppTest:
    """Do something in the table, as the browser tells it, and run the page."""
    component, table = page.get("bidi_component")[0].proto, shown(page)
    outbox = [
        {"number": table["done"] + number, "session": table["session"], **event}
        for number, event in enumerate(events, 1)
    ]
    states = page._tree.get_widget_states()
    states.widgets.add(id=component.id, json_value=json.dumps({"outbox": outbox}))
    page._run(states)
    assert not page.exception, page.exception
    return page
