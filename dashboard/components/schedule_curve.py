"""The learning rate over the epochs, as the form has it now."""

from cnnlab.config import TrainingConfig, TricksConfig
from cnnlab.plots.schedule_preview import schedule_preview, schedule_preview_info, schedule_preview_summary
from cnnlab.training.rates import learning_rates
from dashboard.components import how_to_read
from dashboard.components.chart import chart

MOST_POINTS = 2000


def schedule_curve(training: TrainingConfig, tricks: TricksConfig) -> None:
    """Draw the schedule; the steps of an epoch are thinned out, which does not change its shape."""
    steps_per_epoch = max(1, min(50, MOST_POINTS // training.epochs))
    info = schedule_preview_info(learning_rates(training, steps_per_epoch, tricks), steps_per_epoch)
    chart(
        schedule_preview(info, height_px=220),
        "schedule_curve",
        summary=schedule_preview_summary(info),
        how_to_read=how_to_read.SCHEDULE,
        is_small=True,
    )
