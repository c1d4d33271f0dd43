import socket
import tomllib

import pytest

from cnnlab.plots.palette import CATEGORICAL
from dashboard import launcher


def test_a_busy_port_is_said_with_the_way_out():
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        with pytest.raises(launcher.PortBusyError) as error:
            launcher.check_port(port, "127.0.0.1")
    assert str(error.value) == (
        f"Port {port} on 127.0.0.1 is in use, perhaps by a dashboard that already runs: "
        f"open http://127.0.0.1:{port}. Or choose another port with '--port {port + 1}'."
    )


def test_a_free_port_is_fine():
    launcher.check_port(0, "127.0.0.1")


def test_settings_hold_the_theme_from_any_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = launcher.settings(8765, "127.0.0.1", open_browser=False)
    assert settings["server.port"] == 8765
    assert settings["server.headless"] is True
    assert settings["server.fileWatcherType"] == "none"
    assert settings["runner.postScriptGC"] is False
    assert settings["browser.gatherUsageStats"] is False
    # Streamlit's own offers would lie over the form.
    assert settings["logger.hideWelcomeMessage"] is True
    assert {"theme.light.primaryColor", "theme.dark.primaryColor"} <= set(settings)


def test_every_setting_is_known_to_streamlit():
    from streamlit import config

    known = config.get_config_options()
    assert [name for name in launcher.settings(1, "127.0.0.1", True) if name not in known] == []


def test_charts_use_the_palette_of_the_plots():
    theme = tomllib.loads(launcher.CONFIG.read_text(encoding="utf-8"))["theme"]
    assert tuple(theme["chartCategoricalColors"]) == CATEGORICAL
