"""Starts the dashboard's server in this process, with the settings that make it quick and private."""

import gc
import os
import socket
import tomllib
from pathlib import Path
from typing import Any

from cnnlab.errors import CNNLabError

HERE = Path(__file__).resolve().parent
APP = HERE / "app.py"
CONFIG = HERE.parent / ".streamlit" / "config.toml"


class PortBusyError(CNNLabError):
    """Something else listens on the port."""


def serve(
    port: int = 8501,
    address: str = "127.0.0.1",
    store_root: Path | str | None = None,
    open_browser: bool = True,
) -> None:
    """Serve the dashboard until Ctrl-C; trainings go on after that.

    Raises:
        PortBusyError: something else listens on `port`.
    """
    check_port(port, address)
    if store_root is not None:
        os.environ["CNNLAB_STORE"] = str(Path(store_root).resolve())
    import_heavy_modules()
    from streamlit import config
    from streamlit.web import bootstrap

    options = settings(port, address, open_browser)
    config._main_script_path = str(APP)
    bootstrap.load_config_options(options)
    print(f"CNN Lab is at http://{address}:{port}", flush=True)
    bootstrap.run(str(APP), False, [], options)


def settings(port: int, address: str, open_browser: bool) -> dict[str, Any]:
    """Return Streamlit's options: the project's config file first, then what the caller chose."""
    options = flat_options(tomllib.loads(CONFIG.read_text(encoding="utf-8"))) if CONFIG.is_file() else {}
    options |= {"server.port": port, "server.address": address, "server.headless": not open_browser}
    return options


def flat_options(table: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return `{"theme.light.primaryColor": ...}` from the nested tables of a config file."""
    flat: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, dict):
            flat |= flat_options(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat


def check_port(port: int, address: str) -> None:
    """Raise `PortBusyError` where a server could not listen."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        if os.name == "posix":  # as the server does; elsewhere it would hide a busy port
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            raise PortBusyError(
                f"Port {port} on {address} is in use, perhaps by a dashboard that already runs: "
                f"open http://{address}:{port}. Or choose another port with '--port {port + 1}'."
            ) from None


def import_heavy_modules() -> None:
    """Import what the pages need, then take it out of every later garbage collection."""
    # pyarrow crashes when its first import happens on a script thread.
    import pyarrow.parquet  # noqa: F401

    import dashboard.data  # noqa: F401

    gc.collect()
    gc.freeze()
