"""The learning rate over the epochs, as the form has it now."""

import streamlit as st

from cnnlab.config import TrainingConfig, TricksConfig
from cnnlab.plots.schedule_preview import schedule_preview, schedule_preview_info, schedule_preview_summary
from cnnlab.training.rates import learning_rates

MOST_POINTS = 2000


def schedule_curve(training: TrainingConfig, tricks: TricksConfig) -> None:
    """Draw the schedule; the steps of an epoch are thinned out, which does not change its shape."""
    steps_per_epoch = max(1, min(50, MOST_POINTS // training.epochs))
    info = schedule_preview_info(learning_rates(training, steps_per_epoch, tricks), steps_per_epoch)
    st.plotly_chart(
        schedule_preview(info, height_px=220),
        key="schedule_curve",
        config={"displayModeBar": False},
        alt=schedule_preview_summary(info),
    )
