"""The lesson on searches: three side by side on the same landscape."""

import pytest
from page_text import said


@pytest.mark.parametrize("landscape", ["One matters", "Many hills"])
def test_three_searches_of_one_budget(open_page, landscape):
    app = open_page("search_lesson", landscape=landscape, budget="9")
    assert len(app.get("plotly_chart")) == 4
    text = said(app).replace("\\", "")
    assert "Best after 9 trials: random" in text
    app.slider(key="shown_9").set_value(2).run()
    assert not app.exception
    assert "Best after 2 trials: random" in said(app).replace("\\", "")


def test_the_smallest_budget(open_page):
    app = open_page("search_lesson", budget="4")
    assert "Best after 4 trials" in said(app).replace("\\", "")
