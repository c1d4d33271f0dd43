"""The frame of every page: title, navigation, and nothing that takes time."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
if str(HERE.parent) not in sys.path:  # 'streamlit run dashboard/app.py' puts only dashboard/ there
    sys.path.append(str(HERE.parent))

import streamlit as st  # noqa: E402

from dashboard.components.browser_history import browser_history  # noqa: E402
from dashboard.state import PAGES, begin, show_messages  # noqa: E402

st.set_page_config(
    page_title="CNN Lab",
    page_icon=HERE / "assets" / "icon.svg",
    layout="wide",
    menu_items={"About": "CNN Lab: learn, train and compare convolutional networks in the browser."},
)
st.logo(HERE / "assets" / "logo.svg", size="medium")
browser_history()
sections: dict[str, list[st.Page]] = {}
for spec in PAGES.values():
    sections.setdefault(spec.section, []).append(
        st.Page(
            HERE / spec.file,
            title=spec.title,
            icon=spec.icon,
            url_path=spec.url_path,
            default=spec.url_path == "",
            visibility=spec.visibility,
        )
    )
page = st.navigation(sections, position="top")
begin(page.url_path)
show_messages()  # of the page before, and of callbacks; a page may stop before the end of this file
page.run()
show_messages()
