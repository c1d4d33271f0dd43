"""The file of a network of one's own: recorded when a run is submitted, copied into its folder when it starts.

Imports no Keras and never runs the file. Pages refuse such configs: whoever reaches a page must
not make this machine run a file.
"""

import hashlib
from pathlib import Path

from cnnlab.architectures.catalogue import LOCAL, get_architecture
from cnnlab.config import ArchitectureConfig, RunConfig
from cnnlab.errors import ConfigError
from cnnlab.files import write_atomic

COPY = "own_model"  # with the file's suffix, in the folder of a run


def refuse_own_file(config: RunConfig) -> None:
    """Raise `ConfigError` where the network, or the source of its first weights, is a file: for pages."""
    if config.transfer.is_file:
        raise ConfigError(
            f"The source of this config is the file {config.transfer.source!r}. Pages open no files of this machine, "
            "as whoever reaches them could open any. Train it with 'python -m cnnlab train'."
        )
    if config.architecture.name in LOCAL:
        raise ConfigError(
            f"The network of this config is the file {config.architecture.parameters['path']!r}. Pages run no files, "
            "as whoever opens them could run any. Train it with 'python -m cnnlab train'."
        )


def recorded(config: RunConfig) -> RunConfig:
    """Return the config with the whole path of its own file and its SHA-256; other configs as they are.

    Raises:
        ConfigError: there is no such file, or it is not the one whose SHA-256 the config has.
    """
    if config.architecture.name not in LOCAL:
        return config
    path = Path(config.architecture.parameters["path"]).expanduser().absolute()
    return _with(config, path, _checked(config, path)[1])


def kept(config: RunConfig, run_dir: Path) -> RunConfig:
    """Return the config with its own file copied into the folder of the run; other configs as they are.

    A copy that is there already, of an attempt before, is taken in place of the file.

    Raises:
        ConfigError: the file has gone or changed since the run was submitted.
    """
    if config.architecture.name not in LOCAL:
        return config
    path = Path(config.architecture.parameters["path"])
    copy = run_dir.absolute() / f"{COPY}{path.suffix.lower()}"
    content, sha256 = _checked(config, copy if copy.is_file() else path)
    if not copy.is_file():
        write_atomic(copy, content)
    return _with(config, copy, sha256)


def _checked(config: RunConfig, path: Path) -> tuple[bytes, str]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"No file {str(path)!r} can be read ({error.strerror}). Expected a .py or .keras file with a network. "
            "Check the path."
        ) from None
    sha256 = hashlib.sha256(content).hexdigest()
    expected = config.architecture.parameters["sha256"]
    if expected and expected != sha256:
        raise ConfigError(
            f"{str(path)!r} is not the file that the config means: its SHA-256 is {sha256[:12]}, not {expected[:12]}. "
            "Bring the file back, or leave sha256 out to take it as it is."
        )
    return content, sha256


def _with(config: RunConfig, path: Path, sha256: str) -> RunConfig:
    entry = get_architecture(config.architecture.name)
    values = {**config.architecture.parameters, "path": str(path), "sha256": sha256}
    parameters = entry.check(values).model_dump()
    return config.model_copy(
        update={"architecture": ArchitectureConfig(name=config.architecture.name, parameters=parameters)}
    )
