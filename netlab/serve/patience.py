"""How long a running server lets clients stall, changed by its supervisor: for whom it accepts from then on."""

from __future__ import annotations

import json
from contextlib import suppress

from netlab.topics.contract import Server

NO_LIMIT = 2_000_000.0
"""Seconds that stand for no limit: 23 days. A socket takes no more (poll(2) counts milliseconds in an int)."""
LIMITS = ("patience", "first_byte")
"""The attributes of a server that limit how long it waits for a client."""


class Patience:
    """The limits of one server. Without a limit for all, each of them is as the server was made, or as was asked."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._usual: dict[str, float] = {name: getattr(server, name) for name in LIMITS if hasattr(server, name)}

    def hear(self, line: bytes) -> None:
        """A supervisor's request: ``{"request": "patience", "seconds": 30, "suspended": false}``.

        While ``suspended``, a person holds what clients send, and silence is not theirs.
        """
        with suppress(ValueError, TypeError, AttributeError):
            asked = json.loads(line)
            if asked.get("request") != "patience" or "patience" not in self._usual:
                return
            if (seconds := asked.get("seconds")) is not None:
                self._usual["patience"] = min(float(seconds), NO_LIMIT)
            for name, usual in self._usual.items():
                setattr(self._server, name, NO_LIMIT if asked.get("suspended") else usual)
