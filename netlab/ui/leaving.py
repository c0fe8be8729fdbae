"""What would be lost with the app, in a sentence."""

from __future__ import annotations

from collections.abc import Sequence

from netlab.lab.lab import Lab


def lost_with(labs: Sequence[Lab]) -> str:
    """What ends with these labs that a person may want to keep; nothing if there is nothing."""
    clients = sum(session.connected for lab in labs for session in lab.sessions)
    segments = sum(lab.unsaved for lab in labs)
    lost = [_are(clients, "client", "connected")] if clients else []
    lost += [_are(segments, "segment", "not saved")] if segments else []
    return ", ".join(lost)


def _are(count: int, what: str, how: str) -> str:
    return f"{count:,} {what} is {how}" if count == 1 else f"{count:,} {what}s are {how}"
