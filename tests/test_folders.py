"""A person's files lie where the platform has them, and netlab finds again what it wrote before."""

import subprocess
import sys
from pathlib import Path

import platformdirs
import pytest
from platformdirs.macos import MacOS
from platformdirs.unix import Unix

from netlab import folders
from netlab.certificates import certs


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "NETLAB_CERTIFICATES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def found() -> list[Path]:
    return [folders.config_file(), folders.history_file("tcp"), folders.certificates_folder()]


def test_on_linux(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platformdirs, "PlatformDirs", Unix)
    data = home / ".local/share/netlab"
    assert found() == [home / ".config/netlab/config.toml", data / "history/tcp.txt", data / "certs"]
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "c"))
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "d"))
    data = home / "d/netlab"
    assert found() == [home / "c/netlab/config.toml", data / "history/tcp.txt", data / "certs"]


def test_on_macos(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platformdirs, "PlatformDirs", MacOS)
    support = home / "Library/Application Support/netlab"
    assert found() == [support / "config.toml", support / "history/tcp.txt", support / "certs"]
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "d"))
    assert found() == [support / "config.toml", home / "d/netlab/history/tcp.txt", home / "d/netlab/certs"]


@pytest.mark.parametrize("value", ["", "relative"])
def test_no_variable_makes_a_relative_path(home: Path, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "LOCALAPPDATA", "APPDATA"):
        monkeypatch.setenv(name, value)
    assert all(path.is_absolute() for path in found())


def test_certificates_are_there_where_there_is_no_checkout(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certs, "__file__", str(home / "lib/netlab/certificates/certs.py"))
    assert certs.default_folder() == folders.certificates_folder()


def test_no_start_waits_for_the_folders() -> None:
    code = (
        "import sys, netlab.commands.serve, netlab.commands.app, netlab.folders; print('platformdirs' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"
