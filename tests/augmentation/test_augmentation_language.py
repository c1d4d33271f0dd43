"""The grammar: what it reads, what it writes, and what it says when it cannot."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnlab.augmentation.catalogue import OPS
from cnnlab.augmentation.language import EXAMPLE, MAX_STEPS, Pipe, Step, build_line, make_step, parse
from cnnlab.errors import ConfigError, UnknownNameError
from cnnlab.parameters import ParameterSpec, specs


def _values(field: ParameterSpec) -> st.SearchStrategy:
    if field.kind == "choice":
        return st.sampled_from(field.choices)
    if field.kind == "boolean":
        return st.booleans()
    if field.kind == "integer":
        return st.integers(int(field.low or 0), int(field.high or 0))
    return st.floats(field.low, field.high, exclude_min=field.is_low_open, exclude_max=field.is_high_open)


def _steps() -> st.SearchStrategy[Step]:
    return st.sampled_from(sorted(OPS)).flatmap(
        lambda name: st.fixed_dictionaries(
            {}, optional={field.name: _values(field) for field in specs(OPS[name].parameters)}
        ).map(lambda values: make_step(name, values))
    )


pipes = st.lists(_steps(), max_size=6).map(lambda steps: Pipe(tuple(steps)))
scraps = st.sampled_from(
    [*OPS, "pad", "side", "share", "fill", "zero", "true", "|", "(", ")", ",", "=", "4", "0.1", "-1e9", " ", "é", "x"]
)


@given(pipes)
def test_a_line_reads_back_as_the_steps_it_was_built_from(pipe):
    assert parse(build_line(pipe.steps)) == pipe


@given(pipes)
def test_the_canonical_form_is_a_fixed_point(pipe):
    assert parse(pipe.line()).line() == pipe.line()


@given(pipes)
def test_blanks_mean_nothing(pipe):
    spaced = pipe.line()
    for sign in "|(),=":
        spaced = spaced.replace(sign, f"  {sign}\t")
    assert parse(f" {spaced} ") == pipe


@given(st.text(max_size=60) | st.lists(scraps, max_size=14).map("".join))
def test_junk_is_a_config_error_or_a_line_that_reads_back(line):
    try:
        pipe = parse(line)
    except ConfigError:
        return
    assert parse(pipe.line()) == pipe


@pytest.mark.parametrize("line", ["", " ", "\t\n"])
def test_an_empty_line_is_no_augmentation(line):
    assert parse(line) == Pipe()
    assert Pipe().line() == ""


@pytest.mark.parametrize(
    ("line", "canonical"),
    [
        (EXAMPLE, "flip_lr|crop(pad=4)|cutout(8)"),
        ("shift(0.1)", "shift(share=0.1)"),
        ("crop", "crop(pad=4)"),
        ("crop()", "crop(pad=4)"),
        ("crop(fill=reflect)", "crop(pad=4, fill=reflect)"),
        ("crop(2, reflect)", "crop(pad=2, fill=reflect)"),
        ("crop(4.0)", "crop(pad=4)"),
        ("Flip_LR", "flip_lr"),
        ("cutout(2)|cutout(2)", "cutout(2)|cutout(2)"),
        ("mixup(alpha=1.0)", "mixup(1)"),
        ("noise(.5e-1)", "noise(0.05)"),
        ("randaugment(2, 9)", "randaugment(num_ops=2)"),
    ],
)
def test_canonical_form(line, canonical):
    assert parse(line).line() == canonical


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("flipp", "Unknown augmentation 'flipp'. Did you mean 'flip_lr'?"),
        ("crop(pad=99)", "crop: pad=99 is out of range. Expected an integer in [1, 64]."),
        ("crop(4.5)", "crop: pad=4.5 cannot be used. Expected an integer in [1, 64]."),
        ("crop(1e300)", "crop: pad=1e+300 cannot be used. Expected an integer in [1, 64]."),
        ("crop(true)", "crop: pad=true cannot be used. Expected an integer in [1, 64]."),
        ("rotate(1e999)", "rotate: degrees=inf is out of range. Expected a number in (0, 180]."),
        ("rotate(nan)", "rotate: degrees=nan cannot be used. Expected a number in (0, 180]."),
        ("crop(pd=3)", "Unknown setting 'pd' for augmentation 'crop'. Did you mean 'pad'?"),
        ("crop(fill=refl)", "crop: fill='refl' is not known. Did you mean 'reflect'?"),
        (
            "crop(4, zero, 3)",
            "crop: '3' at position 15 is one value too many. Expected at most 2: pad, fill. Remove it.",
        ),
        ("flip_lr(1)", "flip_lr: '1' at position 9 is one value too many. It takes no settings. Remove it."),
        ("crop(pad=4, pad=3)", "crop: 'pad' is given twice (position 13). Expected it once. Remove one."),
        (
            "crop(fill=zero, 3)",
            "crop: '3' at position 17 has no name but follows a named setting. "
            "Expected 'name=value', with one of: pad, fill. Write its name.",
        ),
        (
            "flip_lr|",
            "The line ends too early. Expected the name of an augmentation. "
            "An example: 'flip_lr|crop(pad=4)|cutout(8)'.",
        ),
        (
            "crop(pad=)",
            "Unexpected ')' at position 10. Expected a number, a word, true or false for 'crop'. "
            "An example: 'flip_lr|crop(pad=4)|cutout(8)'.",
        ),
        (
            "flip_lr flip_ud",
            "Unexpected 'flip_ud' at position 9. Expected '|' before the next augmentation, or the end of the line. "
            "An example: 'flip_lr|crop(pad=4)|cutout(8)'.",
        ),
        (
            "flip_lr; crop",
            "Unexpected ';' at position 8. Expected names, numbers and the signs | ( ) , =. "
            "An example: 'flip_lr|crop(pad=4)|cutout(8)'.",
        ),
        (
            f"crop({'9' * 5000})",
            "The number at position 6 has 5000 characters. Expected at most 40. Write it shorter.",
        ),
        (
            "|".join(["flip_lr"] * (MAX_STEPS + 1)),
            "The line has more than 32 augmentations. Expected fewer. Remove some of them.",
        ),
    ],
)
def test_errors_say_where_and_the_way_out(line, message):
    with pytest.raises(ConfigError) as caught:
        parse(line)
    assert str(caught.value) == message


def test_an_unknown_name_far_from_all_lists_them():
    with pytest.raises(UnknownNameError, match="Expected one of: blur, brightness"):
        parse("zzz")


def test_steps_that_need_more_pixels_than_there_are_are_refused():
    parse(EXAMPLE).check_image_size(8)
    with pytest.raises(ConfigError) as caught:
        parse("crop(pad=5)").check_image_size(8)
    assert str(caught.value) == (
        "crop: pad=5 is too large for images of 8 px. Expected at most 4. Lower it, or raise the image size."
    )


def test_only_mixing_steps_change_labels():
    assert parse("flip_lr|mixup").mixes_labels
    assert not parse(EXAMPLE).mixes_labels


@pytest.mark.parametrize("name", OPS)
def test_every_entry_describes_itself(name):
    op = OPS[name]
    assert op.name == name
    assert op.title
    assert op.summary.endswith(".")
    assert parse(name).steps == (make_step(name),)
    for field in specs(op.parameters):
        assert field.help.endswith(".")
        assert field.kind in ("integer", "number", "boolean", "choice")
    if op.limit:
        assert op.limit[0] in [field.name for field in specs(op.parameters)]
