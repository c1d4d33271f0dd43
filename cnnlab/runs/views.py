"""Views of the table of runs that people keep under a name: `<store>/views/<name>.json`, for all who use the store.

A view is what stands in the page's address, so one of them and a link show the same. The one called `default`
is what the page shows where the address says nothing.
"""

import re
from dataclasses import asdict, dataclass, fields

from cnnlab.errors import ConfigError, UnknownNameError
from cnnlab.files import read_json, write_json
from cnnlab.runs.store import Store, names_in

DEFAULT = "default"
_NAME = re.compile(r"[^\W_][\w .+-]{0,39}")
_FILE = re.compile(rf"({_NAME.pattern})\.json")


@dataclass(frozen=True)
class View:
    """What the table shows.

    Attributes:
        query: In the language of `cnnlab.query`.
        columns: Names of columns, in their order; empty for the usual ones.
        sort: A name, with `-` before it from high to low; empty for newest first.
    """

    query: str = ""
    columns: tuple[str, ...] = ()
    sort: str = ""


def view_names(store: Store) -> list[str]:
    """Return the names of the views that were kept."""
    return [name.removesuffix(".json") for name in names_in(store.root / "views", _FILE)]


def read_view(store: Store, name: str) -> View:
    """Return a view.

    Raises:
        UnknownNameError: there is none of that name, or it cannot be read.
    """
    value = read_json(store.root / "views" / f"{checked_name(name)}.json")
    if not isinstance(value, dict):
        raise UnknownNameError("view", name, view_names(store))
    known = {one.name: str(value.get(one.name) or "") for one in fields(View) if one.name != "columns"}
    columns = value.get("columns")
    return View(columns=tuple(map(str, columns)) if isinstance(columns, list) else (), **known)


def keep_view(store: Store, name: str, view: View) -> None:
    """Keep a view under a name, in the place of one that has it.

    Raises:
        ConfigError: the name cannot be that of a file.
        StoreError: the store cannot be written.
    """
    name = checked_name(name)
    with store.writing():
        (store.root / "views").mkdir(parents=True, exist_ok=True)
        write_json(store.root / "views" / f"{name}.json", asdict(view))


def delete_view(store: Store, name: str) -> None:
    """Forget a view; raises as `read_view`."""
    read_view(store, name)
    with store.writing():
        (store.root / "views" / f"{checked_name(name)}.json").unlink(missing_ok=True)


def checked_name(name: str) -> str:
    """Return a name without blanks around it; raises `ConfigError` for one that cannot be a file's."""
    name = " ".join(name.split())
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"A view cannot be called {name!r}. Expected up to 40 letters, digits, blanks or . + - _ that begin with a "
            "letter or digit. Choose another name."
        )
    return name
