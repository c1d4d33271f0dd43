"""Where the weights come from that a training starts with, and which of them go on learning."""

from typing import Literal, Self

from pydantic import Field, model_validator

from cnnlab.errors import ConfigError
from cnnlab.parameters import Parameters

RUN = "run:"
IMAGENET = "imagenet"
FILE_SUFFIXES = (".keras", ".h5", ".hdf5")

Mode = Literal["features", "last_blocks", "all", "stages"]


class TransferConfig(Parameters):
    """Where the weights come from that a training starts with, and which of them go on learning."""

    source: str = Field(
        "",
        title="Source",
        description="Empty: from scratch. 'run:ID': the network of an earlier run. 'imagenet': the weights of "
        "keras.applications, for architecture keras_application. Else a .keras or .h5 file (command line only).",
    )
    source_sha256: str = Field(
        "",
        title="SHA-256 of the source",
        description="Of its weights file, so that the run can be repeated; found by itself when left out.",
    )
    mode: Mode = Field(
        "stages",
        title="Mode",
        description="'features' keeps what was taken and learns the classifier; 'last_blocks' learns the last blocks "
        "too; 'all' learns everything; 'stages' learns the classifier first, then everything.",
    )
    blocks: int = Field(
        1,
        ge=1,
        le=100,
        title="Last blocks",
        description="How many blocks before the classifier go on learning.",
        json_schema_extra={"only_if": {"mode": ["last_blocks"]}},
    )
    head_epochs: int = Field(
        2,
        ge=1,
        le=10_000,
        title="Classifier alone",
        description="Epochs in which the new layers learn alone, before the taken ones join them.",
        json_schema_extra={"unit": "epochs", "only_if": {"mode": ["stages"]}},
    )
    body_rate: float = Field(
        0.1,
        gt=0,
        le=1,
        title="Rate of the body",
        description="What the learning rate of taken layers is multiplied by; new layers learn at the whole rate.",
        json_schema_extra={"only_if": {"mode": ["last_blocks", "all", "stages"]}},
    )
    rate_decay: float = Field(
        1.0,
        gt=0,
        le=1,
        title="Rate decay per block",
        description="Each earlier block's rate is multiplied by this once more (Howard and Ruder 2018, "
        "arXiv:1801.06146, divide it by 2.6); 1 gives all taken blocks one rate.",
        json_schema_extra={"only_if": {"mode": ["last_blocks", "all", "stages"]}},
    )

    @model_validator(mode="after")
    def _check_source(self) -> Self:
        source = self.source
        is_known = not source or source == IMAGENET or self.run_id or self.is_file
        if not is_known:
            raise ConfigError(
                f"transfer.source={source!r} is no source of weights. Expected run:ID of an earlier run, 'imagenet', "
                f"or a file that ends in {', '.join(FILE_SUFFIXES)}. Leave it out to train from scratch."
            )
        return self

    @property
    def run_id(self) -> str:
        """Return the id of the source run; empty where the source is none."""
        return self.source.removeprefix(RUN) if self.source.startswith(RUN) else ""

    @property
    def is_file(self) -> bool:
        """Return whether the source is a file of this machine."""
        return not self.source.startswith(RUN) and self.source.lower().endswith(FILE_SUFFIXES)

    def check_epochs(self, epochs: int) -> None:
        """Refuse a first stage that leaves nothing of the training.

        Raises:
            ConfigError: so it is.
        """
        if self.source and self.mode == "stages" and self.head_epochs >= epochs:
            raise ConfigError(
                f"transfer.head_epochs={self.head_epochs} leaves nothing of epochs={epochs}. Expected fewer head "
                "epochs than epochs. Shorten the first stage, train longer, or use mode 'features'."
            )

    def check_architecture(self, name: str, parameters: dict[str, object]) -> None:
        """Refuse a source that the architecture cannot take, or that is asked for twice.

        Raises:
            ConfigError: so it is.
        """
        if self.source == IMAGENET and name != "keras_application":
            raise ConfigError(
                f"transfer.source='imagenet' has no weights for architecture {name!r}. Expected architecture "
                "'keras_application'. Choose that architecture, or an earlier run as source."
            )
        if self.source and parameters.get("freeze"):
            raise ConfigError(
                "architecture.parameters.freeze and transfer.source both say which layers learn. Expected one of them. "
                "Set freeze to false; transfer.mode 'features' does the same."
            )
        if self.source not in ("", IMAGENET) and parameters.get("weights") == IMAGENET:
            raise ConfigError(
                f"architecture.parameters.weights='imagenet' and transfer.source={self.source!r} are two sources of "
                "weights. Expected one. Set weights to none, or transfer.source to 'imagenet'."
            )
