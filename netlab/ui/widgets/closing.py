"""The message of a pane that the user closes. It knows no pane."""

from __future__ import annotations

from textual.message import Message
from textual.widget import Widget


class PaneClosed(Message):
    """The user closes ``pane``."""

    def __init__(self, pane: Widget) -> None:
        super().__init__()
        self.pane = pane
