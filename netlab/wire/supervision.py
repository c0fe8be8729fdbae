"""JSON lines between the wire and the lab that supervises it: facts out, requests in.

One object per line, each written by a single ``os.write``. It reads and writes two descriptors and touches no flow.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from netlab.capture.model import Direction, Endpoint
from netlab.wire.facts import (
    Answered,
    Captured,
    CaptureReplaced,
    Fact,
    FaultsChanged,
    FlowClosed,
    FlowOpened,
    FlowsMeasured,
    InterceptChanged,
    ListenFailed,
    Listening,
    Paused,
    SegmentFreed,
    SegmentHeld,
    Synced,
    TargetAbsent,
    Troubled,
)
from netlab.wire.impairment.intercept import LONGEST_EDIT
from netlab.wire.live_wire import GONE, LiveWire

LONGEST_LINE: Final = 1 << 16
"""Bytes of a request; a longer one is cut."""

FLOWS_A_LINE: Final = 300
LONGEST_FATE: Final = 100

Message = Mapping[str, object]
Opened = tuple[int, str, int, str, int, int]
"""A flow's number, its client's host and port, host and port that the server sees instead, and the time."""
Closed = tuple[int, int, str, bool, bool]
"""A flow's number, when and how it ended, whether a fault ended it, and whether the server could not be reached."""


class Reporter:
    """Writes facts as JSON lines. Trouble goes along with the capture's note: the lab shows both.

    Flows are gathered, and written before the next line about the capture.
    """

    def __init__(self, file: int, ended: Callable[[], None]) -> None:
        self._file, self._ended = file, ended
        self._trouble = ""
        self._opened: list[Opened] = []
        self._closed: list[Closed] = []

    def report(self, fact: Fact) -> None:
        """Write what the lab needs, or keep it for the next line about flows."""
        match fact:
            case Troubled(text):
                self._trouble = text
            case FlowOpened(number, client, upstream, time_ns):
                self._opened.append((number, *client, *upstream, time_ns))
            case FlowClosed(number):
                self._closed.append((number, fact.time_ns, fact.how, fact.by_fault, fact.unreached))
            case Captured():
                self._write_flows()
        message = self._message(fact)
        if message is not None:
            self._write(message)

    def _write_flows(self) -> None:
        """What began, then what ended, since the last time."""
        while self._opened or self._closed:
            opened, self._opened = self._opened[:FLOWS_A_LINE], self._opened[FLOWS_A_LINE:]
            closed = [] if self._opened else self._closed[:FLOWS_A_LINE]
            self._closed = self._closed[len(closed) :]
            self._write({"event": "flows", "opened": opened, "closed": closed})

    def _write(self, message: Message) -> None:
        try:
            os.write(self._file, json.dumps(message, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
        except BrokenPipeError:
            self._ended()

    def _message(self, fact: Fact) -> Message | None:
        match fact:
            case Captured(length, tally, note, files):
                accounts = {name: getattr(tally, name) for name in tally.__match_args__}
                return {
                    "event": "captured",
                    "length": length,
                    "accounts": accounts,
                    "note": note,
                    "trouble": self._trouble,
                    "files": files,
                }
            case Listening():
                self._trouble = ""
                return {"event": "listening", "host": fact.address.host, "port": fact.address.port}
            case ListenFailed(address, number, text):
                return {"event": "failed", "errno": number, "text": text, "host": address.host, "port": address.port}
            case Paused():
                return {"event": "paused"}
            case TargetAbsent(target):
                return {"event": "absent", "host": target.host, "port": target.port}
            case Synced(number):
                return {"event": "synced", "id": number}
            case FlowsMeasured(rows):
                return {"event": "measured", "flows": rows}
            case CaptureReplaced(file):
                return {"event": "replaced", "file": file}
            case FaultsChanged(active, problem):
                return {"event": "faults", "active": active, "problem": problem}
            case InterceptChanged(text):
                return {"event": "intercept", "filter": text}
            case SegmentHeld():
                return _held(fact)
            case SegmentFreed(numbers):
                return {"event": "freed", "ids": numbers}
            case Answered(problem):
                return {"event": "answered", "problem": problem}
            case FlowOpened() | FlowClosed() | Troubled():
                return None


class Requests:
    """Reads requests and hands them to the wire. ``ended`` is called when no more can come."""

    def __init__(self, file: int, wire: LiveWire, ended: Callable[[], None]) -> None:
        self._file, self._wire, self._ended = file, wire, ended
        self._rest = b""
        self._table: dict[object, Callable[[Message], object]] = {
            "target": lambda message: wire.aim(_endpoint(message)),
            "listen": lambda message: wire.listen(_endpoint(message)),
            "pause": lambda message: wire.pause(),
            "drop-flows": lambda message: wire.drop_flows(str(message.get("why", GONE))[:LONGEST_FATE]),
            "sync": lambda message: wire.sync(message["id"]),
            "measure": lambda message: wire.measure(_numbers(message["flows"])),
            "capture-new-flows": lambda message: wire.capture_new_flows(message["on"] is True),
            "restart-capture": lambda message: wire.restart_capture(str(message["file"])),
            "faults": _impair(wire),
            "intercept": lambda message: wire.intercept(str(message["filter"])),
            "release": lambda message: wire.release(None if message["id"] is None else _number(message, "id")),
            "drop": lambda message: wire.drop(_number(message, "id")),
            "edit": lambda message: wire.edit(_number(message, "id"), _payload(message)),
            "replay": lambda message: wire.replay(
                _number(message, "flow"), Direction(message["direction"]), _payload(message)
            ),
        }

    def ready(self, mask: int) -> None:
        """Something can be read: requests, or the end of them."""
        got = os.read(self._file, LONGEST_LINE)
        if not got:
            self._ended()
            return
        *lines, rest = (self._rest + got).split(b"\n")
        self._rest = rest[:LONGEST_LINE]
        for line in lines:
            self._do(line)

    def _do(self, line: bytes) -> None:
        """Carry out one request. Anything else is reported on stderr, for people who write a lab of their own."""
        try:
            message = json.loads(line)
            self._table[message["request"]](message)
        except (ValueError, KeyError, TypeError, OSError) as error:
            os.write(2, f"not a request ({error!r}): {line[:200]!r}\n".encode())


def _held(fact: SegmentHeld) -> Message:
    return {
        "event": "held",
        "id": fact.number,
        "flow": fact.flow,
        "host": fact.client.host,
        "port": fact.client.port,
        "direction": fact.direction.value,
        "time_ns": fact.time_ns,
        "payload": base64.b64encode(fact.payload).decode(),
        "edited": fact.edited,
    }


def _number(message: Message, name: str) -> int:
    value = message[name]
    if not isinstance(value, int):
        raise TypeError(name)
    return value


def _numbers(value: object) -> Iterator[int]:
    if not isinstance(value, list):
        raise TypeError("flows")
    return (number for number in value[:FLOWS_A_LINE] if isinstance(number, int))


def _payload(message: Message) -> bytes:
    """Bytes for the wire, from a file, because a request is short; at most one more than allowed."""
    with Path(str(message["file"])).open("rb") as file:
        return file.read(LONGEST_EDIT + 1)


def _endpoint(message: Message) -> Endpoint:
    host, port = message["host"], message["port"]
    if not isinstance(host, str) or not isinstance(port, int):
        raise TypeError("host and port")
    return Endpoint(host, port)


def _impair(wire: LiveWire) -> Callable[[Message], None]:
    def impair(message: Message) -> None:
        specs, seed = message["specs"], message.get("seed", 0)
        if not isinstance(specs, list) or not isinstance(seed, int):
            raise TypeError("specs and seed")
        wire.impair(map(str, specs), seed)

    return impair
