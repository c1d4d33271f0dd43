"""What a question about a network leaves in the process: nothing; and quick ways build the same network."""

import gc

import keras
import pytest

from cnnlab.inspector.network_questions import inspect
from cnnlab.inspector.signatures import quick_signatures
from cnnlab.inspector.tracking import PLAIN, quick_tracking

ASKED = {"architecture": "resnet", "parameters": {"blocks_per_stack": 1}, "input_shape": [32, 32, 3], "num_classes": 10}


def alive() -> int:
    gc.collect()
    return sum(isinstance(one, keras.layers.Layer | keras.Variable) for one in gc.get_objects())


@pytest.mark.training
def test_no_layer_and_no_weight_stays(tmp_path):
    inspect(tmp_path, **ASKED)
    before = alive()
    for _ in range(2):
        inspect(tmp_path, **ASKED)
    assert alive() == before


@pytest.mark.training
def test_signatures_of_functions_that_hold_a_layer_are_not_kept():
    layer = keras.layers.Dense(1)
    import inspect as python

    with quick_signatures():
        assert list(python.signature(layer.build).parameters) == ["input_shape"]
    before = alive()
    del layer
    assert alive() < before


@pytest.mark.training
def test_what_is_passed_by_is_never_tracked():
    class Model(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.first = keras.layers.Dense(2)
            self.others = [keras.layers.Dense(3), "a word", 1]
            self.by_name = {"last": keras.layers.Dense(4)}
            self.width, self.how = 5, len

    def names(model: keras.Model) -> list[int]:
        return [layer.units for layer in model._flatten_layers(include_self=False, recursive=True)]

    plain = names(Model())
    with quick_tracking():
        quick = names(Model())
    assert quick == plain == [2, 3, 4]
    assert not any(issubclass(kind, keras.layers.Layer | keras.Variable | list | dict | tuple) for kind in PLAIN)
