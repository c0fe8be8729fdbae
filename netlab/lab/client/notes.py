"""What a client says between the lines, on its way into the transcript."""

from __future__ import annotations

import logging
from collections.abc import Callable


class Notes(logging.Logger):
    """A client's ``log``: called with a sentence, or used as a logger. It is in no hierarchy and prints nothing."""

    def __init__(self, say: Callable[[str], None]) -> None:
        super().__init__("netlab.client", logging.DEBUG)
        self._say = say

    def __call__(self, text: str) -> None:
        """Say a sentence."""
        self._say(text)

    def handle(self, record: logging.LogRecord) -> None:
        """Say what was logged."""
        self._say(record.getMessage())
