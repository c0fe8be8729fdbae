"""Saves and restores the terminal's modes, and reopens it. Without termios it does nothing."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import Any

Modes = list[Any]
"""The result of ``termios.tcgetattr``."""


def modes_of(terminal: int) -> Modes | None:
    """The modes; None if it is not a terminal."""
    if sys.platform != "win32":
        import termios

        with suppress(termios.error):
            return termios.tcgetattr(terminal)
    return None


def restore(terminal: int, modes: Modes) -> None:
    """Restore the modes; do nothing if the terminal is gone."""
    if sys.platform != "win32":
        import termios

        with suppress(termios.error):
            termios.tcsetattr(terminal, termios.TCSANOW, modes)


def discard_output(terminal: int) -> None:
    """Discard output that the terminal has not read."""
    if sys.platform != "win32":
        import termios

        termios.tcflush(terminal, termios.TCOFLUSH)


def reopened(terminal: int) -> int:
    """A new, non-blocking descriptor of the same terminal. Raises `OSError` if the terminal has no name."""
    if sys.platform != "win32":
        return os.open(os.ttyname(terminal), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
    raise OSError("a Windows console has no name")
