"""A data set's description without images, for tests that build networks."""

from cnnlab.datasets.storage import DatasetInfo

TEN = tuple("0123456789")


def info(channels: int = 3, outputs=None, size: int = 32) -> DatasetInfo:
    """A data set of ten classes, or of other outputs."""
    return DatasetInfo(
        name="made", version="0" * 12, title="Made", source="", image_shape=(size, size, channels),
        outputs=outputs or {"label": TEN}, counts={"train": 8, "val": 2, "test": 2},
        channel_mean=(120.0,) * channels, channel_std=(60.0,) * channels, created_at="", skipped=(), parameters={},
        path=None,
    )  # fmt: skip
