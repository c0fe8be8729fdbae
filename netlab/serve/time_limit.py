"""What a supervisor changes about a running server: how long it lets clients stall, and whether silence counts."""

from __future__ import annotations

import json
from contextlib import suppress

from netlab.hardening.patience import Patience
from netlab.topics.contract import Server


def obey(server: Server, line: bytes) -> None:
    """A supervisor's request: ``{"request": "patience", "seconds": 30, "suspended": false}``.

    While ``suspended``, a person holds what clients send, and silence is not theirs.
    """
    patience = getattr(server, "patience", None)
    with suppress(ValueError, TypeError, AttributeError):
        asked = json.loads(line)
        if asked.get("request") != "patience" or not isinstance(patience, Patience):
            return
        if (seconds := asked.get("seconds")) is not None:
            patience.seconds = float(seconds)
        if asked.get("suspended"):
            patience.hold()
        else:
            patience.release()
