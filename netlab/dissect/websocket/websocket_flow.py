"""WebSocket along a connection: frames, unmasked; messages in several frames put together; compressed ones unpacked."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from netlab.capture.model import Direction
from netlab.dissect.field_reader import FieldReader
from netlab.dissect.fields import Derived, Field
from netlab.dissect.flow import Run
from netlab.dissect.framed.framed_flow import FramedFlow, FramedMessage, NoMessage, count_bytes
from netlab.dissect.websocket.message_inflater import WINDOW, MessageInflater
from netlab.dissect.websocket.websocket_frame import (
    CLOSE,
    CONTINUATION,
    OPCODES,
    TEXT,
    Header,
    read_header,
    unmasked,
)

MOST_KEPT = 1 << 16
"""Bytes of a message in several frames that are put together."""
SHOWN = 200
CLOSE_CODES = {
    1000: "normal closure",
    1001: "going away",
    1002: "protocol error",
    1003: "unsupported data",
    1005: "no status",
    1006: "abnormal closure",
    1007: "invalid text",
    1008: "policy violation",
    1009: "message too big",
    1010: "extension missing",
    1011: "internal error",
    1012: "service restart",
    1013: "try again later",
    1014: "bad gateway",
    1015: "TLS handshake",
}


@dataclass(slots=True)
class _BegunMessage:
    """A message of which some frames have come."""

    opcode: int
    compressed: bool
    data: bytearray = field(default_factory=bytearray)
    length: int = 0
    came_from: int = 0
    problem: str = ""

    def add(self, data: bytes, came_from: int) -> None:
        """A further part."""
        self.data += data[: max(MOST_KEPT - len(self.data), 0)]
        self.length += len(data)
        self.came_from += came_from


@dataclass(slots=True)
class _Way:
    """What one direction's frames so far mean for the next."""

    begun: _BegunMessage | None = None
    inflater: MessageInflater = field(default_factory=MessageInflater)


class WebSocketFlow(FramedFlow):
    """One connection, after its upgrade."""

    def __init__(self) -> None:
        super().__init__()
        self._ways = {way: _Way() for way in Direction}

    def read(self, reader: FieldReader, run: Run) -> FramedMessage:
        """The next frame."""
        header = read_header(reader)
        way = self._ways[run.direction]
        to_server = run.direction is Direction.TO_SERVER
        if self.in_a_gap(run.direction) and bool(header.key) is not to_server:
            raise NoMessage("clients mask their frames, servers do not")
        if header.opcode == CONTINUATION and way.begun is None and not self.in_a_gap(run.direction):
            raise NoMessage("a WebSocket frame continues a message that has not begun")
        end = header.body + header.length
        payload = reader.data[reader.skip(header.length) : end]
        data = unmasked(payload, header.key) if header.key else bytes(payload)
        control = header.opcode >= CLOSE
        message = (
            _frame(header, end, data, _control(header, data), "") if control else _read_data(header, end, data, way)
        )
        if bool(header.key) is to_server:
            return message
        summary = f"{message.summary} ({'a client must mask it' if to_server else 'only a client may mask it'})"
        return FramedMessage(replace(message.field, value=summary), summary)

    def begun(self, reader: FieldReader, run: Run) -> str:
        """The name of the frame."""
        return f"{OPCODES.get(reader.data[reader.at] & 15, 'a')} frame"

    def pass_by(self, reader: FieldReader, run: Run, length: int) -> None:
        """A long frame is not put together with others, nor unpacked."""
        super().pass_by(reader, run, length)
        header, way = read_header(reader), self._ways[run.direction]
        if header.opcode != CONTINUATION or way.begun is None:
            way.begun = _BegunMessage(header.opcode, header.compressed)
        way.begun.add(b"", header.length)
        way.begun.problem = "too long to be put together"
        if way.begun.compressed:
            way.inflater.forget()
        if header.final:
            way.begun = None

    def miss(self, direction: Direction) -> None:
        """Neither the message that began nor those before it are known."""
        super().miss(direction)
        self._ways[direction].begun = None
        self._ways[direction].inflater.forget()


def _read_data(header: Header, end: int, data: bytes, way: _Way) -> FramedMessage:
    """A data frame: a message, or a part of one."""
    begun = way.begun
    first = header.opcode != CONTINUATION
    if first or begun is None:
        begun = _BegunMessage(header.opcode, header.compressed)
    problem, unpacked = "", data
    if begun.compressed and not begun.problem:
        unpacked, problem = way.inflater.unpack(data, header.final)
    begun.add(unpacked, header.length)
    begun.problem = begun.problem or problem
    way.begun = None if header.final else begun
    words = f"{OPCODES[begun.opcode]} " if begun.opcode != CONTINUATION else "continuation "
    inner = [] if begun.compressed else [_content(begun.opcode, data, 0)]
    if begun.compressed and unpacked:
        buffer = Derived("unpacked", unpacked, len(data) + WINDOW)  # messages before it are part of it
        inner.append(_within(buffer, begun.opcode, "unpacked"))
    said = _shown(begun.opcode, unpacked) if unpacked or not problem else problem
    if first and header.final:
        return _frame(header, end, data, tuple(inner), words + said, begun.problem)
    if not header.final:
        return _frame(header, end, data, tuple(inner), f"{words}part: {said}", begun.problem)
    whole = Derived("message", bytes(begun.data), begun.came_from + WINDOW, begun.length - len(begun.data))
    inner.append(_within(whole, begun.opcode, "put together"))
    return _frame(header, end, data, tuple(inner), words + _shown(begun.opcode, bytes(begun.data)), begun.problem)


def _frame(
    header: Header, end: int, data: bytes, inner: tuple[Field, ...], summary: str, problem: str = ""
) -> FramedMessage:
    """A frame's field. What lies within a masked payload lies in a buffer."""
    name = OPCODES[header.opcode]
    children = header.fields
    summary = summary or " ".join([name, *(part.value for part in inner if part.value)])
    if header.length:
        value = problem or (count_bytes(header.length) + (", masked" if header.key else ""))
        if header.key:
            buffer = Derived("unmasked", data, header.length)
            own, derived = (tuple(each for each in inner if (each.buffer is None) is mine) for mine in (True, False))
            clear = Field("unmasked", 0, len(data), "bytes", count_bytes(len(data)), own, buffer=buffer)
            inner = (clear, *derived)
        else:
            inner = tuple(_moved(part, header.body) for part in inner)
        children = (*children, Field("payload", header.body, end, "bytes", value, inner))
    return FramedMessage(Field(f"{name} frame", header.start, end, "frame", summary, children), summary)


def _moved(part: Field, by: int) -> Field:
    if part.buffer is not None:
        return part
    return Field(part.name, part.start + by, part.end + by, part.kind, part.value)


def _within(buffer: Derived, opcode: int, name: str) -> Field:
    content = _content(opcode, buffer.data, buffer.cut)
    return Field(name, 0, len(buffer.data), content.kind, content.value, buffer=buffer)


def _content(opcode: int, data: bytes, cut: int) -> Field:
    more = f" (and {cut:,} bytes more)" if cut else ""
    kind = "text" if opcode == TEXT else "bytes"
    return Field(kind, 0, len(data), kind, _shown(opcode, data) + more)


def _shown(opcode: int, data: bytes) -> str:
    """A payload in a line."""
    if opcode == TEXT:
        text = data[: 4 * SHOWN].decode("utf-8", "backslashreplace")
        return text[:SHOWN] + (f"… ({count_bytes(len(data))})" if len(text) > SHOWN or len(data) > 4 * SHOWN else "")
    return count_bytes(len(data)) + (f" {data[:16].hex(' ')}" if data else "") + ("…" if len(data) > 16 else "")


def _control(header: Header, data: bytes) -> tuple[Field, ...]:
    """What a close, ping or pong says."""
    if not data:
        return ()
    if header.opcode != CLOSE:
        return (Field("text", 0, len(data), "text", _shown(TEXT, data)),)
    if len(data) < 2:
        return (Field("code", 0, len(data), "bytes", f"cut off: {data.hex()}"),)
    code = int.from_bytes(data[:2], "big")
    name = CLOSE_CODES.get(code, "for applications" if 3000 <= code < 5000 else "unknown")
    fields = (Field("code", 0, 2, "u16", f"{code} {name}"),)
    return (*fields, Field("reason", 2, len(data), "text", _shown(TEXT, data[2:]))) if len(data) > 2 else fields
