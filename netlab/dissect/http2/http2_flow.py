"""HTTP/2 along a connection: frames, and the headers that lie in them (RFC 9113)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from netlab.capture.model import Direction
from netlab.dissect.field_reader import FieldReader, Short
from netlab.dissect.fields import Derived, Field
from netlab.dissect.flow import Run, lying_in
from netlab.dissect.framed.framed_flow import FramedFlow, FramedMessage, NoMessage, count_bytes
from netlab.dissect.http2 import http2_names as names
from netlab.dissect.http2.header_table import HeaderTable
from netlab.dissect.http2.hpack import Block, read_block

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
MOST_BLOCK = 1 << 16
"""Bytes of a header block in several frames that are put together."""
MOST_ASKED = 200
"""Streams of which the request is remembered."""
_MOST_TARGET = 100
_MOST_SETTINGS = 100
_DEFAULT_LENGTH = 1 << 14
_SHOWN = 48


@dataclass(slots=True)
class _HeaderBlock:
    """A header block of which some frames have come."""

    stream: int
    kind: str
    promised: int
    data: bytearray


@dataclass(frozen=True, slots=True)
class Http2Frame:
    """A frame: its header's fields, and a reader of what it carries."""

    start: int
    kind: int
    flags: int
    stream: int
    header: tuple[Field, ...]
    body: FieldReader

    @property
    def where(self) -> str:
        """Its stream, as it stands in a summary."""
        return f" [{self.stream}]" if self.stream else ""


class Http2Flow(FramedFlow):
    """One connection."""

    def __init__(self) -> None:
        super().__init__()
        self._tables = {way: HeaderTable() for way in Direction}
        self._begun: dict[Direction, _HeaderBlock | None] = dict.fromkeys(Direction)
        self._asked: dict[int, str] = {}

    def read(self, reader: FieldReader, run: Run) -> FramedMessage:
        """The client's preface, or a frame."""
        if run.direction is Direction.TO_SERVER and (begin := bytes(reader.view()[:4])) == PREFACE[: len(begin)]:
            return _preface(reader)
        frame = read_frame(reader, self.in_a_gap(run.direction))
        name, end = names.FRAMES.get(frame.kind, f"type {frame.kind}"), frame.body.end
        fields, words, minor = self._contents(frame, run.direction)
        if frame.body.left:
            fields = (*fields, frame.body.rest("rest"))
        summary = words or f"{name}{frame.where}"
        children = (*frame.header, *fields)
        return FramedMessage(Field(f"{name} frame", frame.start, end, "frame", summary, children), summary, minor)

    def begun(self, reader: FieldReader, run: Run) -> str:
        """The name of the frame."""
        kind = reader.data[reader.at + 3] if reader.left > 3 else -1
        return f"{names.FRAMES.get(kind, 'HTTP/2')} frame"

    def pass_by(self, reader: FieldReader, run: Run, length: int) -> None:
        """Headers in a long frame are not read."""
        super().pass_by(reader, run, length)
        if reader.data[reader.at + 3] in (names.HEADERS, names.PUSH_PROMISE, names.CONTINUATION):
            self._tables[run.direction].forget()
            self._begun[run.direction] = None

    def miss(self, direction: Direction) -> None:
        """Headers that the table had are no longer known."""
        super().miss(direction)
        self._tables[direction].forget()
        self._begun[direction] = None

    def _contents(self, frame: Http2Frame, way: Direction) -> tuple[tuple[Field, ...], str, bool]:
        """What a frame carries, it in words, and whether that is minor."""
        try:
            if frame.kind in (names.HEADERS, names.PUSH_PROMISE, names.CONTINUATION):
                return self._headers(frame, way)
            read = _CONTENTS.get(frame.kind)
            return read(frame) if read is not None else ((), "", False)
        except Short:
            return (), f"{names.FRAMES[frame.kind]}{frame.where} (it is too short)", False

    def _headers(self, frame: Http2Frame, way: Direction) -> tuple[tuple[Field, ...], str, bool]:
        name, promised = names.FRAMES[frame.kind], 0
        before, after = _around(frame)
        if frame.kind == names.PUSH_PROMISE:
            start = frame.body.at
            promised = frame.body.number(4) & 0x7FFFFFFF
            before = (*before, Field("promised stream", start, start + 4, "u32", str(promised)))
        start, end = frame.body.at, frame.body.end
        begun = self._begun[way]
        follows = frame.kind == names.CONTINUATION
        if follows and (begun is None or begun.stream != frame.stream):
            self._tables[way].forget()
            return (), f"{name}{frame.where} of headers whose beginning is missing", False
        if not frame.flags & names.END_HEADERS or (follows and begun is not None):
            begun = begun if follows and begun is not None else _HeaderBlock(frame.stream, name, promised, bytearray())
            if len(begun.data) <= MOST_BLOCK:
                begun.data += frame.body.view()[: MOST_BLOCK + 1 - len(begun.data)]
            self._begun[way] = begun
            piece = frame.body.rest("part of the header block", value=count_bytes(end - start))
            if not frame.flags & names.END_HEADERS:
                return (*before, piece, *after), f"{name}{frame.where} part of the headers", True
            return self._put_together(frame, way, begun, (*before, piece, *after))
        block = read_block(frame.body, self._tables[way])
        words = self._words(name, frame.stream, promised, block, way)
        lines = Field("headers", start, end, "headers", _count(block), tuple(block.fields))
        return (*before, *((lines,) if end > start else ()), *after), words, False

    def _put_together(
        self, frame: Http2Frame, way: Direction, begun: _HeaderBlock, fields: tuple[Field, ...]
    ) -> tuple[tuple[Field, ...], str, bool]:
        """The last frame of a header block."""
        self._begun[way] = None
        if len(begun.data) > MOST_BLOCK:
            self._tables[way].forget()
            return fields, f"{begun.kind}{frame.where} more than {MOST_BLOCK:,} bytes of headers", False
        buffer = Derived("header block", bytes(begun.data), len(begun.data))
        block = read_block(FieldReader(memoryview(bytes(begun.data))), self._tables[way])
        lines = Field("headers", 0, len(begun.data), "headers", _count(block), tuple(block.fields))
        words = self._words(begun.kind, begun.stream, begun.promised, block, way)
        return (*fields, *lying_in((lines,), buffer)), words, False

    def _words(self, name: str, stream: int, promised: int, block: Block, way: Direction) -> str:
        """``GET /spam [1]``, ``200 [1] (GET /spam)``, ``trailers [1]``."""
        method, target, status = block.value(":method"), block.value(":path"), block.value(":status")
        problem = f" ({block.problem})" if block.problem else ""
        if method:
            asked = f"{method} {target or block.value(':authority')}".strip()[:_MOST_TARGET]
            self._remember(promised or stream, asked)
            push = f"push [{promised}] to [{stream}]: " if promised else ""
            return f"{push}{asked}" + ("" if promised else f" [{stream}]") + problem
        if status:
            asked = self._asked.get(stream, "")
            return f"{status} [{stream}]" + (f" ({asked})" if asked else "") + problem
        return f"{'trailers' if block.headers and not block.problem else name} [{stream}]{problem}"

    def _remember(self, stream: int, asked: str) -> None:
        self._asked[stream] = asked
        if len(self._asked) > MOST_ASKED:
            del self._asked[next(iter(self._asked))]


def _preface(reader: FieldReader) -> FramedMessage:
    start = reader.at
    if bytes(reader.view()[: len(PREFACE)]) != PREFACE[: reader.left]:
        raise NoMessage("this is not the preface of HTTP/2")
    reader.skip(len(PREFACE))
    return FramedMessage(Field("preface", start, reader.at, "text", "PRI * HTTP/2.0"), "HTTP/2 preface", True)


def read_frame(reader: FieldReader, strict: bool) -> Http2Frame:
    """The frame at the reader's place. ``strict``: only what every sender may send, and of a known type."""
    start = reader.at
    length, kind, flags, stream = reader.number(3), reader.number(1), reader.number(1), reader.number(4)
    known = kind in names.FRAMES and not stream >> 31 and length <= _DEFAULT_LENGTH
    if not known and (strict or stream >> 31):
        raise NoMessage("no HTTP/2 frame begins here")
    flagged = [word for bit, word in names.FLAGS.get(kind, {}).items() if flags & bit]
    header = (
        Field("length", start, start + 3, "u24", f"{length:,}"),
        Field("type", start + 3, start + 4, "u8", names.FRAMES.get(kind, f"type {kind}")),
        Field("flags", start + 4, start + 5, "flags", ", ".join(flagged) or f"0x{flags:02x}"),
        Field("stream", start + 5, start + 9, "u32", str(stream)),
    )
    return Http2Frame(start, kind, flags, stream, header, reader.part(length))


def _around(frame: Http2Frame) -> tuple[tuple[Field, ...], tuple[Field, ...]]:
    """What stands before and after a frame's content: padding and priority. The body's reader is left between."""
    body, before, after = frame.body, list[Field](), list[Field]()
    if frame.kind != names.CONTINUATION and frame.flags & names.PADDED:
        start = body.at
        padding = body.number(1)
        before.append(Field("padding length", start, start + 1, "u8", str(padding)))
        padding = min(padding, body.left)
        if padding:
            after.append(Field("padding", body.end - padding, body.end, "bytes", count_bytes(padding)))
        body.end -= padding
    if frame.kind == names.HEADERS and frame.flags & names.WITH_PRIORITY:
        start = body.at
        before += _priority(body)
        assert body.at == start + 5
    return tuple(before), tuple(after)


def _priority(body: FieldReader) -> tuple[Field, ...]:
    start = body.at
    parent, weight = body.number(4), body.number(1)
    words = f"{parent & 0x7FFFFFFF}" + (", exclusive" if parent >> 31 else "")
    return (
        Field("depends on", start, start + 4, "u32", words),
        Field("weight", start + 4, start + 5, "u8", str(weight + 1)),
    )


_Contents = tuple[tuple[Field, ...], str, bool]


def _data(frame: Http2Frame) -> _Contents:
    before, after = _around(frame)
    start, body = frame.body.at, frame.body
    size = body.left
    shown = repr(bytes(body.view()[:_SHOWN])) + ("…" if size > _SHOWN else "")
    body.skip(size)
    data = (Field("data", start, start + size, "bytes", shown),) if size else ()
    end = ", the last" if frame.flags & names.END_STREAM else ""
    return (*before, *data, *after), f"DATA{frame.where} {count_bytes(size)}{end}", False


def _settings(frame: Http2Frame) -> _Contents:
    found = list[Field]()
    while frame.body.left >= 6 and len(found) < _MOST_SETTINGS:
        start = frame.body.at
        name, value = frame.body.number(2), frame.body.number(4)
        found.append(Field(names.PARAMETERS.get(name, f"setting {name}"), start, start + 6, "u32", f"{value:,}"))
    return tuple(found), "SETTINGS ack" if frame.flags & names.ACK else "SETTINGS", True


def _reset(frame: Http2Frame) -> _Contents:
    start = frame.body.at
    error = names.error_name(frame.body.number(4))
    return (Field("error", start, start + 4, "u32", error),), f"RST_STREAM{frame.where} {error}", False


def _ping(frame: Http2Frame) -> _Contents:
    return (), "PING ack" if frame.flags & names.ACK else "PING", False


def _goaway(frame: Http2Frame) -> _Contents:
    start = frame.body.at
    last, error = frame.body.number(4) & 0x7FFFFFFF, names.error_name(frame.body.number(4))
    fields = (
        Field("last stream", start, start + 4, "u32", str(last)),
        Field("error", start + 4, start + 8, "u32", error),
    )
    if not frame.body.left:
        return fields, f"GOAWAY {error}", False
    text = str(frame.body.view()[:200], "utf-8", "backslashreplace")
    return (*fields, frame.body.rest("why", "text", text)), f"GOAWAY {error}: {text}", False


def _window(frame: Http2Frame) -> _Contents:
    start = frame.body.at
    more = frame.body.number(4) & 0x7FFFFFFF
    return (Field("increment", start, start + 4, "u32", f"{more:,}"),), f"WINDOW_UPDATE{frame.where} +{more:,}", True


def _priority_frame(frame: Http2Frame) -> _Contents:
    return _priority(frame.body), "", True


_CONTENTS: dict[int, Callable[[Http2Frame], _Contents]] = {
    names.DATA: _data,
    names.PRIORITY: _priority_frame,
    names.RST_STREAM: _reset,
    names.SETTINGS: _settings,
    names.PING: _ping,
    names.GOAWAY: _goaway,
    names.WINDOW_UPDATE: _window,
}


def _count(block: Block) -> str:
    count = len(block.headers)
    return f"{count} header{'' if count == 1 else 's'}" + (f", then {block.problem}" if block.problem else "")
