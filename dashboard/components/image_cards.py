"""Images with what networks say of them, as HTML: picture, true class, the most probable classes as small bars."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from PIL import Image

from cnnlab.plots.heat_overlay import legend_css
from cnnlab.plots.palette import CATEGORICAL, NEUTRAL, with_alpha

PICTURE_PX = 112
# Larger pictures are made smaller before they travel: a dozen of them are shown at a time.
MOST_PX = 2 * PICTURE_PX
RIGHT, WRONG = CATEGORICAL[2], CATEGORICAL[0]

STYLE = f"""<style>
.ia {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 17rem), 1fr)); gap: 0.8rem; }}
.ia figure {{ margin: 0; padding: 0.6rem; border: 1px solid {with_alpha(NEUTRAL, 0.35)}; border-radius: 0.5rem;
  min-width: 0; }}
.ia .pics {{ display: flex; gap: 0.4rem; }}
.ia img {{ width: {PICTURE_PX}px; height: {PICTURE_PX}px; object-fit: contain; image-rendering: pixelated;
  border-radius: 3px; background: {with_alpha(NEUTRAL, 0.12)}; }}
.ia img.large {{ image-rendering: auto; }}
.ia .none {{ width: {PICTURE_PX}px; height: {PICTURE_PX}px; display: flex; align-items: center; text-align: center;
  font-size: 0.75rem; border: 1px dashed {with_alpha(NEUTRAL, 0.6)}; border-radius: 3px; }}
.ia figcaption {{ font-size: 0.86rem; overflow-wrap: anywhere; margin: 0.2rem 0; min-width: 0; }}
.ia .name, .ia .who {{ font-size: 0.75rem; opacity: 0.75; overflow-wrap: anywhere; }}
.ia .who {{ margin-top: 0.4rem; font-weight: 600; opacity: 1; }}
.ia table {{ width: 100%; border-collapse: collapse; font-size: 0.78rem; font-variant-numeric: tabular-nums; }}
.ia td {{ padding: 1px 0; border: 0; vertical-align: middle; }}
.ia td.class {{ width: 42%; max-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }}
.ia td.share {{ width: 3.4rem; text-align: right; }}
.ia td.bar > i {{ display: block; height: 0.55rem; border-radius: 2px; min-width: 1px; }}
.ia-legend {{ display: flex; align-items: center; gap: 0.5rem; font-size: 0.8rem; flex-wrap: wrap; }}
.ia-legend > i {{ display: inline-block; width: 9rem; height: 0.7rem; border-radius: 2px; background: {legend_css()}; }}
</style>"""


@dataclass(frozen=True)
class Said:
    """What one network, or the mean of several, says of an image.

    Attributes:
        who: Empty where there is one network only.
        classes: Names and probabilities, the most probable first.
        note: Such as how many runs of a group are right.
    """

    who: str
    classes: Sequence[tuple[str, float]]
    note: str = ""


@dataclass(frozen=True)
class Card:
    """One image.

    Attributes:
        picture: `(height, width, channels)` pixels, None where the image is gone.
        overlay: `(height, width, 3)` where the network looked; None where that is not asked or not known yet.
        overlay_note: Under the pictures: which class was asked about.
        true: Name of the true class.
        word: What the card calls it; a label in doubt is not called true.
    """

    name: str
    picture: np.ndarray | None
    true: str
    said: Sequence[Said]
    overlay: np.ndarray | None = None
    overlay_note: str = ""
    word: str = "true"


def cards_html(cards: Sequence[Card]) -> str:
    """Return the cards in a grid that fits the window."""
    return f'{STYLE}<div class="ia">{"".join(map(_card, cards))}</div>'


def legend_html(low: str, high: str) -> str:
    """Return the colours of the overlays with what their ends mean."""
    return f'{STYLE}<div class="ia-legend"><span>{escape(low)}</span><i></i><span>{escape(high)}</span></div>'


def _card(card: Card) -> str:
    first = card.said[0].classes[0] if card.said and card.said[0].classes else ("", 0.0)
    told = f"{card.name}: true class {card.true}, taken for {first[0]} with {_percent(first[1])}"
    pictures = _picture(card.picture, told)
    if card.overlay is not None:
        pictures += _picture(card.overlay, f"Where the network looked in {card.name}: {card.overlay_note}")
    note = f'<div class="name">{escape(card.overlay_note)}</div>' if card.overlay_note else ""
    caption = (
        f'<figcaption>{card.word}: <b>{escape(card.true)}</b><div class="name">{escape(card.name)}</div></figcaption>'
    )
    # Beside one picture is room for the caption.
    head = f"{pictures}{caption}" if card.overlay is None else pictures
    rest = note if card.overlay is None else note + caption
    return (
        f'<figure><div class="pics">{head}</div>{rest}{"".join(_said(said, card.true) for said in card.said)}</figure>'
    )


def _said(said: Said, true: str) -> str:
    head = " · ".join(escape(text) for text in (said.who, said.note) if text)
    rows = "".join(
        f'<tr><td class="class" title="{escape(name)}">{"✓ " if name == true else ""}{escape(name)}</td>'
        f'<td class="bar"><i style="width:{100 * share:.1f}%;background:{RIGHT if name == true else WRONG}"></i></td>'
        f'<td class="share">{_percent(share)}</td></tr>'
        for name, share in said.classes
    )
    return f"{f'<div class=who>{head}</div>' if head else ''}<table>{rows}</table>"


def _picture(pixels: np.ndarray | None, told: str) -> str:
    if pixels is None:
        return '<div class="none">not in this version</div>'
    is_large = max(pixels.shape[:2]) > PICTURE_PX
    return f'<img{" class=large" if is_large else ""} alt="{escape(told)}" src="{data_url(pixels)}">'


def data_url(pixels: np.ndarray) -> str:
    """Return a picture as an address; PNG where pixels count, JPEG where there are many of them."""
    picture = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    kept, kind = io.BytesIO(), "png"
    if max(picture.size) > PICTURE_PX:
        picture.thumbnail((MOST_PX, MOST_PX))
        kind = "jpeg"
    picture.save(kept, format=kind, **({"quality": 88} if kind == "jpeg" else {"compress_level": 1}))
    return f"data:image/{kind};base64,{base64.b64encode(kept.getvalue()).decode()}"


def _percent(share: float) -> str:
    if share != share:
        return "–"
    if 0 < share < 0.0005:
        return "<0.1 %"
    return ">99.9 %" if 0.9995 <= share < 1 else f"{100 * share:.1f} %"
