"""Learning from the answers of an earlier run's network.

Source: Hinton et al. 2015, arXiv:1503.02531.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import ops

from cnnlab.analysis.saved_network import open_saved, own_shape
from cnnlab.errors import ConfigError
from cnnlab.runs.store import Store
from cnnlab.runs.teachers import teacher_file
from cnnlab.settings.tricks import TricksConfig
from cnnlab.training.losses import distillation_loss
from cnnlab.training.model import as_dict


class Teacher:
    """A frozen network beside the one that learns.

    No Keras object on purpose: what a Keras model has as an attribute becomes part of it, and the teacher
    is neither trained nor saved nor in checkpoints.

    Args:
        network: Takes pixels in 0 to 255 and returns logits.
        outputs: Of the network that learns; the teacher has them all.
        image_size: Height and width that the teacher sees; None for any.
    """

    def __init__(
        self,
        network: keras.Model,
        outputs: Sequence[str],
        temperature: float,
        weight: float,
        image_size: tuple[int, int] | None = None,
    ) -> None:
        network.trainable = False
        self._network, self._outputs = network, tuple(outputs)
        self._temperature, self._weight = temperature, weight
        self._image_size = image_size

    def answers(self, images: Any) -> dict[str, Any]:
        """Return logits by `answer_name` of the output.

        Args:
            images: `(batch, height, width, channels)`, augmented; of another size they are resized.
        """
        if self._image_size is not None and tuple(images.shape[1:3]) != self._image_size:
            images = ops.image.resize(
                images, self._image_size, interpolation="bilinear", antialias=True, data_format="channels_last"
            )
        # A network of one output gives one tensor; whose it is, was checked before.
        logits = as_dict(self._network(images, training=False), dict.fromkeys(self._outputs))
        return {answer_name(name): ops.cast(logits[name], "float32") for name in self._outputs}

    def mixed(self, output: str, loss: Any, targets: Mapping[str, Any], logits: Any) -> Any:
        """Return the loss of an output with the teacher's share in it.

        Args:
            loss: Against the labels.
            targets: Of the step, with what `answers` returned.
            logits: Of the network that learns.
        """
        soft = distillation_loss(targets[answer_name(output)], logits, self._temperature)
        return (1.0 - self._weight) * loss + self._weight * soft


def answer_name(output: str) -> str:
    """Return the name that the teacher's logits of an output have among the targets of a step."""
    return f"{output}/teacher"


def load_teacher(
    tricks: TricksConfig,
    store: Store,
    outputs: Mapping[str, Sequence[str]],
    input_shape: tuple[int, int, int],
) -> Teacher | None:
    """Return the teacher that a config asks for, None where it asks for none.

    Args:
        store: Where the runs are.
        outputs: Class names by output, of the network that learns.
        input_shape: Likewise.

    Raises:
        ConfigError: there is no such run, it has no trained network, or that one answers another question
            or takes images with other channels.
    """
    run_id = tricks.distill_from
    if run_id is None:
        return None
    path = teacher_file(store, run_id)
    _check_classes(run_id, (store.read_result(run_id) or {}).get("outputs", {}), outputs)
    network = open_saved(path, f"{run_id}/{path.name}")
    shape = own_shape(network) or (None, None, None)
    if shape[2] not in (None, input_shape[2]):
        raise ConfigError(
            f"tricks.distill_from={run_id!r} takes images with {shape[2]} channels, these have {input_shape[2]}. "
            "Expected a teacher of the same kind of images. Choose another run."
        )
    size = None if None in shape[:2] else (int(shape[0] or 0), int(shape[1] or 0))
    return Teacher(network, list(outputs), tricks.distill_temperature, tricks.distill_weight, size)


def _check_classes(run_id: str, known: Mapping[str, Sequence[str]], outputs: Mapping[str, Sequence[str]]) -> None:
    for name, classes in outputs.items():
        if name not in known:
            raise ConfigError(
                f"tricks.distill_from={run_id!r} has no output {name!r}, its outputs are "
                f"{', '.join(known) or 'not recorded'}. Expected a teacher of the same outputs. Choose another run, "
                "or leave that output out with data.outputs."
            )
        if list(known[name]) != list(classes):
            raise ConfigError(
                f"tricks.distill_from={run_id!r} has other classes for {name!r}: {_few(known[name])}, "
                f"not {_few(classes)}. Expected the same classes in the same order. Choose a run on the same data set."
            )


def _few(names: Sequence[str]) -> str:
    return f"{len(names)} ({', '.join(names[:3])}{', ...' if len(names) > 3 else ''})"
