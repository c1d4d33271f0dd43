"""The costs of a network as one document of plain values: what the command line and pages show."""

from fractions import Fraction
from typing import Any

from cnnlab.analysis.costs import Costs, LayerCost
from cnnlab.analysis.counting import CONVENTION
from cnnlab.analysis.field_rules import Field, Sight, State
from cnnlab.analysis.formulas import as_document, formulas_of, padding_of

# Said wherever the numbers are shown.
FIELD_CONVENTION = (
    "The receptive field is that of the last feature map with a height and width, the largest over all paths "
    "(Araujo et al. 2019); paths through global pooling see the whole image, and statistics of normalisation are "
    "left out."
)

SIGHT_NUMBERS = (
    "receptive_field_px",
    "receptive_field_hw",
    "receptive_field_union_px",
    "effective_stride_px",
    "effective_stride_hw",
    "effective_padding_px",
    "effective_padding_hw",
)


def document_of(counted: Costs) -> dict[str, Any]:
    """Return totals, conventions and one row per layer."""
    last = counted.last_map
    return {
        "num_params": counted.num_params,
        "trainable_params": counted.trainable_params,
        "macs": counted.macs,
        "depth": counted.depth,
        "activation_bytes": counted.activation_bytes,
        **_sight(last.sees if last else Sight.LOST),
        "last_feature_map": last.name if last else None,
        "not_counted": list(counted.not_counted),
        "conventions": {"macs": CONVENTION, "receptive_field": FIELD_CONVENTION},
        "layers": [_row(row, counted) for row in counted.rows],
    }


def _row(row: LayerCost, counted: Costs) -> dict[str, Any]:
    has_one_call = row.call is not None and row.call.operation is row.call.holder
    padding = padding_of(row.call) if row.call and has_one_call else None
    formulas = formulas_of(row.call) if row.call and has_one_call else []
    return {
        **row.as_row(),
        "calls": row.calls,
        "activation_bytes": row.activation_bytes,
        **_sight(row.sees),
        "padding": padding,
        "params_share": _share(row.num_params, counted.num_params),
        "macs_share": _share(row.macs, counted.macs),
        "activation_share": _share(row.activation_bytes, counted.activation_bytes),
        "formulas": [as_document(formula) for formula in formulas],
    }


def _sight(state: State) -> dict[str, Any]:
    """Return what is seen of the image; the numbers are the larger of height and width, `_hw` are both.

    Where paths are not aligned there is no one padding, and `receptive_field_union_px` is
    larger than the largest path.
    """
    if not isinstance(state, Field):
        return {
            **dict.fromkeys(SIGHT_NUMBERS),
            "paths_are_aligned": None,
            "sees_whole_image": True if state is Sight.WHOLE else None,
        }
    strides = [axis.effective_stride for axis in state.axes]
    paddings = [axis.effective_padding for axis in state.axes]
    known = [padding for padding in paddings if padding is not None]
    return {
        "receptive_field_px": state.size_px,
        "receptive_field_hw": [axis.size for axis in state.axes],
        "receptive_field_union_px": max(axis.union for axis in state.axes),
        "effective_stride_px": _number(max(strides)),
        "effective_stride_hw": [_number(stride) for stride in strides],
        "effective_padding_px": max(known) if len(known) == len(paddings) else None,
        "effective_padding_hw": paddings,
        "paths_are_aligned": state.is_aligned,
        "sees_whole_image": state.sees_whole,
    }


def _number(value: Fraction) -> int | float:
    return value.numerator if value.denominator == 1 else float(value)


def _share(part: int | None, whole: int | None) -> float | None:
    return part / whole if part is not None and whole else None
