"""What the lab convolves: a pattern, drawn numbers, an image of a data set, or one's own."""

from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cnnlab.convolution.patterns import LARGEST, PATTERNS, SMALLEST, as_channels, get_pattern
from cnnlab.datasets import decode
from cnnlab.errors import CNNLabError
from dashboard import data
from dashboard.components.convolution_cells import number_cells
from dashboard.components.text import plain

SOURCES = ("Pattern", "Draw", "Data set", "Own image")
OWN_PX = 128
MOST_BYTES = 20 * 10**6
CHANNEL_NAMES = ("red", "green", "blue")


@dataclass(frozen=True)
class Chosen:
    """The input: numbers, how it is called, and whether three channels are red, green and blue."""

    image: NDArray[np.float64]
    title: str
    is_picture: bool = False

    @property
    def shape(self) -> tuple[int, int, int]:
        height, width, channels = self.image.shape
        return height, width, channels

    def channel_name(self, channel: int) -> str:
        """Return how a channel is called."""
        return CHANNEL_NAMES[channel] if self.is_picture and self.shape[2] == 3 else f"channel {channel + 1}"


def choose_input() -> Chosen | None:
    """Draw the menus of the input; nothing while there is none, with the reason on the page."""
    source = st.segmented_control(
        "Input", SOURCES, default=SOURCES[0], required=True, key="input", bind="query-params", width="stretch"
    )
    if source == "Pattern":
        return _pattern()
    if source == "Draw":
        return _drawn()
    return _from_data_set() if source == "Data set" else _own()


def _pattern() -> Chosen:
    titles = {name: entry.title for name, entry in PATTERNS.items()}
    left, right = st.columns([3, 2])
    name = left.selectbox(
        "Pattern", list(titles), index=list(titles).index("ring"), format_func=titles.__getitem__, key="pattern",
        bind="query-params",
    )  # fmt: skip
    side = right.slider("Side", SMALLEST, LARGEST, 8, key="side", bind="query-params")
    return Chosen(as_channels(get_pattern(name).grid(side), _num_channels()), titles[name])


def _drawn() -> Chosen:
    left, right = st.columns([3, 2])
    left.caption("Type numbers into the cells, 0 to 9 say. The address keeps them.")
    side = right.slider("Side", SMALLEST, LARGEST, 8, key="drawn_side", bind="query-params")
    grid = number_cells("drawn", get_pattern("cross").grid(side))
    return Chosen(as_channels(grid, _num_channels()), "Drawn")


def _num_channels() -> int:
    return st.slider(
        "Channels D1", 1, 4, 1, key="channels", bind="query-params",
        help="The second is the first turned about its diagonal, the third upside down, the fourth inverted.",
    )  # fmt: skip


def _from_data_set() -> Chosen | None:
    names = list(dict.fromkeys(["digits", *(info.name for info in data.datasets())]))
    left, right = st.columns([3, 2])
    name = left.selectbox("Data set", names, key="images_of", bind="query-params", help="Those that are in the store.")
    try:
        with st.spinner("Opening the data set …"):
            opened = data.dataset(name)
    except CNNLabError as error:
        st.warning(plain(error), icon=":material/error:")
        return None
    split = next(split for split in ("test", "val", "train") if opened.info.counts.get(split))
    count = opened.info.counts[split]
    number = right.number_input(
        f"Image of {split}", 1, count, 1, key="image", bind="query-params", help=f"1 to {count:,}"
    )
    image = _small(np.asarray(opened.images(split)[min(int(number), count) - 1]))
    return _as_grey(image, f"{name}, image {number}")


def _own() -> Chosen | None:
    uploaded = st.file_uploader(
        "Own image", type=["png", "jpg", "jpeg", "webp", "bmp"], key="own_image", max_upload_size=MOST_BYTES // 10**6,
        help=f"It stays in memory, is shown at most {OWN_PX} px wide, and is forgotten with the page.",
    )  # fmt: skip
    if uploaded is None:
        st.caption("Choose a PNG or JPEG: the longer side is brought to 128 px.")
        return None
    if uploaded.size > MOST_BYTES:
        st.error(
            f"{plain(uploaded.name)} has {uploaded.size / 1e6:.0f} MB. Expected at most {MOST_BYTES / 1e6:.0f}. "
            "Make the image smaller."
        )
        return None
    try:
        pixels = decode.decode(uploaded.getvalue(), 3, at_least=OWN_PX).pixels
    except Exception as error:  # decoders say what is wrong in their own ways
        st.error(
            f"{plain(uploaded.name)} is no image that can be read ({plain(error)}). Expected a PNG or JPEG. "
            "Open it in an image program and save it as one."
        )
        return None
    return _as_grey(_small(pixels), uploaded.name)


def _small(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the image with a longer side of at most `OWN_PX`."""
    height, width = pixels.shape[:2]
    scale = OWN_PX / max(height, width)
    if scale >= 1:
        return pixels
    return decode.fit(pixels, max(1, round(height * scale)), max(1, round(width * scale)), "stretch")


def _as_grey(image: NDArray[np.uint8], title: str) -> Chosen:
    if image.shape[2] == 3 and st.toggle("Grey", value=True, key="grey", bind="query-params"):
        # ITU-R BT.601, as Pillow makes grey of colour.
        image = np.rint(image @ np.array([0.299, 0.587, 0.114]))[..., None]
    return Chosen(image.astype(float), title, is_picture=True)
