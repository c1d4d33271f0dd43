"""How much memory training takes at its peak, estimated from the graph of a network.

Counted are the weights, one gradient and the optimizer's slots for each trained weight, and for
every image of the batch the tensors that the backward pass needs again, with the gradients of the
one call where they are largest. Left out, because they depend on the machine: the workspace of
convolution libraries, fragmentation, and what the framework itself takes (on a GPU often 0.5 to
1 GiB). Layers of unknown kinds are taken to keep both their inputs and their outputs.
"""

import math
from dataclasses import asdict, dataclass
from typing import Any

from keras import KerasTensor, layers

from cnnlab.analysis.costs import Costs, bytes_of
from cnnlab.analysis.graph import Call

WEIGHT_BYTES = 4  # weights, gradients and slots stay float32 under mixed precision
SLOTS = {"sgd": 0, "sgd_momentum": 1, "rmsprop": 1, "adagrad": 1, "adam": 2, "adamw": 2}
# What a framework needs beside the tensors; the suggested batch leaves it free.
HEADROOM = 0.1

VIEWS = {"Reshape", "Flatten", "Identity", "Squeeze", "ExpandDims", "InputLayer", "Normalization", "Rescaling"}
# Gradients that need neither their inputs nor their outputs.
NOTHING = {"Add", "Subtract", "Average", "Concatenate", "ZeroPadding2D", "Cropping2D", "UpSampling2D", "Permute"}
NOTHING |= {"AveragePooling2D", "GlobalAveragePooling2D", "Transpose", "Mean", "Sum", "Pad", "GetItem", "Split", "Cast"}
OUTPUT_ONLY = {"ReLU", "Relu", "Softmax", "Sigmoid", "Tanh", "Sqrt", "Exp", "Rsqrt"}
INPUT_ONLY = {"Conv1D", "Conv2D", "Conv3D", "DepthwiseConv2D", "Conv2DTranspose", "Dense", "EinsumDense", "Multiply"}
INPUT_ONLY |= {"BatchNormalization", "LayerNormalization", "GroupNormalization", "LeakyReLU", "PReLU", "ELU", "Matmul"}
INPUT_ONLY |= {"SeparableConv2D", "Einsum", "Silu", "Gelu", "Square", "Power"}
DROPPING = {"Dropout", "SpatialDropout2D", "AlphaDropout", "GaussianDropout"}
FROM_OUTPUT = {"relu", "softmax", "sigmoid", "tanh", "linear"}


@dataclass(frozen=True)
class TrainingMemory:
    """Bytes that training takes at its peak with a batch size."""

    batch_size: int
    weights_bytes: int
    gradients_bytes: int
    optimizer_bytes: int
    kept_bytes_per_image: int
    moving_bytes_per_image: int

    @property
    def fixed_bytes(self) -> int:
        return self.weights_bytes + self.gradients_bytes + self.optimizer_bytes

    @property
    def bytes_per_image(self) -> int:
        return self.kept_bytes_per_image + self.moving_bytes_per_image

    @property
    def peak_bytes(self) -> int:
        return self.fixed_bytes + self.batch_size * self.bytes_per_image

    def largest_batch(self, budget_bytes: float) -> int:
        """Return the largest power of two that fits with some room left, 0 where not one image does."""
        images = (budget_bytes * (1 - HEADROOM) - self.fixed_bytes) / max(self.bytes_per_image, 1)
        return 2 ** int(math.log2(images)) if images >= 1 else 0

    def as_document(self) -> dict[str, Any]:
        return {**asdict(self), "peak_bytes": self.peak_bytes}


def training_memory(counted: Costs, batch_size: int, optimizer: str = "adam") -> TrainingMemory:
    """Estimate the peak for a network and batch size.

    Args:
        optimizer: One of `SLOTS`.
    """
    trained = counted.trainable_params * WEIGHT_BYTES
    return TrainingMemory(
        batch_size=batch_size,
        weights_bytes=counted.num_params * WEIGHT_BYTES,
        gradients_bytes=trained,
        optimizer_bytes=trained * SLOTS[optimizer],
        kept_bytes_per_image=_kept(counted.graph.calls),
        moving_bytes_per_image=max((_moving(call) for call in counted.graph.calls), default=0),
    )


def _kept(calls: list[Call]) -> int:
    """Sum the tensors that the backward pass reads again, each once however many need it."""
    origin: dict[int, int] = {}
    sizes: dict[int, int] = {}
    kept: set[int] = set()
    extra = 0
    for call in calls:
        kind = type(call.operation).__name__
        for tensor in call.outputs:
            is_view = kind in VIEWS and call.inputs
            origin[id(tensor)] = origin.get(id(call.inputs[0]), id(call.inputs[0])) if is_view else id(tensor)
            sizes.setdefault(origin[id(tensor)], bytes_of(tensor) or 0)
        reads_input, reads_output = _reads(call, kind)
        if reads_input:
            kept |= {origin.get(id(tensor), id(tensor)) for tensor in call.inputs}
        if reads_output:
            kept |= {origin[id(tensor)] for tensor in call.outputs}
        extra += _inside(call, kind)
    return sum(sizes.get(tensor, 0) for tensor in kept) + extra


def _reads(call: Call, kind: str) -> tuple[bool, bool]:
    """Return whether the gradient of a call reads its inputs, and whether its outputs."""
    if kind in VIEWS or kind in NOTHING or kind in DROPPING:
        return False, False
    activation = getattr(getattr(call.operation, "activation", None), "__name__", "linear")
    if kind == "Activation":
        return (False, activation != "linear") if activation in FROM_OUTPUT else (True, False)
    if kind in OUTPUT_ONLY:
        return False, True
    if kind in INPUT_ONLY:
        return True, activation in FROM_OUTPUT and activation != "linear"
    return True, True


def _inside(call: Call, kind: str) -> int:
    """Return what a call keeps beside its inputs and outputs: masks, and values inside a layer."""
    size = sum(bytes_of(tensor) or 0 for tensor in call.outputs)
    activation = getattr(getattr(call.operation, "activation", None), "__name__", "linear")
    if kind in DROPPING:
        return size
    if kind in INPUT_ONLY and activation not in FROM_OUTPUT:
        return size  # before the activation
    if isinstance(call.operation, layers.MultiHeadAttention) and len(call.inputs[0].shape) == 3:
        return _attention_bytes(call)
    return 0


def _attention_bytes(call: Call) -> int:
    # Queries, keys, values and their mixture; scores before and after the softmax.
    _, length, _ = call.inputs[0].shape
    _, features = call.operation.num_heads, call.operation.num_heads * call.operation.key_dim
    values = 4 * (length or 0) * features + 2 * call.operation.num_heads * (length or 0) ** 2
    return values * WEIGHT_BYTES


def _moving(call: Call) -> int:
    tensors: tuple[KerasTensor, ...] = (*call.inputs, *call.outputs)
    return sum(bytes_of(tensor) or 0 for tensor in tensors)
