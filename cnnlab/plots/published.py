"""The published ImageNet numbers as points: a view of their own, or a pale layer behind one's own runs."""

import polars as pl

from cnnlab.analysis.intervals import wilson
from cnnlab.plots.bubble_rows import SCHEMA
from cnnlab.plots.points import Points

TESTED_ON = "ImageNet"
# How the names of weights begin, which says nothing where all are of ImageNet-1k.
PREFIX = "IMAGENET1K_"


def published_points(frame: pl.DataFrame) -> Points:
    """Return one point per set of weights, with Wilson's interval over the validation images.

    Args:
        frame: Rows of `cnnlab.published.imagenet.load_imagenet`.
    """
    several = set(frame.filter(pl.col("model").is_duplicated())["model"])
    rows = []
    for place, row in enumerate(frame.iter_rows(named=True)):
        low, high = wilson(row["correct"], row["n"])
        weights = row["weights"].removeprefix(PREFIX)
        is_told = row["model"] in several or not weights.startswith("V1")
        rows.append(
            {
                "index": place,
                "key": f"{row['model']}/{row['weights']}",
                "label": f"{row['model']} {weights}" if is_told else row["model"],
                "architecture": row["family"],
                "num_params": row["num_params"],
                "macs": row["macs"],
                "accuracy": row["top1"],
                "low": low,
                "high": high,
                "interval": "wilson",
                "n_images": row["n"],
                "n_runs": 1,
                "val_accuracy": None,
            }
        )
    return Points(
        table=pl.DataFrame(rows, schema=SCHEMA, orient="row"),
        # What is left out is told by its key, as runs are by their id.
        members=tuple((row["key"],) for row in rows),
        keys=tuple(row["key"] for row in rows),
        not_shown={},
        names={row["key"]: row["label"] for row in rows},
        is_grouped=False,
        noun="network",
        tested_on=TESTED_ON,
    )
