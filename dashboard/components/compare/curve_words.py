"""How to read learning curves, in words that fit the settings they are drawn with."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dashboard.components.compare.curves import CurveSettings

ACROSS = {
    "epoch": "**Across** are epochs: passes over the training images.",
    "step": "**Across** are optimizer updates. Runs with larger batches make fewer of them in an epoch.",
    "elapsed_s": "**Across** is the time since training began, pauses left out. It compares runs only where they had "
    "the same machine to themselves.",
    "images": "**Across** are the images seen in training, steps times batch size, the same image counted each time.",
    "operations": "**Across** are multiply-accumulates spent in training: MACs of one image, times images seen, times "
    "three, one for the forward pass and by convention two for the backward one. Frozen layers count as others do, "
    "validation counts for nothing: it compares what architectures cost, not what a machine did.",
}
LINES = (
    "One colour is one {what}; a **solid line is validation, a dotted one training**. Training is measured with "
    "augmentation and dropout on, while the weights still move, so it can lie on the worse side of validation. A gap "
    "between the two that widens while validation gets worse is overfitting."
)
GROUPS = (
    "A line is the **mean of the seeds** of a group, n of how many runs, the band its 95 % interval (Student's, over "
    "the runs named on hovering). Where runs stopped early fewer are left in the mean, and it may jump for that reason "
    "alone: a **cross** stands only where all runs of a group were stopped, at the last epoch of the longest."
)
CONCLUDE = (
    "Curves of single runs differ by chance as those of two seeds do: a small lead is no finding, and one that "
    "changes with the epoch at which you look is none either. Train several seeds, and test on the Overview."
)


def how_to_read(chosen: "CurveSettings", *, is_grouped: bool) -> str:
    """Return Markdown about axes, colours, marks, and what to conclude."""
    parts = [ACROSS[chosen.x], LINES.format(what="group" if is_grouped else "run")]
    if chosen.is_by_step:
        parts.append(
            "Each **step** is one batch: its noise is that of few images. Validation comes once an epoch, and is "
            "smoothed by as much as the steps of an epoch are."
        )
    if chosen.smoothing:
        parts.append(
            f"The strong line is an exponential mean of all points so far, each counting {chosen.smoothing:g} of the "
            "next; the **pale line behind is what was measured**. The mean lags behind where a curve turns: read the "
            "end off the pale line."
        )
    if chosen.has_marks:
        parts.append(
            "The **star** is the best point that was measured, the **ring** the last one, a **cross** where early "
            "stopping or a time budget ended the run. The best of many noisy points is better than the network is."
        )
    if chosen.is_log_y:
        parts.append("On the **logarithmic** axis equal distances are equal factors, so halving looks alike anywhere.")
    if is_grouped:
        parts.append(GROUPS)
    return "\n\n".join([*parts, CONCLUDE])
