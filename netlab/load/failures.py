"""The kinds of failure of a request, in words."""

from __future__ import annotations

import errno
from typing import Final

REFUSED: Final = "connection refused"
RESET: Final = "connection reset"
TIMED_OUT: Final = "timed out"
WRONG: Final = "wrong answer"
CLOSED: Final = "the server closed the connection"
NO_DESCRIPTORS: Final = "no descriptors left"
NO_PORTS: Final = "no free port"
NEVER_SENT: Final = "never sent: every client was busy"

_BY_NUMBER: Final = {
    errno.ECONNREFUSED: REFUSED,
    errno.ECONNRESET: RESET,
    errno.EPIPE: RESET,
    errno.ECONNABORTED: RESET,
    errno.ETIMEDOUT: TIMED_OUT,
    errno.EMFILE: NO_DESCRIPTORS,
    errno.ENFILE: NO_DESCRIPTORS,
    errno.EADDRNOTAVAIL: NO_PORTS,
}
LONGEST: Final = 80
"""Characters of a kind."""


def kind_of(error: BaseException) -> str:
    """Which kind of failure an exception is: never the text of a peer."""
    if isinstance(error, TimeoutError):
        return TIMED_OUT
    if isinstance(error, EOFError):
        return CLOSED
    number = error.errno if isinstance(error, OSError) else None
    if number in _BY_NUMBER:
        return _BY_NUMBER[number]
    if isinstance(error, ConnectionResetError | BrokenPipeError):
        return RESET
    if isinstance(error, ConnectionRefusedError):
        return REFUSED
    if isinstance(error, OSError) and error.strerror and number is not None and number > 0:
        return f"{type(error).__name__}: {error.strerror}"[:LONGEST]
    return type(error).__name__
