"""All about the confidence of one run: calibration before and after temperature scaling, and when to abstain.

What is fitted or chosen is so on the validation images, and judged on the test images.
"""

from dataclasses import dataclass

import polars as pl

from cnnlab.analysis.answers import answers_of, rows_of
from cnnlab.analysis.calibration import Calibration, calibration
from cnnlab.analysis.confidences import Confidences, confidences, scaled_confidences
from cnnlab.analysis.selective import OperatingPoint, Selective, at_threshold, selective, threshold_for
from cnnlab.analysis.temperature import Temperature, fit_temperature


@dataclass(frozen=True)
class ConfidenceReport:
    """Of one output.

    Attributes:
        val: Confidences on the validation images.
        test: Confidences on the test images.
        before: Calibration on the test images.
        temperature: Fitted on the validation images; None where there are none, or where some are test images too.
        after: Calibration on the test images at that temperature.
        selective: Accuracy and coverage on the test images.
        shared: Images that are both in the validation and in the test split.
    """

    val: Confidences
    test: Confidences
    before: Calibration
    temperature: Temperature | None
    after: Calibration | None
    selective: Selective
    shared: int

    def operating_point(self, accuracy: float) -> OperatingPoint | None:
        """Return what a threshold does on the test images, chosen for this accuracy on the validation images.

        None where no threshold reaches it there, and where some images are in both.
        """
        threshold = None if self.shared else threshold_for(self.val, accuracy)
        return None if threshold is None else at_threshold(self.test, threshold)


def confidence_report(predictions: pl.DataFrame, num_classes: int, output: str | None = None) -> ConfidenceReport:
    """Return the report of one run.

    Args:
        predictions: Columns sample_id, split, output, label, probabilities, of both splits.
        num_classes: Of the output.
        output: Which output; the first that comes when left out.
    """
    val, test = (answers_of(predictions, num_classes, output=output, split=split) for split in ("val", "test"))
    ids = [rows_of(predictions, output, split)["sample_id"] for split in ("val", "test")]
    shared = int(ids[1].is_in(ids[0].implode()).sum()) if val.n and test.n else 0
    temperature = None if shared else fit_temperature(val)
    raw = confidences(test)
    return ConfidenceReport(
        val=confidences(val),
        test=raw,
        before=calibration(raw),
        temperature=temperature,
        after=calibration(scaled_confidences(test, temperature.value)) if temperature else None,
        selective=selective(raw),
        shared=shared,
    )
