"""Accuracy when the network may guess more than once."""

from cnnlab.plots import top_k
from cnnlab.plots.overlays import numbers_of
from dashboard.components.chart import chart
from dashboard.components.judging.subject import Judged

HOW_TO_READ = """
The network names its k most probable classes; it counts as right when the true one is among them. Top-1 is the usual
accuracy, top-5 is what ImageNet results often tell. A curve that jumps from k = 1 to k = 2 belongs to a network that
often hesitates between two look-alike classes: see which in the confusion matrix.

With few classes a high k says nothing: among all of them the true one always is. The lines through the points are 95 %
intervals: over test images, of several seeds taken together over seeds and images.
"""


def draw_top_k(judged: Judged) -> None:
    """Draw accuracy over k."""
    overlays = judged.overlays("top_k")
    if not overlays:
        return
    info = top_k.top_k_info(overlays)
    chart(
        top_k.top_k(info, judged.colours, judged.symbols),
        f"{judged.place}_top_k",
        summary=top_k.top_k_summary(info),
        numbers=lambda: numbers_of(info.lines, "k", "accuracy"),
        how_to_read=HOW_TO_READ,
    )
