"""Augmentation, network and loss as one model, so that one compiled step does all three."""

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

# Of each auxiliary head in the loss. Source: Szegedy et al. 2014, arXiv:1409.4842, section 5.
AUXILIARY_WEIGHT = 0.3


class TrainingModel(keras.Model):
    """Train a network on `{"images", "labels"}` batches.

    Labels are inputs here because mixup and cutmix change the targets made of them together with the
    images; Keras hands labels past the model otherwise.

    Args:
        network: Takes pixels and returns logits, one tensor or a dict by output.
        augmenter: Called with images, targets and `training`; None for no augmentation.
        num_classes: Number of classes by output.
        label_smoothing: Share of each target spread over all classes.
        with_auxiliary: The same layers and auxiliary heads (`models.build_networks`), called
            in training in place of `network`; None where a family has no such heads.
    """

    def __init__(
        self,
        network: keras.Model,
        augmenter: Any,
        num_classes: Mapping[str, int],
        label_smoothing: float,
        with_auxiliary: keras.Model | None = None,
    ) -> None:
        super().__init__(name="training")
        self.network = network
        self.with_auxiliary = with_auxiliary
        self.augmenter = augmenter
        self.num_classes = dict(num_classes)
        self.label_smoothing = label_smoothing
        self.loss_means = {name: keras.metrics.Mean(name=f"{name}/loss") for name in num_classes}
        self.accuracies = {name: keras.metrics.CategoricalAccuracy(name=f"{name}/accuracy") for name in num_classes}

    def call(self, inputs: Mapping[str, Any], training: bool = False) -> dict[str, Any]:
        """Return logits and the targets that belong to them, mixed or not, by output."""
        images = ops.cast(inputs["images"], "float32")
        targets = {name: ops.one_hot(inputs["labels"][name], count) for name, count in self.num_classes.items()}
        if training and self.augmenter is not None:
            images, targets = self.augmenter(images, targets, training=True)
        if training and self.with_auxiliary is not None:
            return {**self.with_auxiliary(images, training=True), "targets": targets}
        logits = self.network(images, training=training)
        return {"logits": as_dict(logits, self.num_classes), "targets": targets}

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Return the sum over outputs of the mean cross-entropy, and what layers add."""
        smoothing = self.label_smoothing if training else 0.0
        total: Any = sum(self.losses) if self.losses else 0.0
        for name, logits in y_pred["logits"].items():
            targets = y_pred["targets"][name]
            loss = _mean_cross_entropy(targets, logits, smoothing)
            self.loss_means[name].update_state(loss, sample_weight=ops.shape(logits)[0])
            total = total + loss
            for further in y_pred.get("auxiliary", {}).get(name, ()):
                total = total + AUXILIARY_WEIGHT * _mean_cross_entropy(targets, further, smoothing)
        return total

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        for name, logits in y_pred["logits"].items():
            self.accuracies[name].update_state(y_pred["targets"][name], logits)
        return self.get_metrics_result()


def _mean_cross_entropy(targets: Any, logits: Any, smoothing: float) -> Any:
    return ops.mean(keras.losses.categorical_crossentropy(targets, logits, from_logits=True, label_smoothing=smoothing))


def as_dict(logits: Any, outputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the network's answer by output name, for one output too."""
    return dict(logits) if isinstance(logits, Mapping) else {next(iter(outputs)): logits}
