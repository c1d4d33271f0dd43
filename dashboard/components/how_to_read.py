"""How to read each chart: what axes, colours and sizes mean, what to conclude, and what not.

A catalogue of Markdown, a few sentences each; charts with settings that change the words have them beside their code.
"""

# ---- a run ----

LIVE_CURVES = (
    "**Across** are epochs, **upwards** the loss (lower is better) or the accuracy (higher is better). The **dotted** "
    "line is training, with augmentation and dropout on and averaged while the weights still move; the **solid** one "
    "is validation after the epoch, so it can be the better of the two. Training that goes on improving while "
    "validation gets worse is overfitting; two lines that are both high and flat are a network that learns too little. "
    "The **star** is the best epoch on validation, the **ring** the last, a **cross** an early stop: the best of many "
    "noisy epochs flatters the network a little, the test images tell."
)
OUTPUT_WEIGHTS = (
    "**Across** are epochs, **upwards** what the loss of each output is multiplied by before all are added, as the "
    "training learns it (Kendall et al. 2018, arXiv:1705.07115). A weight grows where an output's loss is small, and "
    "shrinks where it stays uncertain. A large weight says that an output is easy, not that it is important."
)
EVIDENCE = (
    "The numbers that the finding stands on. A **dashed line** is the limit that the rule takes, a **dotted** one the "
    "place at which it speaks up, where it has them. The rule looks for a pattern that often has this cause: it can "
    "be wrong, so look at the chart before you follow the advice."
)
HARDWARE = (
    "**Across** is time since the trainer began, measured every two seconds. **Above** is how busy processor and GPU "
    "were: 100 % of CPU is one core, so several cores go beyond it. **Below** is memory, with dotted lines: of the "
    "processor that of the trainer and its children, of a GPU that of everybody on it. A GPU far below 100 % beside a "
    "busy CPU mostly waits for images."
)
FREEZE_MAP = (
    "**Across** are the layers from input to output, a **row** is a stage of the training. Orange layers are new and "
    "learn at the whole rate, blue ones came with the source and go on learning, at the rate that their strength and "
    "the factor show; grey ones stay as they were. Layers near the input see edges and colours that fit many data "
    "sets, so they are kept more often; what is kept costs no gradient and cannot adapt."
)

# ---- before a training ----

SCHEDULE = (
    "**Across** are epochs, **upwards** the learning rate that the optimizer gets at each step: first the warm-up, "
    "then the schedule of the form. With a high rate the weights move fast and never settle, with a low one they "
    "settle; that is why most schedules end near zero. The height is what the form says: whether it is right for your "
    "network is what 'Find a learning rate' is for."
)
RATE_SEARCH = (
    "A short training in which the learning rate (**across**, logarithmic) climbs at every step; **upwards** its loss, "
    "pale for single batches, strong for their running mean. Too low a rate changes nothing, too high a one diverges; "
    "between them the loss falls. The **orange line** is the suggestion, the grey dashed one the other rule. It speaks "
    "of the first steps of this network and batch size: with a warm-up or another batch size search anew."
)
BATCH_SEARCH = (
    "**Across** is the batch size, **upwards** how many training images go through in a second on this machine; each "
    "point is timed over a few steps. The curve flattens where the processor or GPU has all it can do. The orange "
    "point is the smallest size within 5 % of the fastest (dashed line): a larger one only costs memory. It says "
    "nothing about accuracy: a larger batch makes fewer steps per epoch and mostly needs a higher learning rate."
)
CLASS_BALANCE = (
    "One bar per class, its length the **images** of that class, parted by split. Bars of unlike length are an "
    "unbalanced set: a network that always says the largest class then has an accuracy of that class's share. Each "
    "class should have about the same share in every split, or validation and test ask another question than training."
)

# ---- networks ----

DRAWING = (
    "Boxes are what is computed, from input on the left to output on the right; lines are where numbers flow, and "
    "paths that part and join again are branches and shortcuts. **Height** is the side of the map, by its square root, "
    "**thickness** its channels, by their logarithm, the **colour** the kind of layer. Most networks get lower and "
    "thicker: fewer places, more features. Sizes are of outputs, not of weights: see 'Costs by layer' for these."
)
LAYER_COSTS = (
    "**Across** are the layers from input to output, **upwards** what one of them costs; normalisation and activation "
    "count with the layer before them. Parameters mostly sit at the end, where channels are many; operations (MACs of "
    "one image) and activations at the beginning, where maps are large. So a network with few parameters can still be "
    "slow, and the memory of training follows the activations."
)
RECEPTIVE_GROWTH = (
    "**Across** are layers with weights or pooling, **upwards** the side of the square of image that one output of the "
    "layer can see, over the longest path. It grows by kernel size times the stride so far, so after each pooling it "
    "grows faster. Below the dashed line no output sees the whole image. What counts in practice is smaller: pixels in "
    "the middle of the square have more ways to the output (Luo et al. 2016, arXiv:1701.04128)."
)
RECEPTIVE_FRAMES = (
    "Each **frame** is what the output in the middle of a layer's map sees, from early layers (yellow) to late ones "
    "(purple). Beyond the image there is only padding. What is larger than the frame of a layer cannot be recognised "
    "as a whole by that layer, only by parts."
)
CONVOLUTION_MAP = (
    "Each square is one number, the first row on top; the line below says which values are **black and white**. Where "
    "there are negative numbers zero is a middle grey. Black and white are chosen for each picture, so compare shapes "
    "between two pictures, and numbers by hovering."
)

# ---- accuracy and cost ----

BUBBLES = (
    "**Across** is the cost, logarithmic unless you chose otherwise, **upwards** top-1 accuracy, the **area** of a "
    "bubble its parameters, the **colour** the architecture or the run. Up and to the left is better. The lines are "
    "95 % intervals: where two overlap by much, their order may be chance. A point on the front is beaten by no other "
    "in both: which of them to take depends on what you can afford. "
    "After Canziani, Paszke and Culurciello 2016, arXiv:1605.07678."
)
TOP1 = (
    "One bar per run, group or architecture, as long as its **top-1 accuracy** on the images named below, with the "
    "95 % interval at its end; the colour is the architecture. Overlapping intervals are no proof that two are alike, "
    "nor is a longer bar proof that one is better: the comparison page tests that image by image."
)
DENSITY = (
    "Top-1 in percent over the **millions of parameters**: what each million brings. Small networks stand first by "
    "construction, also where their accuracy is of no use, so read it among networks that are accurate enough. The "
    "interval is that of the accuracy; parameters are known exactly."
)
INFERENCE = (
    "**Across** is the number of images in one call, **upwards** the measure you chose, one line per run and machine; "
    "the bars on its points hold eight of ten calls. Time per image falls with larger batches "
    "until the processor is full; for a single image the first point counts. Times of different machines, or of one "
    "that was busy, tell more of these than of the networks."
)

# ---- studies and ablations ----

FOREST = (
    "A **row** is one change, the square its effect on test accuracy in points, the line its 95 % interval, the dashed "
    "line no effect. Groups of seeds: over seeds and test images together; two single networks: over test images. "
    "Filled squares are more than noise after Holm's correction, for the number of changes or, in a comparison, of all "
    "pairs; open ones may be noise. An interval that includes zero does not show that a change does nothing: it shows "
    "how little these runs can tell. Source: Lewis and Clarke 2001, doi:10.1136/bmj.322.7300.1479."
)
BEST_SO_FAR = (
    "Each **point** is a trial when it ended, the **staircase** the best of the completed ones up to there. Long flat "
    "stretches mean that more trials buy little. The best of many trials is partly luck: train it again with new seeds "
    "before you report it. Open points were stopped early, so theirs is the result of part of a training."
)
STUDY_CURVES = (
    "One line per run, **coloured by how good its trial was** in the end, the best on top. Where good and bad lines "
    "part early, stopping early is safe; where they cross late, it throws away good trials. The axis may leave out "
    "losses that ran away."
)
PARALLEL = (
    "Each **line** is a trial, crossing every axis at its value; the last axes are results, and the stronger the "
    "colour the better the first of them. Drag along an axis to keep the lines that pass there, and drag an axis by "
    "its name to move it: only neighbours can be read against each other. Good lines that gather in one place of an "
    "axis hint that it matters; that they pass anywhere hints that it does not. "
    "Source: Inselberg 1985, doi:10.1007/BF01898350."
)
SLICE = (
    "Each **point** is a trial: **across** the value of one hyperparameter, **upwards** the objective, the ring the "
    "best. All other hyperparameters vary as well, so look at the edge of the cloud: how good can it get here? A "
    "search that learns visits good places more often, so many points are no proof that a value is good."
)
CONTOUR = (
    "**Colours** are what a random forest expects of two hyperparameters, averaged over all others; **points** are "
    "trials, the large one the best. Trust it near the points: where there are none the forest only carries on what "
    "it saw elsewhere. A slope along the diagonal is two settings that have to be changed together."
)
IMPORTANCE = (
    "**fANOVA** (Hutter et al. 2014): a random forest learns to predict the objective from the "
    "hyperparameters; the bar is the share of its variance over the whole space that one hyperparameter "
    "explains alone. What only two explain together is in the sentence below the chart.\n\n"
    "**Permutation** (Breiman 2001): how much worse trials that a forest has not seen are predicted when the "
    "values of one hyperparameter are shuffled among them. Half of what that adds to the squared error is the "
    "share explained alone and together with others, so the two bars differ by what is explained together.\n\n"
    "Both speak of the **space that was searched**: a hyperparameter in a narrow range looks unimportant. "
    "Searches that learn try good places most, so the forest knows bad ones less well: few trials, wide "
    "intervals. Trials that were stopped early or failed are left out."
)
STUDY_PARETO = (
    "Each **point** is a completed trial with both objectives; those on the **staircase** are beaten by no other in "
    "both. Which of them to take is a question of what each is worth to you, not of the search. Neighbours on the "
    "staircase may differ by chance: each is the result of few seeds."
)
TIMELINE = (
    "A **lane** is a worker, a **bar** a trial from begin to end, its colour how it ended. Gaps are workers that had "
    "nothing to do: at the end of rungs, while they waited for a slot, or before the next proposal. Short bars of the "
    "colour of a stop are trials that were ended early, which is what makes a search cheap."
)
SEARCH_GROUND = (
    "The **ground** is the value of every pair of settings, the stronger the better, which a real search cannot see. "
    "**Points** are its trials, the large one the best; **ticks** along the lower edge are the values of setting A "
    "that were tried. Where only A matters, a grid of 25 trials has tried 5 values of it, a random search 25."
)
SEARCH_BESTS = (
    "**Across** are trials, **upwards** the best value found so far, 1 being the top; the line is the median of many "
    "seeds, the band their middle half. Where bands overlap, which search wins depends on the seed. All three have "
    "the same number of trials, and only on this landscape: another one can turn their order."
)
