"""Augmentation, network and loss as one model, so that one compiled step does all three."""

from collections.abc import Callable, Mapping
from typing import Any

import keras
from keras import ops

from cnnlab.training.output_weights import FixedWeights, OutputWeights

# Of each auxiliary head in the loss. Source: Szegedy et al. 2014, arXiv:1409.4842, section 5.
AUXILIARY_WEIGHT = 0.3

Loss = Callable[[Any, Any], Any]  # targets and logits, `(batch, num_classes)` each -> scalar


class TrainingModel(keras.Model):
    """What an engine runs in each step: `augment`, then `call` under the gradient.

    Targets are made from labels in here because mixup and cutmix change them together with the images.
    The two are apart so that what needs two gradients of one batch draws its augmentation once.

    Args:
        network: Takes pixels and returns logits, one tensor or a dict by output.
        augmenter: Called with images, targets and `training`; None for no augmentation.
        num_classes: Number of classes by output.
        losses: By output.
        with_auxiliary: The same layers and auxiliary heads (`models.build_networks`), called
            in training in place of `network`; None where a family has no such heads.
        weights: How the outputs are weighed; all alike when left out.
    """

    def __init__(
        self,
        network: keras.Model,
        augmenter: Any,
        num_classes: Mapping[str, int],
        losses: Mapping[str, Loss],
        with_auxiliary: keras.Model | None = None,
        weights: OutputWeights | None = None,
    ) -> None:
        # Pixels up to 255 do not fit bfloat16's 8 bits: the network's own layers go down to 16 bits, not this one.
        super().__init__(name="training", dtype="float32")
        self.network = network
        self.with_auxiliary = with_auxiliary
        self.augmenter = augmenter
        self.num_classes = dict(num_classes)
        self.loss_functions = dict(losses)
        self.output_weights = weights or FixedWeights(dict.fromkeys(num_classes, 1.0))

    @property
    def measures(self) -> tuple[str, ...]:
        """Names of what `call` returns."""
        return ("loss", *(f"{name}/{metric}" for name in self.num_classes for metric in ("loss", "accuracy")))

    def augment(self, images: Any, labels: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Return float32 images in 0 to 255 and one-hot or mixed targets by output, as the step learns from them.

        Args:
            images: `(batch, height, width, channels)`, 0 to 255.
            labels: `(batch,)` integers by output.
        """
        images = ops.cast(images, "float32")
        targets = {name: ops.one_hot(labels[name], count) for name, count in self.num_classes.items()}
        if self.augmenter is not None:
            images, targets = self.augmenter(images, targets, training=True)
        return images, targets

    def call(self, images: Any, targets: Mapping[str, Any], training: bool = True) -> dict[str, Any]:
        """Return `loss`, to be made smaller, and by output its `loss` and `accuracy`: scalars all.

        `loss` adds up the outputs' losses as they are weighed, those of auxiliary heads and what layers add
        for themselves. Weights that are learnt are told by output as `weight`.
        """
        answers = self._answers(images, training)
        measured: dict[str, Any] = {}
        total: Any = 0.0
        for name, logits in answers["logits"].items():
            loss = self.loss_functions[name](targets[name], logits)
            total = total + self.output_weights.weighed(name, loss)
            measured[f"{name}/loss"] = loss
            measured[f"{name}/accuracy"] = _accuracy(targets[name], logits)
            for further in answers.get("auxiliary", {}).get(name, ()):
                further_loss = AUXILIARY_WEIGHT * self.loss_functions[name](targets[name], further)
                total = total + self.output_weights.weighed(name, further_loss)
        total = total + self.output_weights.penalty() + sum(self.losses)
        return {"loss": total, **measured, **self.output_weights.measured()}

    def _answers(self, images: Any, training: bool) -> Mapping[str, Any]:
        if training and self.with_auxiliary is not None:
            answers: Mapping[str, Any] = self.with_auxiliary(images, training=True)
            return answers
        return {"logits": as_dict(self.network(images, training=training), self.num_classes)}


def _accuracy(targets: Any, logits: Any) -> Any:
    right = ops.equal(ops.argmax(targets, axis=-1), ops.argmax(logits, axis=-1))
    return ops.mean(ops.cast(right, "float32"))


def as_dict(logits: Any, outputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the network's answer by output name, for one output too."""
    return dict(logits) if isinstance(logits, Mapping) else {next(iter(outputs)): logits}
