"""How often all outputs of a network are right at once."""

import polars as pl


def all_right(predictions: pl.DataFrame) -> tuple[int, int]:
    """Return how many images have every output right, and how many images there are.

    Args:
        predictions: Columns sample_id, label, predicted, of one split and all its outputs.
    """
    by_image = predictions.group_by("sample_id").agg(
        (pl.col("predicted") == pl.col("label")).fill_null(value=False).all().alias("is_right")
    )
    return int(by_image["is_right"].sum()), by_image.height
