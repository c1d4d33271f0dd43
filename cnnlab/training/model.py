"""Augmentation, network and loss as one model, so that one compiled step does all three."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import keras
from keras import ops

from cnnlab.training.output_weights import FixedWeights, OutputWeights

if TYPE_CHECKING:
    from cnnlab.training.averages import WeightAverages
    from cnnlab.training.distillation import Teacher
    from cnnlab.training.growing import Growing

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
        teacher: Whose answers on the same images are learnt from as well.
        averages: Of the network's weights, moved on after each step.
        sam_rho: Distance of the second gradient of a step; None for one gradient.
        growing: Where the images of the first epochs are smaller.
    """

    def __init__(
        self,
        network: keras.Model,
        augmenter: Any,
        num_classes: Mapping[str, int],
        losses: Mapping[str, Loss],
        with_auxiliary: keras.Model | None = None,
        weights: OutputWeights | None = None,
        *,
        teacher: "Teacher | None" = None,
        averages: "WeightAverages | None" = None,
        sam_rho: float | None = None,
        growing: "Growing | None" = None,
    ) -> None:
        # Pixels up to 255 do not fit bfloat16's 8 bits: the network's own layers go down to 16 bits, not this one.
        super().__init__(name="training", dtype="float32")
        self.network = network
        self.with_auxiliary = with_auxiliary
        self.augmenter = augmenter
        self.num_classes = dict(num_classes)
        self.loss_functions = dict(losses)
        self.output_weights = weights or FixedWeights(dict.fromkeys(num_classes, 1.0))
        self.teacher, self.averages, self.sam_rho = teacher, averages, sam_rho
        self.growing = growing

    @property
    def measures(self) -> tuple[str, ...]:
        """Names of what `call` returns."""
        by_output = (f"{name}/{metric}" for name in self.num_classes for metric in ("loss", "accuracy"))
        return ("loss", *by_output, *self.output_weights.measures)

    @property
    def size_px(self) -> int | None:
        """Height and width of the images that a step trains on now; None where they never change."""
        return self.growing.size_px if self.growing else None

    def begin_epoch(self, epoch: int) -> None:
        """Do what an epoch, 0-based, begins with; also where one goes on in its middle."""
        if self.growing is not None:
            self.growing.begin_epoch(epoch)

    def augment(self, images: Any, labels: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Return float32 images in 0 to 255 and one-hot or mixed targets by output, as the step learns from them.

        With a teacher its answers on these images stand beside the targets, so that they are drawn once too.

        Args:
            images: `(batch, height, width, channels)`, 0 to 255.
            labels: `(batch,)` integers by output.
        """
        images = ops.cast(images, "float32")
        targets = {name: ops.one_hot(labels[name], count) for name, count in self.num_classes.items()}
        if self.augmenter is not None:
            images, targets = self.augmenter(images, targets, training=True)
        if self.teacher is not None:
            targets = {**targets, **self.teacher.answers(images)}
        if self.growing is not None:
            images = self.growing.resized(images)  # last: steps and teacher know one size
        return images, targets

    def after_step(self) -> None:
        """Do what follows the optimizer's step."""
        if self.averages is not None:
            self.averages.update(self.network)

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
            if self.teacher is not None:
                loss = self.teacher.mixed(name, loss, targets, logits)
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
        smaller = self.growing.network_for(images) if self.growing else None
        return {"logits": as_dict((smaller or self.network)(images, training=training), self.num_classes)}


def _accuracy(targets: Any, logits: Any) -> Any:
    right = ops.equal(ops.argmax(targets, axis=-1), ops.argmax(logits, axis=-1))
    return ops.mean(ops.cast(right, "float32"))


def as_dict(logits: Any, outputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the network's answer by output name, for one output too."""
    return dict(logits) if isinstance(logits, Mapping) else {next(iter(outputs)): logits}
