"""Train against validation: learnt by heart, better than it should be, or nothing to learn."""

import math

import numpy as np

from cnnlab.doctor.evidence import Evidence, number, share
from cnnlab.doctor.finding import Chart, Finding, NotChecked, Verdict, thinned
from cnnlab.doctor.loss import SMALL_CHANGE, changes_per_epoch

# Of the lowest validation loss.
RISE = 0.15
SMALLEST_RISE = 0.05
# Between the accuracies of train and val.
WIDE_GAP = 0.15
BY_HEART = 0.9
# What chance may do to the share of right answers, in standard errors.
CERTAIN = 3.0
SMALLEST_LEAD = 0.03
# In standard errors above chance: what is farther up has learnt something.
AT_CHANCE = 1.5
FEWEST_IMAGES = 30
# Of the loss of answers that know how frequent the classes are, and nothing else.
SURE = 0.97
MANY_COPIES = 0.01


def overfitting(evidence: Evidence) -> Verdict:
    """A gap that grows while the validation gets worse, or a network that knows its training images by heart."""
    epochs, train, val = evidence.both("loss")
    if len(epochs) < 4:
        return NotChecked("it takes four epochs")
    smooth = np.convolve(val, np.ones(3) / 3, "valid") if len(val) >= 6 else val
    offset = len(val) - len(smooth)
    best = int(np.argmin(smooth))
    place = best + offset // 2
    rise = float(smooth[-1] - smooth[best])
    is_rising = rise > max(RISE * smooth[best], SMALLEST_RISE) and len(smooth) - best > 2
    is_widening = is_rising and train[-1] < train[place] and val[-1] - train[-1] > val[place] - train[place]
    _, known, new = evidence.both("accuracy", evidence.main_output or "")
    gap = float(np.mean(known[-2:]) - np.mean(new[-2:])) if len(known) else 0.0
    is_by_heart = gap >= WIDE_GAP and known[-1] >= BY_HEART
    if not is_widening and not is_by_heart:
        return None
    parts = []
    if is_widening:
        parts.append(
            f"the validation loss rose from {number(smooth[best])} around epoch {epochs[place]} to "
            f"{number(smooth[-1])}, while the training loss fell to {number(train[-1])}"
        )
    if is_by_heart:
        parts.append(f"{share(known[-1])} of the training images are right, but {share(new[-1])} of the validation's")
    sentence = "; ".join(parts)
    lines = (thinned(epochs.tolist(), train.tolist(), "train"), thinned(epochs.tolist(), val.tolist(), "val"))
    mark = (float(epochs[place]), "lowest") if is_widening else None
    keeps = "Early stopping keeps the best weights" if is_widening else "Learning by heart needs more to learn from"
    return Finding(
        "overfitting", "warning", f"{sentence[0].upper()}{sentence[1:]}.",
        f"{keeps}; train again with augmentation, weight decay, dropout, more images or a smaller network.",
        {"best_epoch": int(epochs[place]), "rise": rise, "gap": gap},
        Chart("lines", "Epoch", "Loss", lines, mark=mark),
    )  # fmt: skip


def leaked_validation(evidence: Evidence) -> Verdict:
    """Images of train in val or test, or a validation that is better than chance and training explain."""
    copies = {split: count for split, count in evidence.data.copies.items() if count}
    if copies:
        return _copies(evidence, copies)
    if reason := _makes_training_harder(evidence):
        return NotChecked(f"{reason} makes training images harder than those of val; there are no exact copies")
    epochs, train, val = evidence.both("accuracy", evidence.main_output or "")
    if len(epochs) < 5:
        return NotChecked("it takes five epochs")
    # The training accuracy is a mean over the epoch, in which the network got better: that of the next one is fair.
    later, before = train[1:], val[:-1]
    half = len(later) // 2
    lead = float(np.mean(before[half:] - later[half:]))
    spread = math.sqrt(max(1e-9, np.mean(val) * (1 - np.mean(val))) / max(1, evidence.data.counts.get("val", 100)))
    if lead < max(SMALLEST_LEAD, CERTAIN * spread):
        return None
    lines = (thinned(epochs.tolist(), train.tolist(), "train"), thinned(epochs.tolist(), val.tolist(), "val"))
    return Finding(
        "leaked_validation", "warning",
        f"The validation accuracy leads that of the next epoch's training by {100 * lead:.1f} points, with neither "
        "augmentation nor dropout to explain it.",
        "Look for images of one object, scene or patient in both splits, or for a validation split that is easier, "
        "then import the data set again with other splits.",
        {"lead": lead, "standard_error": spread}, Chart("lines", "Epoch", "Accuracy", lines),
    )  # fmt: skip


def _copies(evidence: Evidence, copies: dict[str, int]) -> Finding:
    shares = {split: count / max(1, evidence.data.counts.get(split, count)) for split, count in copies.items()}
    parts = [
        f"{count:,} {'image' if count == 1 else 'images'} of {split} ({share(shares[split])})"
        for split, count in copies.items()
    ]
    return Finding(
        "leaked_validation",
        "serious" if max(shares.values()) >= MANY_COPIES else "note",
        f"{' and '.join(parts)} have an exact copy in train: results on them are better than on new images.",
        "Import the data set again without its duplicates, or with splits that keep copies together.",
        {"copies": copies, "shares": shares},
    )


def shuffled_labels(evidence: Evidence) -> Verdict:
    """Labels that have nothing to do with the images."""
    output = evidence.main_output or ""
    epochs, train, val = evidence.both("accuracy", output)
    chance = evidence.chance_accuracy()
    waited = max(3, math.ceil(0.2 * evidence.config.training.epochs))
    if chance is None:
        return NotChecked("the classes of the data set are not known")
    if len(epochs) < waited:
        return NotChecked(f"it takes {waited} epochs")
    images = max(1, evidence.data.counts.get("val", 100))
    if images < FEWEST_IMAGES:
        return NotChecked(f"val has fewer than {FEWEST_IMAGES} images")
    margin = max(0.03, AT_CHANCE * math.sqrt(chance * (1 - chance) / images))
    if np.mean(val[-3:]) > chance + margin:
        return None
    losses = evidence.epochs_of("val", "loss", output)[1]
    knowing_nothing = evidence.entropy(output)
    if len(losses) and knowing_nothing and np.nanmin(losses[-3:], initial=math.inf) < SURE * knowing_nothing:
        return None  # what is learnt shows in the loss before it does in the accuracy
    learns_by_heart = train[-1] > chance + max(0.05, margin)
    changes = changes_per_epoch(evidence)
    if not learns_by_heart and len(changes) and changes.max() < SMALL_CHANGE:
        return None
    lines = (thinned(epochs.tolist(), train.tolist(), "train"), thinned(epochs.tolist(), val.tolist(), "val"))
    how = f"while that of training rose to {share(train[-1])}" if learns_by_heart else "and so does that of training"
    return Finding(
        "shuffled_labels", "serious",
        f"After {len(epochs)} epochs the validation accuracy stays at chance ({share(np.mean(val[-3:]))}, chance is "
        f"{share(chance)}), {how}.",
        "Labels may belong to other images: look at the images of each class on the data set's page, and import "
        "the set again with the right labels. "
        + (
            "If they are right, there are too few images to learn from: import more, or add augmentation."
            if learns_by_heart
            else "If they are right, try a larger network or another learning rate."
        ),
        {"val": float(np.mean(val[-3:])), "train": float(train[-1]), "chance": chance},
        Chart("lines", "Epoch", "Accuracy", lines, limit=(chance, "chance")),
    )  # fmt: skip


def _makes_training_harder(evidence: Evidence) -> str:
    config = evidence.config
    if config.augmentation:
        return "augmentation"
    if config.training.label_smoothing or config.tricks.model_dump(exclude_defaults=True):
        return "label smoothing or another trick"
    return "dropout" if _has_dropout(config.architecture.parameters) else ""


def _has_dropout(value: object, name: str = "") -> bool:
    """Return whether some parameter of the architecture drops something."""
    if isinstance(value, dict):
        if "drop" in str(value.get("kind", "")):
            return True
        return any(_has_dropout(part, str(key)) for key, part in value.items())
    if isinstance(value, list | tuple):
        return any(_has_dropout(part, name) for part in value)
    return "drop" in name and bool(value)
