"""What a page says, for tests that read it."""

from streamlit.testing.v1 import AppTest


def said(app: AppTest) -> str:
    """Return all text of a page: titles, text, captions and messages."""
    kinds = (
        app.title,
        app.subheader,
        app.markdown,
        app.caption,
        app.text,
        app.info,
        app.warning,
        app.error,
        app.success,
    )
    return "\n".join(str(element.value) for kind in kinds for element in kind)
