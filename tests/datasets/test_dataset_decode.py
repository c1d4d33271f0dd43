"""The zoo of modes, sizes and rotations, each brought to plain pixels."""

import io

import numpy as np
import pytest
from pictures import image_bytes
from PIL import Image, ImageOps

from cnnlab.datasets.channels import ChannelStatistics
from cnnlab.datasets.decode import decode, fit, measure
from cnnlab.datasets.plain_jpeg import decode_jpeg_into
from cnnlab.datasets.reading import ImageBombError


def saved(image, kind, **save):
    buffer = io.BytesIO()
    image.save(buffer, kind, **save)
    return buffer.getvalue()


def pixels_of(data, channels=3):
    picture = decode(data, channels)
    assert picture.pixels.dtype == np.uint8
    assert picture.pixels.shape == (picture.height, picture.width, channels)
    return picture.pixels


RED = Image.new("RGB", (6, 4), (200, 30, 40))
SCENE = Image.fromarray(np.random.RandomState(0).randint(0, 256, (5, 7, 3), np.uint8)).resize((70, 50))


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
@pytest.mark.parametrize("kind", ["PNG", "GIF", "BMP", "TIFF", "WEBP"])
def test_modes_and_formats_are_what_pillow_shows(mode, kind):
    image = SCENE.convert(mode)
    options = {"lossless": True} if kind == "WEBP" else {}
    data = saved(image.convert("RGB") if kind == "WEBP" else image, kind, **options)
    shown = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    assert (pixels_of(data) == shown).all()


def test_grey_becomes_three_equal_channels_and_colour_becomes_grey():
    grey = pixels_of(saved(SCENE.convert("L"), "PNG"))
    assert (grey == grey[..., :1]).all()
    assert (pixels_of(saved(SCENE, "PNG"), 1)[..., 0] == np.asarray(SCENE.convert("L"))).all()


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_transparent_lies_on_white(mode):
    image = Image.new("RGBA", (4, 4), (10, 20, 30, 0))
    image.paste((0, 0, 0, 255), (0, 0, 2, 4))
    if mode == "P":
        image = image.quantize(4)
    picture = decode(saved(image.convert(mode), "PNG"), 3)
    assert picture.pixels[0, 0].tolist() == [0, 0, 0]
    assert picture.pixels[0, 3].tolist() == [255, 255, 255]
    assert picture.remarks == ("transparent",)


def test_half_transparent_is_half_white():
    pixels = pixels_of(saved(Image.new("RGBA", (2, 2), (0, 0, 0, 128)), "PNG"))
    assert abs(int(pixels[0, 0, 0]) - 127) <= 1


def test_the_transparent_colour_of_a_palette_or_png_is_white():
    assert pixels_of(saved(RED, "PNG", transparency=(200, 30, 40)))[0, 0].tolist() == [255, 255, 255]


def test_cmyk_keeps_its_colours():
    for kind in ("JPEG", "TIFF"):
        pixels = pixels_of(saved(RED.convert("CMYK"), kind))
        assert np.abs(pixels[1, 1].astype(int) - [200, 30, 40]).max() <= 12


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_brought_upright_as_pillow_does(kind, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = saved(SCENE, kind, exif=exif, **({"quality": 95} if kind == "JPEG" else {}))
    with Image.open(io.BytesIO(data)) as image:
        upright = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    picture = decode(data, 3)
    assert picture.pixels.shape == upright.shape
    assert np.abs(picture.pixels.astype(int) - upright).max() <= (8 if kind == "JPEG" else 0)
    assert picture.remarks == (("rotated",) if orientation > 1 else ())
    assert measure(data) == (upright.shape[1], upright.shape[0], False)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_a_broken_exif_block_does_no_harm():
    data = saved(SCENE, "JPEG", exif=b"Exif\0\0MM\0*garbage that is no table")
    assert pixels_of(data).shape == (50, 70, 3)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_of_several_frames_the_first_is_taken_and_it_is_said(kind):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("#ff0000", "#00ff00", "#0000ff")]
    options = {"lossless": True} if kind == "WEBP" else {}
    picture = decode(saved(frames[0], kind, save_all=True, append_images=frames[1:], **options), 3)
    assert picture.pixels[4, 4].tolist() == [255, 0, 0]
    assert picture.remarks == ("animated",)


def test_sixteen_bits_are_scaled_not_cut():
    ramp = (np.arange(256, dtype=np.uint16) * 257).reshape(16, 16)
    for kind in ("PNG", "TIFF"):
        data = saved(Image.fromarray(ramp), kind)
        assert (pixels_of(data, 1)[..., 0].ravel() == np.arange(256)).all()
        assert measure(data)[2]


@pytest.mark.parametrize(("values", "expected"), [([0, 0.5, 1], [0, 128, 255]), ([0, 100, 255], [0, 100, 255])])
def test_floats_are_read_as_shares_or_levels(values, expected):
    data = saved(Image.fromarray(np.array([values], np.float32)), "TIFF")
    assert pixels_of(data, 1).ravel().tolist() == expected


@pytest.mark.parametrize(
    ("mode", "is_grey"), [("1", True), ("L", True), ("LA", True), ("P", False), ("RGB", False), ("RGBA", False)]
)
def test_greyness_follows_from_the_header(mode, is_grey):
    assert measure(saved(SCENE.convert(mode), "PNG"))[2] == is_grey


def test_a_palette_of_greys_is_grey():
    assert measure(saved(SCENE.convert("L"), "GIF"))[2]


def test_grey_jpeg_is_grey():
    assert measure(saved(SCENE.convert("L"), "JPEG")) == (70, 50, True)


def test_a_large_jpeg_may_be_decoded_smaller_but_never_too_small():
    data = image_bytes(0, (800, 600), kind="JPEG")
    picture = decode(data, 3, at_least=100)
    assert (picture.width, picture.height) == (800, 600)
    assert 100 <= min(picture.pixels.shape[:2]) < 600


def test_a_jpeg_with_stray_bytes_is_forgiven():
    data = image_bytes(0, (32, 32), kind="JPEG")
    assert pixels_of(data + b"stray bytes behind the end").shape == (32, 32, 3)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF"])
def test_half_a_file_is_an_error(kind):
    data = image_bytes(0, (64, 64), kind=kind)
    with pytest.raises(Exception, match=r".*"):
        decode(data[: len(data) // 2], 3)


def test_a_jpeg_called_png_is_what_it_is():
    assert pixels_of(image_bytes(0, (9, 9), kind="JPEG")).shape == (9, 9, 3)


def test_straight_into_a_row_or_not_at_all():
    row = np.zeros((32, 32, 3), np.uint8)
    data = image_bytes(0, (32, 32), kind="JPEG")
    assert decode_jpeg_into(row, data)
    assert (row == decode(data, 3).pixels).all()
    exif = Image.Exif()
    exif[0x0112] = 6
    for other in (
        image_bytes(0, (33, 32), kind="JPEG"),
        image_bytes(0, (16, 32), kind="JPEG"),
        image_bytes(0, (32, 32), kind="PNG"),
        image_bytes(0, (32, 32), mode="CMYK", kind="JPEG"),
        image_bytes(0, (32, 32), kind="JPEG", exif=exif),
        b"\xff\xd8\xff rubbish",
    ):
        assert not decode_jpeg_into(row, other)


def test_a_plain_header_met_before_lets_no_other_header_pass():
    row = np.zeros((32, 32, 3), np.uint8)
    plain = image_bytes(0, (32, 32), kind="JPEG")
    assert decode_jpeg_into(row, plain)
    scan = plain.index(b"\xff\xda")
    exif = Image.Exif()
    exif[0x0112] = 6
    late = b"\xff\xe1" + (len(exif.tobytes()) + 2).to_bytes(2) + exif.tobytes()
    assert b"Exif\0\0" in late
    assert not decode_jpeg_into(row, plain[:scan] + late + plain[scan:])
    # A comment that holds the mark at which the pixels begin does not end the header.
    comment = b"\xff\xfe\0\4\xff\xda"
    assert decode_jpeg_into(row, plain[:2] + comment + plain[2:])
    other = image_bytes(0, (32, 32), mode="CMYK", kind="JPEG")
    assert not decode_jpeg_into(row, other[:2] + comment + other[2:])


def test_too_many_pixels_are_refused_before_decoding(monkeypatch):
    monkeypatch.setattr("cnnlab.datasets.decode.MAX_PIXELS", 1000)
    for kind in ("JPEG", "PNG"):
        data = image_bytes(0, (40, 40), kind=kind)
        with pytest.raises(ImageBombError, match="40 x 40 pixels"):
            decode(data, 3)
        with pytest.raises(ImageBombError, match="40 x 40 pixels"):
            measure(data)


@pytest.mark.parametrize("how", ["crop", "pad", "stretch"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("shape", [(1, 1), (3, 50), (50, 3), (64, 64)])
def test_fit_gives_the_size_that_was_asked_for(how, channels, shape):
    pixels = np.full((*shape, channels), 7, np.uint8)
    fitted = fit(pixels, 16, 12, how)
    assert fitted.shape == (16, 12, channels)
    assert set(np.unique(fitted)) <= ({7} if how != "pad" else {0, *range(8)})


def test_statistics_of_white_images_are_exact():
    statistics = ChannelStatistics(3)
    statistics.add(np.full((1000, 2, 3, 3), 255, np.uint8))
    statistics.add(np.full((999, 2, 3, 3), 251, np.uint8))
    assert statistics.total.tolist() == [6 * (1000 * 255 + 999 * 251)] * 3
    assert statistics.squares.tolist() == [6 * (1000 * 255**2 + 999 * 251**2)] * 3


def test_statistics_add_up_whatever_the_batches():
    images = np.random.RandomState(0).randint(0, 256, (2100, 3, 5, 3), np.uint8)
    whole, parts = ChannelStatistics(3), ChannelStatistics(3)
    whole.add(images)
    for start in (0, 1, 1500):
        parts.add(images[start : {0: 1, 1: 1500, 1500: 2100}[start]])
    parts.add(images[:0])
    assert whole.mean() == parts.mean() == pytest.approx(images.reshape(-1, 3).mean(0))
    assert whole.std() == parts.std() == pytest.approx(images.reshape(-1, 3).std(0))
