"""How much memory training takes at its peak, estimated from the graph of a network.

Counted are the weights, one gradient and the optimizer's slots for each trained weight, and for
every image of the batch the tensors that the backward pass needs again, with the gradients of the
one call where they are largest. Left out, because they depend on the machine: the workspace of
convolution libraries, fragmentation, and what the framework itself takes (on a GPU often 0.5 to
1 GiB). Layers of unknown kinds are taken to keep both their inputs and their outputs.

Measured once each with TensorFlow 2.21 on a CPU, Adam, as the growth of the peak between two batch
sizes: ResNet-20 at 32 px 1.62 MiB an image (estimate 1.68), the small VGG at 64 px 2.64 (2.93),
MobileNetV2 at 128 px 21.0 (22.4); beside it the framework took 130 to 350 MiB. Not measured on a GPU.
"""

from keras import KerasTensor, layers

from cnnlab.analysis.costs import Costs, bytes_of
from cnnlab.analysis.graph import Call
from cnnlab.analysis.training_memory import TrainingMemory

WEIGHT_BYTES = 4  # weights, gradients and slots stay float32 under mixed precision

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


def training_memory(counted: Costs) -> TrainingMemory:
    """Estimate the parts of the peak for a network."""
    calls = counted.graph.calls
    return TrainingMemory(
        weights_bytes=counted.num_params * WEIGHT_BYTES,
        trained_bytes=counted.trainable_params * WEIGHT_BYTES,
        kept_bytes_per_image=_kept(calls),
        moving_bytes_per_image=max((_moving(call) for call in calls), default=0),
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
