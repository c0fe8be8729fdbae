"""The terminal's modes, kept and given back, and a descriptor of its own. Without termios nothing is done."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import Any

Modes = list[Any]
"""As ``termios.tcgetattr`` gives them."""


def modes_of(terminal: int) -> Modes | None:
    """Its modes; None for what is no terminal."""
    if sys.platform != "win32":
        import termios

        with suppress(termios.error):
            return termios.tcgetattr(terminal)
    return None


def restore(terminal: int, modes: Modes) -> None:
    """Give it the modes that it had; nothing where it is gone."""
    if sys.platform != "win32":
        import termios

        with suppress(termios.error):
            termios.tcsetattr(terminal, termios.TCSANOW, modes)


def discard_output(terminal: int) -> None:
    """Forget what it has not read yet."""
    if sys.platform != "win32":
        import termios

        termios.tcflush(terminal, termios.TCOFLUSH)


def reopened(terminal: int) -> int:
    """A new descriptor of the same terminal on which writing never waits; raises `OSError` where it has no name."""
    if sys.platform != "win32":
        return os.open(os.ttyname(terminal), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
    raise OSError("a Windows console has no name")
