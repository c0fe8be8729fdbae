"""A small app that holds the wire list and the inspector over a capture made by hand."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import App, ComposeResult

from netlab.capture.model import Direction, Endpoint, Flow, Kind, Segment, Transport
from netlab.capture.stream import Chunk
from netlab.dissect.fields import Dissection, Dissector, Field
from netlab.dissect.reading.meanings import How
from netlab.ui.bytes.fields.plaintext import Plaintexts
from netlab.ui.bytes.inspector import Inspector
from netlab.ui.wire.wire_list import WireList

START = 1_700_000_000_000_000_000
IN, OUT = Direction.TO_CLIENT, Direction.TO_SERVER


class HandMade:
    """A capture whose segments are added by hand. 1 ms lies between two."""

    def __init__(self, transport: Transport = Transport.TCP) -> None:
        self.flows: list[Flow] = []
        self.segments: list[Segment] = []
        self.transport = transport

    def open(self) -> Flow:
        number = len(self.flows) + 1
        flow = Flow(number, self.transport, Endpoint("127.0.0.1", 50000 + number), Endpoint("127.0.0.1", 20000))
        self.flows.append(flow)
        self.add(flow, OUT, b"", Kind.OPEN)
        return flow

    def add(
        self,
        flow: Flow,
        way: Direction,
        data: bytes | memoryview,
        kind: Kind = Kind.DATA,
        fate: str = "",
        original: bytes | None = None,
    ) -> Segment:
        number = len(self.segments) + 1
        before = sum(s.length for s in self.segments if s.flow is flow and s.direction is way)
        offset = 0 if self.transport is Transport.UDP else before
        entered = None if original is None else memoryview(original)
        segment = Segment(
            number,
            START + (number - 1) * 1_000_000,
            flow,
            way,
            kind,
            len(data),
            memoryview(data),
            offset,
            fate,
            entered,
        )
        self.segments.append(segment)
        return segment

    let_go = 0

    def stream(self, flow: Flow, way: Direction) -> Sequence[Chunk]:
        mine = [s for s in self.segments if s.flow is flow and s.direction is way and s.length]
        return [Chunk(s.offset, s.length, s.data, s.number) for s in mine]

    def numbers(self, flow: Flow, after: int = 0) -> Sequence[int]:
        return [s.number for s in self.segments[after:] if s.flow is flow]


def dissect_lines(data: memoryview, direction: Direction, offset: int = 0) -> Dissection:
    """Lines of text; the last one waits for its end."""
    text = bytes(data)
    fields, at = [], 0
    while (end := text.find(b"\n", at)) >= 0:
        words = (
            Field("text", at, end, "text", text[at:end].decode("latin-1")),
            Field("end", end, end + 1, "bytes", r"\n"),
        )
        fields.append(Field("line", at, end + 1, "line", f"{end - at} characters", words))
        at = end + 1
    if at < len(text):
        fields.append(Field("rest", at, len(text), "text", text[at:].decode("latin-1")))
    return Dissection(tuple(fields), needs=1 if at < len(text) else 0)


def echo_capture() -> HandMade:
    """Two flows: an echo of two lines, and one with every kind of byte."""
    capture = HandMade()
    one = capture.open()
    capture.add(one, OUT, b"Hello\nWor")
    capture.add(one, IN, b"Hello\nWor")
    capture.add(one, OUT, b"ld, and on\n")
    capture.add(one, IN, b"ld, and on\n", fate="held 100 ms")
    two = capture.open()
    capture.add(two, OUT, bytes(range(256)))
    capture.add(two, IN, "Grüße\x1b[2J‮ [@click=app.quit]x[/]\n".encode())
    capture.add(two, OUT, b"", Kind.FIN)
    capture.add(one, IN, b"", Kind.RESET)
    return capture


class PanesApp(App[None]):
    """Wire list above, inspector below."""

    CSS = "WireList { height: 1fr; } Inspector { height: 2fr; }"

    def __init__(self, capture: HandMade | None = None, dissector: Dissector | None = dissect_lines) -> None:
        super().__init__()
        self.capture = capture
        self.dissector = dissector
        self.animation_level = "none"
        self.copied: list[str] = []
        self.plaintexts: Plaintexts | None = None
        self.how: How = dissector

    def compose(self) -> ComposeResult:
        yield WireList(live=True)
        yield Inspector()

    @property
    def wire(self) -> WireList:
        return self.query_one(WireList)

    @property
    def inspector(self) -> Inspector:
        return self.query_one(Inspector)

    def on_mount(self) -> None:
        self.inspector.plaintexts = self.plaintexts
        self.wire.show(self.capture)
        self.wire.focus()

    def copy_to_clipboard(self, text: str) -> None:
        self.copied.append(text)

    def on_wire_list_segment_highlighted(self, event: WireList.SegmentHighlighted) -> None:
        flooded = self.wire.following and self.wire.flooded
        self.inspector.show_segment(event.segment, self.capture, self.how, flooded=flooded)

    def on_wire_list_segment_chosen(self, event: WireList.SegmentChosen) -> None:
        self.inspector.focus()

    def on_bytes_pane_pause_requested(self) -> None:
        self.wire.pause()


if __name__ == "__main__":
    PanesApp(echo_capture()).run()
