"""The text of calls, results and errors in a transcript: as a Python prompt shows them, bounded, and explained.

It knows no session. All text from here is safe for the screen.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Collection

from netlab.dissect.text import safe
from netlab.lab.client.cancellable_socket import Abandoned
from netlab.lab.errors import LabError
from netlab.topics.client_call import Call

LIMIT = 4000
HIDDEN = "••••"

# What an error means for the person at the console. The first match counts: subclasses before classes.
_MEANINGS: tuple[tuple[type[BaseException], str], ...] = (
    (Abandoned, "you stopped waiting; the connection is still open, and the answer may still come"),
    (ConnectionRefusedError, "nothing listens there: the server is stopped, or it has another port"),
    (ConnectionResetError, "the other side reset the connection (RST): it was stopped, it crashed, or it closed"
     " before it had read all your bytes"),
    (BrokenPipeError, "you sent on a connection that the other side had already closed"),
    (ConnectionAbortedError, "this side gave the connection up"),
    (TimeoutError, "no answer came in time; :timeout SECONDS sets how long a call waits"),
    (EOFError, "the other side closed the connection before the answer was complete"),
)  # fmt: skip
_NUMBERS = {
    errno.EMSGSIZE: "that is more than one datagram carries (65,507 bytes over IPv4)",
    errno.EBADF: "this connection is closed; :connect opens one",
    errno.ENOTCONN: "this connection is closed; :connect opens one",
    errno.EPIPE: _MEANINGS[3][1],
    errno.ENETUNREACH: "there is no route to that address",
    errno.EHOSTUNREACH: "there is no route to that address",
}


_USUAL = (bytes.__repr__, bytearray.__repr__, str.__repr__)
"""Of these, a part is shown as the whole would be; a subclass may show itself otherwise, as in lines."""


def shown(value: object, limit: int = LIMIT) -> str:
    """``repr`` of a value, safe, and cut to ``limit`` characters with the count of what was left out."""
    if isinstance(value, bytes | bytearray | str) and type(value).__repr__ in _USUAL:
        unit = "characters" if isinstance(value, str) else "bytes"
        return _fitting(lambda count: safe(repr(value[:count])), len(value), limit, unit)
    try:
        text = repr(value)
    except Exception as error:  # noqa: BLE001 - a foreign object's __repr__ may raise anything
        text = f"<{type(value).__name__} whose repr raised {type(error).__name__}>"
    return cut(text, limit)


def cut(text: str, limit: int = LIMIT) -> str:
    """Text made safe (lines are kept), cut to ``limit`` characters with the count of the rest."""
    return _fitting(lambda count: safe(text[:count], keep="\n"), len(text), limit, "characters")


def _fitting(made: Callable[[int], str], total: int, limit: int, unit: str) -> str:
    """The text of as many of ``total`` items as fit into ``limit`` characters, including the count of the rest.

    So a text that was cut is never cut again, and its count stays right.
    """
    if total <= limit and len(text := made(total)) <= limit:
        return text
    room = max(limit - len(f" … {total:,} more {unit}"), 1)
    count = min(total, room)
    while len(text := made(count)) > room and count > 1:
        count = max(count * room // len(text), 1)
    return f"{text} … {total - count:,} more {unit}"


def written(call: Call, variable: str) -> str:
    """A call as the transcript shows it: ``s.send(b'Hello')``."""
    return f"{variable}.{spelt(call)}"


def spelt(call: Call) -> str:
    """A call without the variable: ``send(b'Hello')``."""
    each = LIMIT * 9 // 10 // max(len(call.arguments) + len(call.keywords), 1)
    words = [shown(value, each) for value in call.arguments]
    words += [f"{name}={shown(value, each)}" for name, value in call.keywords]
    return cut(f"{call.name}({', '.join(words)})", LIMIT - 40)  # the variable comes before it


def constructed(address: tuple[str, int], options: dict[str, object], secrets: Collection[str]) -> str:
    """The construction of a client as the transcript shows it, without secrets."""
    words = [repr(address)]
    words += [f"{name}={HIDDEN if name in secrets else shown(value, 80)}" for name, value in options.items()]
    return f"Client({', '.join(words)})"


def progress(done: int, total: int, seconds: float) -> str:
    """The progress of a call: ``512 MiB of 1.0 GiB · 800 MiB/s``. Takes bytes and seconds."""
    rate = f" · {_amount(done / seconds)}/s" if seconds > 0 else ""
    return f"{_amount(done)} of {_amount(total)}{rate}"


def _amount(count: float) -> str:
    """A number of bytes for people: ``512 MiB``."""
    for unit in ("bytes", "KiB", "MiB"):
        if count < 1024:
            return f"{count:,.0f} {unit}"
        count /= 1024
    return f"{count:,.1f} GiB"


def error_line(error: BaseException) -> str:
    """An exception as the last line of a traceback: ``ConnectionResetError: [Errno 104] Connection reset by peer``."""
    if isinstance(error, LabError):
        return str(error)
    text = cut(str(error), LIMIT // 4)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def meaning(error: BaseException) -> str:
    """What the error means, in one sentence; empty if there is nothing to add."""
    for kind, sentence in _MEANINGS:
        if isinstance(error, kind):
            return sentence
    return _NUMBERS.get(error.errno or 0, "") if isinstance(error, OSError) else ""
