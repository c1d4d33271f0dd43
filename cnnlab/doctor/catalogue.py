"""Every rule by name: what it means and where that is said. Its order is that of the findings."""

from collections.abc import Callable
from dataclasses import dataclass

from cnnlab.doctor import answers, fitting, inputs, layers, loss
from cnnlab.doctor.evidence import Evidence
from cnnlab.doctor.finding import Verdict


@dataclass(frozen=True)
class Rule:
    """One thing that the doctor looks for.

    Attributes:
        title: Of its finding.
        meaning: What is wrong where it is found, and why that matters.
        advice: What helps as a rule; a finding says it for its run.
        source: Where this is described.
        explained_by: Rules whose finding makes this one only its consequence: then it is left out.
    """

    name: str
    title: str
    meaning: str
    advice: str
    source: str
    check: Callable[[Evidence], Verdict]
    explained_by: tuple[str, ...] = ()


DEEP_LEARNING = "Goodfellow, Bengio and Courville 2016, Deep Learning"
RECIPE = "Karpathy 2019, A Recipe for Training Neural Networks"

RULES: dict[str, Rule] = {
    rule.name: rule
    for rule in (
        Rule(
            "nan_loss",
            "The loss is no number",
            "Numbers overflowed, and from then on nothing is learnt.",
            "A smaller learning rate, warm-up epochs or clipped gradients.",
            f"{DEEP_LEARNING}, section 10.11.1",
            loss.nan_loss,
        ),
        Rule(
            "learning_rate_high",
            "Learning rate too high",
            "Steps jump over the valley that they should descend into: the loss rises, jumps or swings.",
            "A tenth of the learning rate, or warm-up epochs.",
            f"{DEEP_LEARNING}, section 8.3.1; Smith 2015, arXiv:1506.01186",
            loss.learning_rate_high,
        ),
        Rule(
            "learning_rate_low",
            "Learning rate too low",
            "Steps are so short that the loss hardly falls in the epochs there are.",
            "Ten times the learning rate.",
            f"{DEEP_LEARNING}, section 8.3.1; Smith 2015, arXiv:1506.01186",
            loss.learning_rate_low,
            ("vanishing_gradients", "layers_not_learning", "dead_relu"),
        ),
        Rule(
            "layers_not_learning",
            "Layers do not learn",
            "Their weights stay as they were at the start: the others have to do with what these happen to compute.",
            "Thaw them, or find what cuts their gradient off.",
            f"{RECIPE}; Yosinski et al. 2014, arXiv:1411.1792",
            layers.layers_not_learning,
            ("dead_relu", "vanishing_gradients", "nan_loss"),
        ),
        Rule(
            "dead_relu",
            "Dead ReLU units",
            "Units that answer 0 to every image take part in nothing and get no gradient to come back.",
            "A smaller learning rate, batch normalisation, or leaky ReLU.",
            "Lu et al. 2019, arXiv:1903.06733; Maas et al. 2013",
            layers.dead_relu,
        ),
        Rule(
            "exploding_gradients",
            "Exploding gradients",
            "The gradient grows from layer to layer on its way back: single steps throw the weights far off.",
            "Batch normalisation, clipped gradients or smaller first weights.",
            "Pascanu, Mikolov and Bengio 2012, arXiv:1211.5063",
            layers.exploding_gradients,
            ("input_not_normalised",),
        ),
        Rule(
            "vanishing_gradients",
            "Vanishing gradients",
            "The gradient shrinks from layer to layer on its way back: the first layers hardly learn.",
            "ReLU, batch normalisation, skip connections or fewer layers.",
            "Glorot and Bengio 2010, PMLR 9:249-256",
            layers.vanishing_gradients,
            ("dead_relu",),
        ),
        Rule(
            "overfitting",
            "Overfitting",
            "The network learns its training images by heart: it gets better on them, and worse on others.",
            "Augmentation, weight decay, dropout, more images, a smaller network, or early stopping.",
            f"{DEEP_LEARNING}, sections 5.2 and 7.8",
            fitting.overfitting,
            ("shuffled_labels",),
        ),
        Rule(
            "leaked_validation",
            "Validation better than it should be",
            "Images of training, or nearly the same ones, are in val or test: accuracies there promise too much.",
            "Splits that keep copies, scenes and patients together.",
            "Barz and Denzler 2019, arXiv:1902.00423 (duplicates in CIFAR)",
            fitting.leaked_validation,
        ),
        Rule(
            "shuffled_labels",
            "Labels do not belong to the images",
            "A network can learn any labels by heart; that new images stay at chance says there is nothing to learn.",
            "A look at the images of each class, and an import with the right labels.",
            "Zhang et al. 2016, arXiv:1611.03530",
            fitting.shuffled_labels,
            ("nan_loss", "learning_rate_high", "learning_rate_low", "dead_relu", "exploding_gradients",
             "vanishing_gradients", "layers_not_learning"),
        ),
        Rule(
            "class_never_predicted",
            "A class is never predicted",
            "Rare classes cost the loss so little that the network gives them up.",
            "More images of them, weights of the classes in the loss, or longer training.",
            "Johnson and Khoshgoftaar 2019, doi:10.1186/s40537-019-0192-5",
            answers.class_never_predicted,
            ("nan_loss", "learning_rate_high", "learning_rate_low", "dead_relu", "exploding_gradients",
             "vanishing_gradients", "layers_not_learning", "shuffled_labels"),
        ),
        Rule(
            "input_not_normalised",
            "Input not normalised",
            "Channels far from mean 0 and standard deviation 1 make the loss steep in some directions and flat in "
            "others: learning is slow or diverges.",
            "A normalisation before the first layer.",
            "LeCun et al. 1998, Efficient BackProp, section 4.3",
            inputs.input_not_normalised,
        ),
        Rule(
            "starved_feed",
            "Steps wait for images",
            "What prepares the images is slower than what learns from them: the run takes longer than it needs.",
            "Less augmentation on the processor, smaller images, more cores or a faster disk.",
            "Mohan et al. 2020, arXiv:2007.06775",
            inputs.starved_feed,
        ),
    )
}  # fmt: skip
