"""Where the person's own files live: configuration and history, by the platform's custom."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def _folder(variable: str, posix: str, mac: str) -> Path:
    if value := os.environ.get(variable):
        return Path(value) / "netlab"
    if sys.platform == "darwin":
        return Path.home() / "Library" / mac / "netlab"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData/Local") / "netlab"
    return Path.home() / posix / "netlab"


def config_file() -> Path:
    """The person's ``config.toml``, whether or not it is there. ``XDG_CONFIG_HOME`` is respected everywhere."""
    return _folder("XDG_CONFIG_HOME", ".config", "Application Support") / "config.toml"


def history_file(topic: str) -> Path:
    """Where the console of a topic keeps its lines. ``XDG_DATA_HOME`` is respected everywhere."""
    return _folder("XDG_DATA_HOME", ".local/share", "Application Support") / "history" / f"{topic}.txt"
