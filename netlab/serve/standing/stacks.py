"""Where a thread or a task stands, by its stack, and whose connection it serves.

Read while the code runs on: nothing of the server is called, changed or kept. A stack is its frames from the innermost.
"""

from __future__ import annotations

import selectors
import socket
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from types import CodeType, FrameType
from typing import Any

from netlab.serve.standing.source_files import SourceFiles

MOST_FRAMES = 200
"""How many frames of a stack are looked at, from the innermost."""
CLIENT_ADDRESS = "client_address"
"""What `socketserver` calls a client's address: an attribute of its handlers, a parameter of its methods."""
_WAITS_FOR_ANY = frozenset({(socket.__file__, "accept"), (selectors.__file__, "select")})
"""Where a thread waits for any client. What its variables say is about the one before."""
_OPTIMIZED = 1  # inspect.CO_OPTIMIZED: variables in slots, so a function's; `inspect` itself is slow to import

Peer = tuple[str, int]
Place = tuple[str, int, str, str]
"""File, line, class and method. With line 0 the method is one that the class, which stands in the file, inherits."""


@dataclass(frozen=True, slots=True)
class Stack:
    """Where something stands: the innermost line in each file, and the client whose connection its frames hold."""

    places: tuple[Place, ...]
    peer: Peer | None


@dataclass(slots=True)
class _StackSoFar:
    lines: dict[str, Place] = field(default_factory=dict)
    inherited: dict[str, Place] = field(default_factory=dict)
    peer: Peer | None = None
    waits_for_any: bool = False

    @property
    def stack(self) -> Stack:
        places = (*self.lines.values(), *(at for file, at in self.inherited.items() if file not in self.lines))
        return Stack(places, self.peer)


class StackReader:
    """Reads the stacks of a server that listens on a port."""

    def __init__(self, files: SourceFiles, port: int) -> None:
        self._files, self._port = files, port

    def read(self, frames: Iterable[FrameType]) -> Stack:
        """Where it stands, and for whom."""
        reading = _StackSoFar()
        for index, frame in enumerate(islice(frames, MOST_FRAMES)):
            code = frame.f_code
            if not index:
                reading.waits_for_any = (code.co_filename, code.co_name) in _WAITS_FOR_ANY
            file = self._files.name(code.co_filename)
            if file and file not in reading.lines:
                reading.lines[file] = (file, frame.f_lineno or code.co_firstlineno, "", code.co_name)
            if file or _may_say_more(code):
                variables = frame.f_locals
                self._look_at(variables, code, reading)
                _let_go(variables, code)
        return reading.stack

    def _look_at(self, variables: Mapping[str, Any], code: CodeType, reading: _StackSoFar) -> None:
        own = variables.get(code.co_varnames[0]) if code.co_argcount and code.co_varnames[0] == "self" else None
        if own is not None:
            for file, kind in self._files.classes(type(own)):
                known = file in reading.lines or file in reading.inherited
                if not known and any(code.co_name in vars(each) for each in kind.__mro__):
                    reading.inherited[file] = (file, 0, kind.__name__, code.co_name)
        if reading.peer is None and not reading.waits_for_any:
            reading.peer = next(self._peers(variables, code, own), None)

    def _peers(self, variables: Mapping[str, Any], code: CodeType, own: object) -> Iterator[Peer]:
        """The clients whose connections are in a frame's variables, or in the attributes of its ``self``."""
        attributes = _attributes(own)
        address = attributes.get(CLIENT_ADDRESS) or (
            variables.get(CLIENT_ADDRESS) if CLIENT_ADDRESS in _parameters(code) else None
        )
        if (peer := _endpoint(address)) is not None:
            yield peer
        for value in (*list(variables.values()), *attributes.values()):
            if (peer := self._connected(value)) is not None:
                yield peer

    def _connected(self, value: object) -> Peer | None:
        """The client at the other end of a connection that was accepted from the server's port."""
        kind = type(value)  # not isinstance, which asks a proxy what it stands for
        if issubclass(kind, socket.socket):
            with suppress(OSError, ValueError):  # it is closed, or not connected
                here = _endpoint(socket.socket.getsockname(value))  # type: ignore[arg-type]  # it is one
                if here is not None and here[1] == self._port:
                    return _endpoint(socket.socket.getpeername(value))  # type: ignore[arg-type]  # as above
            return None
        asyncio: Any = sys.modules.get("asyncio")
        if asyncio is not None and issubclass(kind, asyncio.StreamWriter | asyncio.BaseTransport):
            connection: Any = value
            with suppress(Exception):  # it may be a class of the server's own, half made
                here = _endpoint(connection.get_extra_info("sockname"))
                if here is not None and here[1] == self._port:
                    return _endpoint(connection.get_extra_info("peername"))
        return None


def outwards(frame: FrameType | None) -> Iterator[FrameType]:
    """The stack of a thread."""
    while frame is not None:
        yield frame
        frame = frame.f_back


def awaited(coroutine: object) -> Iterator[FrameType]:
    """The stack of a task that waits: its coroutine, and what that awaits."""
    found: list[FrameType] = []
    while coroutine is not None and len(found) < MOST_FRAMES:
        kind = next((kind for kind in ("cr", "gi", "ag") if hasattr(coroutine, f"{kind}_frame")), None)
        frame = getattr(coroutine, f"{kind}_frame") if kind else None
        if frame is None:
            break
        found.append(frame)
        coroutine = getattr(coroutine, "gi_yieldfrom" if kind == "gi" else f"{kind}_await")
    yield from reversed(found)


def _may_say_more(code: CodeType) -> bool:
    """Whether a frame of other code may say what inherited it, or whose connection it serves."""
    return code.co_varnames[:1] == ("self",)


def _parameters(code: CodeType) -> tuple[str, ...]:
    return code.co_varnames[: code.co_argcount]


def _attributes(own: object) -> dict[str, Any]:
    try:
        return dict(vars(own)) if own is not None else {}
    except (TypeError, RuntimeError):  # it has none, or they change meanwhile
        return {}


def _let_go(variables: Mapping[str, Any], code: CodeType) -> None:
    """Before Python 3.13 the frame would keep this copy of its variables, and so keep a connection open."""
    if type(variables) is dict and code.co_flags & _OPTIMIZED:
        variables.clear()


def _endpoint(address: object) -> Peer | None:
    match address:
        case (str(host), int(port), *_):
            return host, port
    return None
