"""The bag of tricks in words: what each does, when it helps, who proposed it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Note:
    """One trick.

    Attributes:
        does: One sentence.
        helps: When it is worth trying, and what it costs.
        source: Paper with arXiv number.
    """

    title: str
    does: str
    helps: str
    source: str

    @property
    def description(self) -> str:
        """What the setting's help says."""
        return f"{self.does} Source: {self.source}."


# Whose rates, schedules and losses stand among the settings of the training itself.
OF_TRAINING = {
    "warmup_epochs": Note(
        "Linear warm-up",
        "The learning rate climbs linearly from near zero.",
        "Large batches and high rates, which diverge in the first steps; Adam with few steps. Costs nothing.",
        "Goyal et al. 2017, arXiv:1706.02677",
    ),
    "cosine": Note(
        "Cosine schedule",
        "The learning rate falls along half a cosine to zero.",
        "Nearly always: no drops to place by hand. The length has to be known before.",
        "Loshchilov and Hutter 2016, arXiv:1608.03983",
    ),
    "one_cycle": Note(
        "One-cycle schedule",
        "The learning rate climbs over 30 % of the steps and falls to near zero over the rest.",
        "Short trainings at a high learning rate.",
        "Smith and Topin 2017, arXiv:1708.07120",
    ),
    "nesterov": Note(
        "Nesterov momentum",
        "The gradient counts as if taken one step along the momentum.",
        "With SGD, nearly always a little. Costs nothing.",
        "Sutskever et al. 2013, proceedings.mlr.press/v28/sutskever13",
    ),
    "label_smoothing": Note(
        "Label smoothing",
        "A share of each label is spread over all classes.",
        "Many classes, long trainings, wrong labels; probabilities become less sure. "
        "A smoothed network makes a worse teacher (Müller et al. 2019, arXiv:1906.02629).",
        "Szegedy et al. 2015, arXiv:1512.00567",
    ),
    "precision": Note(
        "Mixed precision",
        "Layers compute in 16 bits, weights stay in 32; float16 scales the loss so that small gradients survive.",
        "GPUs with 16-bit units: faster and half the memory of activations. Slower on most CPUs.",
        "Micikevicius et al. 2017, arXiv:1710.03740",
    ),
}

OF_TRICKS = {
    "scale_rate_from_batch": Note(
        "Scale rate from batch",
        "The learning rate is meant for batches of this size and is multiplied by batch size / this.",
        "Comparing batch sizes with SGD: 256 with rate 0.1 becomes 1024 with 0.4. Goes with a warm-up; "
        "breaks down for very large batches.",
        "Goyal et al. 2017, arXiv:1706.02677, section 2.1",
    ),
    "clip_norm": Note(
        "Clip gradient norm",
        "Gradients longer than this, all of them as one vector, are shortened to it.",
        "A loss that jumps or becomes NaN: high rates, no normalisation. 1 is usual. Costs next to nothing.",
        "Pascanu et al. 2012, arXiv:1211.5063",
    ),
    "whiten_first_conv": Note(
        "Whitened first convolution",
        "The first convolution's kernel is made of the principal patches of the training images, scaled so that its "
        "answers do not depend on one another, with their negatives; it stays as it is.",
        "Short trainings from scratch: early layers need not learn to see edges and colours. Costs nothing. The "
        "network needs a first convolution of at least two filters per value of a patch, as 'airbench' has.",
        "Page 2018, myrtle.ai/learn/how-to-train-your-resnet; Jordan 2024, arXiv:2404.00498, section 3.2",
    ),
    "offset_rate": Note(
        "Rate of offsets",
        "The offsets of batch normalisation learn at a multiple of the learning rate.",
        "Short trainings of networks whose normalisation has no scale: 64 is what speed records take. 1 leaves it out.",
        "Page 2018, myrtle.ai/learn/how-to-train-your-resnet; Jordan 2024, arXiv:2404.00498, section 3.4",
    ),
    "decay_all": Note(
        "Decay biases and normalisation too",
        "Weight decay takes biases and the scales and offsets of normalisation as well; otherwise it spares them.",
        "Repeating papers that decay everything. To spare them usually does a little better.",
        "He et al. 2018, arXiv:1812.01187, section 3.1",
    ),
    "ema_decay": Note(
        "Average weights",
        "Validation, test and the kept network use a moving average of the weights; each step keeps this share of it.",
        "Noisy ends of training: high or constant rates, small batches. 0.99 to 0.9999 is usual. After step t the "
        "share is at most t / (9 + t), so that the first weights are soon forgotten; moving statistics of batch "
        "normalisation are averaged alike. Costs one copy of the weights.",
        "Polyak and Juditsky 1992; as in Tan and Le 2019, arXiv:1905.11946",
    ),
    "sam_rho": Note(
        "Sharpness-aware minimisation",
        "The gradient is taken where the loss is highest within this distance of the weights.",
        "Small data, wrong labels, long trainings. Each step computes two gradients, so it takes twice as long. "
        "0.05 is usual. Moving statistics of batch normalisation follow the first of the two.",
        "Foret et al. 2020, arXiv:2010.01412",
    ),
    "focal_gamma": Note(
        "Focal loss",
        "Each cross-entropy is multiplied by (1 - p) to this power, p the probability of its class; 0 leaves it out.",
        "Many easy and few hard images. 2 is usual. Probabilities become less sure.",
        "Lin et al. 2017, arXiv:1708.02002, with softmax in place of the sigmoid",
    ),
    "class_weights": Note(
        "Class weights",
        "Rare classes count more: by n / (classes * n of the class), or by the effective number of its images.",
        "Classes of very unequal size, where each of them matters. Accuracy over all images may fall.",
        "King and Zeng 2001 (balanced); Cui et al. 2019, arXiv:1901.05555 (effective number)",
    ),
    "distill_from": Note(
        "Teacher",
        "A run whose trained network answers each augmented image as well; its softened answers are learnt from.",
        "A small network that is to come near a large one. Each step costs one more pass of the teacher.",
        "Hinton et al. 2015, arXiv:1503.02531",
    ),
    "start_size_share": Note(
        "First image size",
        "Training begins on images of this share of their size, which grow in steps; the last epochs and every "
        "evaluation have the full size.",
        "Long trainings on large images: half the side takes a quarter of the work. Each size is compiled anew.",
        "Howard 2018, www.fast.ai/2018/08/10/fastai-diu-imagenet; Touvron et al. 2019, arXiv:1906.06423",
    ),
    "test_time": Note(
        "Test-time augmentation",
        "At the end the probabilities are the mean over flipped and shifted views of each image.",
        "A little accuracy for as many times the work of an evaluation as there are views. Compare only with runs "
        "that do the same; where left and right mean something, as in digits, do not flip.",
        "Krizhevsky et al. 2012, doi:10.1145/3065386, section 4.1",
    ),
}

NOTES = OF_TRICKS | OF_TRAINING
