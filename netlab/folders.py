"""Where a person's own files live, by the platform's custom: configuration, history, ports, certificates.

`platformdirs` knows the custom, and the ``XDG_`` variables. It is imported when a folder is first asked for.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from platformdirs.api import PlatformDirsABC


def config_file() -> Path:
    """The person's ``config.toml``, whether or not it exists."""
    return _folders().user_config_path / "config.toml"


def history_file(topic: str) -> Path:
    """Where the console of a topic keeps its lines."""
    return _folders().user_data_path / "history" / f"{topic}.txt"


def ports_file() -> Path:
    """Where the ports are kept at which wires listened last."""
    return _folders().user_state_path / "ports.json"


def protocols_file() -> Path:
    """Where the protocols are kept that the person chose for ports."""
    return _folders().user_state_path / "protocols.json"


def certificates_folder() -> Path:
    """Where the lab's certificates are, outside a checkout."""
    return _folders().user_data_path / "certs"


def _folders() -> PlatformDirsABC:
    import platformdirs

    return platformdirs.PlatformDirs("netlab", appauthor=False)
