"""Text of users inside Markdown: shown as it was written, never as markup."""

import re

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|~$:^=])")


def plain(text: object) -> str:
    """Return `text` with everything escaped that Markdown, Streamlit's icons or HTML would read.

    >>> plain("a_b :red[x]")
    'a\\\\_b \\\\:red\\\\[x\\\\]'
    """
    return _SPECIAL.sub(r"\\\1", " ".join(str(text).split()))
