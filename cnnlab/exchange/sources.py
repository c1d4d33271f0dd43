"""Which tool a file or folder is of, and the runs in it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from cnnlab.errors import UnknownNameError
from cnnlab.exchange.beside import Noted, has_csv_files, has_event_files, other_stores, other_tools
from cnnlab.exchange.csv_source import CsvSource, csv_files
from cnnlab.exchange.csv_table import SUFFIXES
from cnnlab.exchange.found import ImportRunsError, Source
from cnnlab.exchange.keras_tuner_source import ORACLE, TRIAL, KerasTunerSource, is_search
from cnnlab.exchange.mlflow_database import DATABASE, MLflowDatabase, databases_in, is_database
from cnnlab.exchange.mlflow_database import SUFFIXES as DATABASE_SUFFIXES
from cnnlab.exchange.mlflow_files import STORE_OF_FILES, MLflowFiles, is_file_store
from cnnlab.exchange.tensorboard_folders import MARK, has_events
from cnnlab.exchange.tensorboard_source import TensorBoardSource
from cnnlab.exchange.unpacking import is_zip, unpacked
from cnnlab.runs.origin import TOOLS


@contextmanager
def opened(
    path: Path, workplace: Path, tool: str | None = None, columns: Mapping[str, str] | None = None
) -> Iterator[Source]:
    """Give the runs of a file, a folder or a zip of such.

    Args:
        workplace: Where a zip is unpacked meanwhile.
        tool: A key of `TOOLS`; found out when left out.
        columns: Roles of columns of a CSV file; see `cnnlab.exchange.csv_columns`.

    Raises:
        ImportRunsError: there is no such file, it is unsafe, or holds no runs of a tool that is known.
        UnknownNameError: `tool` is none.
        ConfigError: a role or a column is unknown.
    """
    if tool is not None and tool not in TOOLS:
        raise UnknownNameError("format", tool, TOOLS)
    path = Path(path).expanduser()
    if not path.exists():
        raise ImportRunsError(
            f"There is no file or folder {str(path)!r}. Expected runs of another tool. Check the path."
        )
    if is_zip(path):
        with unpacked(path, workplace) as folder:
            yield source_of(folder, tool, columns)
    else:
        yield source_of(path, tool, columns)


def source_of(path: Path, tool: str | None = None, columns: Mapping[str, str] | None = None) -> Source:
    """Return the runs of a file or folder; raises `ImportRunsError` where it holds none."""
    try:
        found = tool or tool_of(path)
        if found is None:
            raise ImportRunsError(_nothing(path))
        source = _SOURCES[found](path, columns or {})
    except PermissionError as error:
        raise ImportRunsError(
            f"{str(path)!r} cannot be read: {error.strerror}. Expected a file or folder of yours. Check who owns it."
        ) from None
    if not source.run_keys():
        raise ImportRunsError(
            f"{path.name!r} holds no runs of {TOOLS[found]}. Expected {_EXPECTED[found]}. Choose another file or folder"
            f"{', or leave the format out' if tool else ''}."
        )
    more = _others(path, found, is_told=tool is not None)
    return Noted(source, more) if more else source


def _others(path: Path, tool: str, *, is_told: bool) -> list[str]:
    """Return what is to be said of runs that lie there too; where a person told the format, of that alone."""
    if not path.is_dir():
        return []
    stores = other_stores(path) if tool == "mlflow" else []
    names = list(_FOLDERS)
    rest = [] if is_told else [name for name in names[names.index(tool) + 1 :] if _GLANCES[name](path)]
    return [*stores, other_tools(rest)] if rest else stores


def tool_of(path: Path) -> str | None:
    """Return the tool that wrote a file or folder, None where it is of none that is known.

    A search of Keras Tuner comes first, for it may hold event files of its trials.
    """
    if path.is_file():
        return _tool_of_file(path)
    for tool, is_its in _FOLDERS.items():
        if is_its(path):
            return tool
    return "mlflow" if (path / DATABASE).is_file() else None


def _tool_of_file(path: Path) -> str | None:
    if is_database(path) or path.suffix in DATABASE_SUFFIXES:  # what is damaged is said when it is opened
        return "mlflow"
    if path.name in (ORACLE, TRIAL):
        return "keras-tuner"
    if MARK in path.name:
        return "tensorboard"
    return "csv" if path.suffix.lower() in (*SUFFIXES, ".txt") else None


def _mlflow(path: Path, _columns: Mapping[str, str]) -> Source:
    if path.is_file():
        return MLflowDatabase(path)
    databases = databases_in(path)
    if databases:
        return MLflowDatabase(databases[0])
    inside = path / STORE_OF_FILES
    files = MLflowFiles(inside if inside.is_dir() else path)
    if not files.run_keys() and (path / DATABASE).is_file():
        return MLflowDatabase(path / DATABASE)  # says what is wrong with it
    return files


def _keras_tuner(path: Path, _columns: Mapping[str, str]) -> Source:
    folder = path.parent if path.is_file() else path
    return KerasTunerSource(folder.parent if path.name == TRIAL else folder)


def _is_mlflow(folder: Path) -> bool:
    return bool(databases_in(folder)) or is_file_store(folder) or is_file_store(folder / STORE_OF_FILES)


_FOLDERS: dict[str, Callable[[Path], bool]] = {
    "keras-tuner": is_search,
    "mlflow": _is_mlflow,
    "tensorboard": has_events,
    "csv": lambda folder: bool(csv_files(folder)),
}
# Whether there are runs of further tools, by looks that take no time.
_GLANCES: dict[str, Callable[[Path], bool]] = {
    "mlflow": _is_mlflow,
    "tensorboard": has_event_files,
    "csv": has_csv_files,
}
_SOURCES: dict[str, Callable[[Path, Mapping[str, str]], Source]] = {
    "tensorboard": lambda path, _columns: TensorBoardSource(path),
    "mlflow": _mlflow,
    "csv": lambda path, columns: CsvSource(path, columns),
    "keras-tuner": _keras_tuner,
}
_EXPECTED = {
    "tensorboard": "a folder with event files, whose names hold 'tfevents'",
    "mlflow": "an 'mlflow.db', or a folder 'mlruns'",
    "csv": "a CSV file, or a folder of such",
    "keras-tuner": "a folder with 'oracle.json' and 'trial_0/trial.json'",
}


def _nothing(path: Path) -> str:
    known = "; ".join(f"{TOOLS[tool]}: {expected}" for tool, expected in _EXPECTED.items())
    return f"{path.name!r} holds no runs of a tool that is known. Expected one of these. {known}."
