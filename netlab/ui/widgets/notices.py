"""The style of notifications: slim, across the foot of the screen, so that they hide little."""

from __future__ import annotations

CSS = """
ToastHolder { align-horizontal: left; }
Toast { width: 100%; max-width: 100%; margin: 0; padding: 0 1; }
"""

COPIED = "Copied. If the clipboard is empty, your terminal does not support OSC 52; w writes a file."
