"""From the bytes of a file, whatever it is, to pixels.

Imports NumPy, Pillow and simplejpeg alone, because decoders run in processes of their own.
"""

import functools
import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import simplejpeg
from PIL import Image, ImageOps

from cnnlab.datasets.plain_jpeg import is_jpeg
from cnnlab.datasets.reading import ImageBombError

MAX_PIXELS = 80_000_000
FORMATS = ("JPEG", "MPO", "PNG", "GIF", "BMP", "DIB", "TIFF", "WEBP", "AVIF", "PPM")
GREY_MODES = ("1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N", "F")
# EXIF orientation -> what brings `(height, width, channels)` upright.
UPRIGHT: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    2: lambda image: image[:, ::-1],
    3: lambda image: image[::-1, ::-1],
    4: lambda image: image[::-1],
    5: lambda image: image.swapaxes(0, 1),
    6: lambda image: image.swapaxes(0, 1)[:, ::-1],
    7: lambda image: image[::-1, ::-1].swapaxes(0, 1),
    8: lambda image: image.swapaxes(0, 1)[::-1],
}
WHITE = (255, 255, 255)


@dataclass
class Picture:
    """A decoded file.

    Attributes:
        pixels: `(height, width, channels)` uint8, upright.
        width: Of the file, upright, before any shrinking; `height` likewise.
        remarks: What was done to it: `animated`, `rotated`, `transparent`.
    """

    pixels: np.ndarray
    width: int
    height: int
    remarks: tuple[str, ...] = ()


def measure(data: bytes) -> tuple[int, int, bool]:
    """Return width, height (upright) and whether it is grey, from the header alone."""
    if is_jpeg(data):
        height, width, space, _ = simplejpeg.decode_jpeg_header(data, strict=False)
        _check_pixels(width, height)
        if _orientation(data) >= 5:
            width, height = height, width
        return width, height, space == "Gray"
    with _open(data) as image:
        return *_upright_size(image), _is_grey(image)


def decode(data: bytes, channels: int, at_least: int = 0) -> Picture:
    """Decode one file to `channels` (1: grey, 3: colour).

    Args:
        at_least: A JPEG may be decoded smaller, down to that many pixels on the shorter side; 0 never.

    Raises:
        ImageBombError: it claims more than `MAX_PIXELS`.
        Exception: whatever a decoder says of a broken file.
    """
    if is_jpeg(data):
        height, width, space, _ = simplejpeg.decode_jpeg_header(data, strict=False)
        _check_pixels(width, height)
        if space not in ("CMYK", "YCCK"):
            try:
                return _decode_jpeg(data, channels, width, height, at_least)
            except ValueError:
                pass  # strict by choice: Pillow forgives stray bytes, and says what is broken
    with _open(data) as image:
        return _from_pillow(image, channels)


def fit(pixels: np.ndarray, height: int, width: int, how: str) -> np.ndarray:
    """Bring `(h, w, channels)` to `(height, width, channels)`.

    Args:
        how: `crop` fills and cuts the rest off alike on both sides, `pad` keeps all and adds black
            alike on both sides, `stretch` changes the proportions.
    """
    if pixels.shape[:2] == (height, width):
        return pixels
    image = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else np.ascontiguousarray(pixels))
    if how == "crop":
        image = ImageOps.fit(image, (width, height), Image.Resampling.BICUBIC)
    elif how == "pad":
        image = ImageOps.pad(image, (width, height), Image.Resampling.BICUBIC, color=0)
    else:
        image = image.resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(image).reshape(height, width, pixels.shape[2])


def _decode_jpeg(data: bytes, channels: int, width: int, height: int, at_least: int) -> Picture:
    space = "GRAY" if channels == 1 else "RGB"
    scale = at_least / min(width, height) if 0 < at_least < min(width, height) else 1
    # The DCT shrinks by eighths for nothing; the rest is done with care by `fit`.
    least = {"min_height": int(height * scale), "min_width": int(width * scale)} if scale < 1 else {}
    pixels = simplejpeg.decode_jpeg(data, space, **least)
    orientation = _orientation(data)
    if orientation in UPRIGHT:
        pixels = np.ascontiguousarray(UPRIGHT[orientation](pixels))
        width, height = (height, width) if orientation >= 5 else (width, height)
        return Picture(pixels, width, height, ("rotated",))
    return Picture(pixels, width, height)


def _orientation(data: bytes) -> int:
    if data.find(b"Exif\0\0") < 0:
        return 1
    try:
        with Image.open(io.BytesIO(data), formats=_formats()) as image:
            return _exif_orientation(image)
    except OSError:
        return 1


def _exif_orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(0x0112, 1))
    except Exception:  # a broken EXIF block does no harm to the pixels
        return 1


@functools.cache
def _formats() -> list[str]:
    Image.init()  # 20 ms that a process which meets only plain JPEG files never spends
    return [name for name in FORMATS if name in Image.OPEN]


def _open(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data), formats=_formats())
    _check_pixels(*image.size)
    return image


def _check_pixels(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise ImageBombError(f"{width:,} x {height:,} pixels, more than {MAX_PIXELS // 10**6} million")


def _upright_size(image: Image.Image) -> tuple[int, int]:
    width, height = image.size
    # Pillow says the upright size of a TIFF from the start.
    is_turned = image.format != "TIFF" and _exif_orientation(image) >= 5
    return (height, width) if is_turned else (width, height)


def _is_grey(image: Image.Image) -> bool:
    if image.mode in ("P", "PA"):
        palette = np.array(image.getpalette("RGB") or [0], np.uint8)
        return palette.size % 3 == 0 and bool((palette.reshape(-1, 3) == palette.reshape(-1, 3)[:, :1]).all())
    return image.mode in GREY_MODES


def _from_pillow(image: Image.Image, channels: int) -> Picture:
    remarks = []
    if getattr(image, "n_frames", 1) > 1:
        remarks.append("animated")
    if _exif_orientation(image) in UPRIGHT:  # asked first: loading a TIFF turns it and forgets
        remarks.append("rotated")
    image.load()  # the first frame
    image = _eight_bits(ImageOps.exif_transpose(image))
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        solid = Image.new("RGBA", image.size, WHITE)
        solid.alpha_composite(image.convert("RGBA"))
        image = solid
        remarks.append("transparent")
    # RGB first: a palette or CMYK has no direct way to grey.
    if image.mode not in ("RGB", "L"):
        image = image.convert("L" if image.mode == "1" else "RGB")
    image = image.convert("L" if channels == 1 else "RGB")
    pixels = np.asarray(image).reshape(image.height, image.width, channels)
    return Picture(pixels, image.width, image.height, tuple(remarks))


def _eight_bits(image: Image.Image) -> Image.Image:
    """Scale 16 and 32 bits down; Pillow alone would cut everything above 255 off."""
    if not image.mode.startswith(("I", "F")):
        return image
    values = np.asarray(image).astype(np.float64)
    top = float(np.nanmax(values, initial=0.0))
    if image.mode == "F" and top <= 1:
        values = values * 255
    elif top > 255 or image.mode.startswith("I;16"):
        values = values / (257 if top <= 65535 else top / 255)
    return Image.fromarray(np.rint(np.clip(np.nan_to_num(values), 0, 255)).astype(np.uint8))
