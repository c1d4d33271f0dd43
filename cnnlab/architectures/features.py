"""What a builder may return in place of a plain tensor."""

from typing import Any, NamedTuple


class Features(NamedTuple):
    """Features for the head, and those of heads that only help during training.

    Attributes:
        main: Features that each output's head reads.
        auxiliary: Features from further down; each gets a head of its own while training,
            whose loss counts `AUXILIARY_WEIGHT`, and which the saved network lacks.
    """

    main: Any
    auxiliary: tuple[Any, ...] = ()
