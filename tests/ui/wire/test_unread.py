"""What the server has not read is marked in the wire list, and the line below it says where the bytes are."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from netlab.capture.model import Direction, Endpoint, Flow, Kind, Outcome, Segment, Transport
from netlab.lab.server_sockets import FlowSockets, ServerSockets
from netlab.ui.wire.flow_line import FlowLine, words
from netlab.ui.wire.segment_row import Columns
from netlab.ui.wire.unread_marks import UnreadSegments
from tests.support.screen.staging import StagedApp, enter, serving, settled
from tests.support.waiting import until

SERVER, CLIENT = Endpoint("127.0.0.1", 20000), Endpoint("127.0.0.1", 5000)


class Taken:
    """A capture of these flows."""

    def __init__(self, *flows: Flow) -> None:
        self.flows = flows
        self.segments: tuple[Segment, ...] = ()

    def stream(self, flow: Flow, way: Direction) -> tuple[()]:
        return ()


def flow(number: int) -> Flow:
    return Flow(number, Transport.TCP, CLIENT, SERVER)


def segment(offset: int, length: int, kind: Kind = Kind.DATA, number: int = 2, **more: object) -> Segment:
    made = {"flow": flow(number), "direction": Direction.TO_SERVER, "outcome": Outcome.DELIVERED} | more
    data = memoryview(bytes(length))
    return Segment(1, 0, kind=kind, length=length, data=data, offset=offset, **made)  # type: ignore[arg-type]  # whichever a test names


def unread(each: Segment, sockets: FlowSockets) -> bool:
    marks = UnreadSegments()
    marks.take({CLIENT: sockets})
    return marks.of(each, Taken(flow(1), flow(2)))


def test_a_segment_is_unread_while_its_end_lies_beyond_the_position_read() -> None:
    half = FlowSockets(position=7, accepted=True, server_queue=3, send_queue=5)
    assert not unread(segment(0, 5), half)
    assert not unread(segment(5, 2), half)
    assert unread(segment(5, 5), half)
    assert unread(segment(10, 5), half), "in the wire's send queue"
    assert not unread(segment(15, 5), half), "it came after the kernel was asked"
    assert not unread(segment(10, 5, outcome=Outcome.DROPPED), half)
    assert not unread(segment(10, 5, direction=Direction.TO_CLIENT), half)
    assert not unread(segment(10, 5, number=1), half), "an older flow from the same address"
    assert not unread(segment(10, 0, Kind.OPEN), half)


def test_an_end_is_unread_until_the_server_has_read_it() -> None:
    left = FlowSockets(position=5, accepted=True, left=True)
    assert unread(segment(5, 0, Kind.FIN), left)
    assert not unread(segment(5, 0, Kind.FIN), FlowSockets(position=6, accepted=True, left=True))
    assert not unread(segment(0, 5), left)


def test_the_row_has_a_mark_and_a_word_where_there_is_room_and_nothing_moves() -> None:
    for width, said in ((60, "unread · Hello"), (40, "Hello")):
        columns = Columns.fitting(width, 9, 9, "0.000")
        plain, marked = (columns.row(segment(0, 5), 0, "Hello", unread=each) for each in (False, True))
        assert "→ " in plain and "→○" in marked
        assert marked.endswith(said)
        assert marked.index("5  ", 20) == plain.index("5  ", 20)


def test_the_line_says_where_the_bytes_are() -> None:
    server = ServerSockets(SERVER, processes=2, name="gunicorn")
    waiting = FlowSockets(0, accepted=False, server_queue=5)
    assert words(2, waiting, server) == "○ flow 2: waits to be accepted · unread: 5 B in the server's queue"
    stuck = FlowSockets(0, accepted=True, server_queue=127_973, send_queue=3_791_494, at_wire=1_400_000, pid=4242)
    assert words(1, stuck, server) == (
        "○ flow 1: process 4242 has it · unread: 127,973 B in the server's queue, "
        "3,791,494 B in the wire's send queue, 1,400,000 B at the wire"
    )
    left = FlowSockets(6, accepted=True, left=True)
    alone = ServerSockets(SERVER, name="python", processes=1)
    assert words(1, left, alone) == "  flow 1: its client has left, the server has not closed"
    assert words(1, FlowSockets(5, accepted=True, pid=4242), alone) == ""
    proxy = ServerSockets(SERVER, name="docker-proxy", forwarder=True)
    assert words(1, FlowSockets(0, accepted=True, server_queue=5), proxy) == (
        "○ flow 1: unread: 5 B in docker-proxy's queue"
    )


@pytest.mark.usefixtures("staged_times")
def test_unread_bytes(snap_compare: Callable[..., bool]) -> None:
    async def second_client_waits(pilot: Pilot[None]) -> None:
        app = await serving(pilot)
        app.stage.shows_sockets = True
        await enter(pilot, "Hello")
        await until(pilot, lambda: "b'Hello'" in app.transcript.splitlines())
        await enter(pilot, ":connect")
        await until(pilot, lambda: len(app.seen.lab.sessions) == 2 and app.seen.lab.sessions[1].connected)
        await enter(pilot, "Hello")
        await until(pilot, lambda: "in the accept queue" in app.seen.console.waiting)
        await until(pilot, lambda: "unread" in str(app.seen.query_one(FlowLine).render()))
        await until(pilot, lambda: app.seen.query_one(FlowLine).has_class("-shown"))
        await settled(pilot)

    assert snap_compare(StagedApp("tcp"), run_before=second_client_waits, terminal_size=(120, 34))
