"""What a server says about each client, once it is accepted and once it is gone. netlab reads these as facts.

A log record whose ``msg`` is one of these, with the client's `name` as its first argument, is an event: whatever the
server logs besides is words. The second argument of the last two says why, in a few words.
"""

from __future__ import annotations

from typing import Any

ACCEPTED = "accepted %s"
CLOSED = "closed %s"  # the client ended, and was served until then
DROPPED = "%s: dropped: %s"  # the client stalled or broke off
REFUSED = "%s: refused: %s"  # the client sent something that the server does not take


class Refused(Exception):
    """The client sent something that the server does not take; the message says what."""


def name(address: tuple[Any, ...]) -> str:
    """A client in the log: ``127.0.0.1:54321`` or ``[::1]:54321``."""
    return f"[{address[0]}]:{address[1]}" if ":" in address[0] else f"{address[0]}:{address[1]}"
