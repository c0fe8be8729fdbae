"""Whether the app has a screen. It does not import Textual, so that a command can check first."""

from __future__ import annotations

import os
import sys


def on_a_screen() -> bool:
    """Whether there is a terminal, or a browser behind Textual's web driver."""
    if os.environ.get("TEXTUAL_DRIVER", "").startswith("textual.drivers.web_driver:"):
        return True
    return all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr))
