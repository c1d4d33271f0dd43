"""What is shared between pages: where they are, what the address says, messages that outlive a page change."""

from dataclasses import dataclass
from typing import Literal

import streamlit as st


@dataclass(frozen=True)
class PageSpec:
    """One page of the navigation; those of a named section share a menu, so that all fit beside each other."""

    file: str
    title: str
    icon: str
    url_path: str
    visibility: Literal["visible", "hidden"] = "visible"
    section: str = ""


LEARN = "Learn"
PAGES: dict[str, PageSpec] = {
    "home": PageSpec("app_pages/home.py", "Home", ":material/home:", ""),
    "datasets": PageSpec("app_pages/datasets.py", "Data sets", ":material/photo_library:", "datasets"),
    "explorer": PageSpec(
        "app_pages/explorer.py", "Architectures", ":material/account_tree:", "explorer", section=LEARN
    ),
    "convolution": PageSpec(
        "app_pages/convolution.py", "Convolution lab", ":material/grid_on:", "convolution", section=LEARN
    ),
    "train": PageSpec("app_pages/train.py", "Train", ":material/play_circle:", "train"),
    "editor": PageSpec("app_pages/editor.py", "Layer editor", ":material/stacks:", "editor", section=LEARN),
    "runs": PageSpec("app_pages/runs.py", "Runs", ":material/table_rows:", "runs"),
    "compare": PageSpec("app_pages/compare.py", "Compare", ":material/compare_arrows:", "compare"),
    "ablation": PageSpec("app_pages/ablation.py", "Ablation", ":material/science:", "ablation"),
    "cost": PageSpec("app_pages/cost.py", "Accuracy and cost", ":material/bubble_chart:", "cost", section=LEARN),
    "tune": PageSpec("app_pages/tune.py", "Tune", ":material/tune:", "tune"),
    "search_lesson": PageSpec(
        "app_pages/search_lesson.py", "How searches differ", ":material/travel_explore:", "search_lesson", section=LEARN
    ),
    "queue": PageSpec("app_pages/queue.py", "Queue", ":material/pending_actions:", "queue"),
    "run": PageSpec("app_pages/run.py", "Run", ":material/monitoring:", "run", "hidden"),
    "study": PageSpec("app_pages/study.py", "Study", ":material/insights:", "study", "hidden"),
}
_MESSAGES = "messages_for_next_page"
_HERE = "page_that_is_drawn"
_NEXT = "widgets_of_next_run"


def begin(url_path: str) -> None:
    """Note which page is drawn, and give widgets what `set_next` left for them; the frame calls it before the page."""
    st.session_state[_HERE] = url_path
    for key, value in st.session_state.pop(_NEXT, {}).items():
        st.session_state[key] = value


def is_here(page: str) -> bool:
    """Return whether `page` (a key of `PAGES`) is the one that is drawn."""
    return bool(st.session_state.get(_HERE) == PAGES[page].url_path)


def set_next(**values: object) -> None:
    """Set widgets by their keys at the next script run: once drawn, they refuse it in this one."""
    st.session_state.setdefault(_NEXT, {}).update(values)


def go(page: str, **query: str) -> None:
    """Open `page` (a key of `PAGES`) with `query` in its address; ends this script run."""
    st.switch_page(PAGES[page].file, query_params=query or None)


def link(page: str, label: str, *, icon: str | None = None, help: str | None = None, **query: str) -> None:
    """Draw a link to `page` (a key of `PAGES`) with `query` in its address."""
    spec = PAGES[page]
    st.page_link(spec.file, label=label, icon=icon or spec.icon, help=help, query_params=query or None)


def url(page: str, **query: str) -> str:
    """Return the address of `page` for link columns of tables and Markdown, `/run?run=ID`."""
    from urllib.parse import urlencode

    return f"/{PAGES[page].url_path}{'?' + urlencode(query) if query else ''}"


def query(name: str, default: str = "") -> str:
    """Return one value of the address."""
    return str(st.query_params.get(name, default))


def query_list(name: str) -> list[str]:
    """Return a comma-separated value of the address without empty parts and doubles."""
    return list(dict.fromkeys(part.strip() for part in query(name).split(",") if part.strip()))


def set_query(**values: str | None) -> None:
    """Write `values` into the address, so that a link shows the same view; empty ones leave it."""
    for name, value in values.items():
        if value:
            if st.query_params.get(name) != value:
                st.query_params[name] = value
        elif name in st.query_params:
            del st.query_params[name]


def say(text: str, icon: str = ":material/check_circle:") -> None:
    """Show a short message at the end of this script run or, after a page change, of the next."""
    st.session_state.setdefault(_MESSAGES, []).append((text, icon))


def show_messages() -> None:
    """Show what `say` was told; called by the frame before and after the page."""
    for text, icon in st.session_state.pop(_MESSAGES, []):
        st.toast(text, icon=icon)
