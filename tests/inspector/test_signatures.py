"""Remembered signatures are the ones that Python gives."""

import inspect

import pytest

from cnnlab.inspector.signatures import quick_signatures


class Layer:
    def __init__(self, units, *, name=None):
        self.units = units

    def call(self, inputs, training=None, **others):
        return inputs

    @classmethod
    def made(cls, units):
        return cls(units)

    @staticmethod
    def doubled(number=1):
        return 2 * number


class Callable_:  # noqa: N801 a class whose objects are called
    def __call__(self, one, two=2): ...


def function(one, *rest, key=3): ...


ASKED = [Layer, Layer(1).call, Layer(2).call, Layer.call, Layer.made, Layer.doubled, function, Callable_(), len]


@pytest.mark.parametrize("asked", ASKED, ids=range(len(ASKED)))
def test_they_equal_the_original_twice(asked):
    expected = inspect.signature(asked)
    with quick_signatures():
        assert inspect.signature(asked) == expected
        assert inspect.signature(asked) == expected


@pytest.mark.parametrize("asked", [Layer.__init__, Layer(1).call, function], ids=["init", "method", "function"])
def test_argument_lists_too(asked):
    expected = inspect.getfullargspec(asked)
    with quick_signatures():
        assert inspect.getfullargspec(asked) == expected


def test_it_ends_with_its_context():
    before = inspect.signature, inspect.getfullargspec
    with quick_signatures():
        assert inspect.signature is not before[0]
        assert inspect.signature(Layer(1).call) is inspect.signature(Layer(2).call)  # asked once
    assert (inspect.signature, inspect.getfullargspec) == before
