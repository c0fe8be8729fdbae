"""Holding segments by hand: under a scripted clock first, then between real sockets."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from netlab.capture.capture_file import Capture
from netlab.capture.filter import parse
from netlab.capture.model import Direction, Endpoint, Flow, Kind, Transport
from netlab.wire.facts import Answered, Fact, InterceptChanged, SegmentFreed, SegmentHeld
from netlab.wire.impairment import catalog
from netlab.wire.impairment import intercept as intercepting
from netlab.wire.impairment.impairment_lane import Departure, ImpairmentLane, Leaving
from netlab.wire.impairment.intercept import PIECE, Gate, Intercept, NotHeld
from tests.support.independent import conversations
from tests.support.relaying import Relaying, accept, endpoint, listening, read_all, read_exactly
from tests.support.waiting import PATIENCE, wait_until
from tests.wire.faults.test_on_sockets import clean

CLIENT, SERVER = Endpoint("127.0.0.1", 50001), Endpoint("127.0.0.1", 20000)


class Held:
    """One lane with a gate, and what is told and done about it."""

    def __init__(self, text: str, transport: Transport = Transport.TCP, *specs: str) -> None:
        self.told: list[Fact] = []
        self.intercept = Intercept(self.told.append, lambda: 7)
        self.intercept.matches = parse(text).matches
        self.woken = 0
        flow = Flow(3, transport, CLIENT, SERVER)
        self.lane = ImpairmentLane(catalog.chain(specs, transport), transport, Direction.TO_SERVER, 3)
        self.lane.gate = Gate(self.intercept, flow, Direction.TO_SERVER, self._wake)

    def _wake(self) -> None:
        self.woken += 1

    def left(self, clock: float = 0.0) -> list[tuple[bytes, str]]:
        return [(bytes(each.payload), each.fate) for each in self.departures(clock)]

    def departures(self, clock: float) -> list[Departure]:
        return self.lane.leave(clock)


def test_what_matches_is_told_and_waits_with_all_that_follows_on_a_stream() -> None:
    held = Held("'secret'")
    for payload in (b"before", b"my secret", b"after"):
        held.lane.enter(payload, 1.0)
    assert held.left(5.0) == [(b"before", "")]
    (told,) = held.told
    assert told == SegmentHeld(1, 3, CLIENT, Direction.TO_SERVER, 7, b"my secret", edited=False)
    assert held.lane.held == len(b"my secretafter") + 2 * PIECE
    held.intercept.release(1)
    assert held.woken == 1
    assert held.left(4.5) == [(b"my secret", "held 3.5 s"), (b"after", "")]
    assert held.told[-1] == SegmentFreed((1,))
    assert held.lane.empty and held.lane.held == 0


def test_datagrams_overtake_what_is_held() -> None:
    held = Held("'secret'", Transport.UDP)
    for payload in (b"secret 1", b"other", b"secret 2"):
        held.lane.enter(payload, 0.0)
    assert held.left() == [(b"other", "")]
    held.intercept.release(2)
    assert held.left() == [(b"secret 2", "held 0.0 s")]
    held.intercept.release()
    assert held.left() == [(b"secret 1", "held 0.0 s")]


def test_the_end_of_a_stream_waits_behind_what_is_held() -> None:
    held = Held("data")
    held.lane.enter(b"last", 0.0)
    held.lane.finish(0.0)
    assert held.departures(1.0) == []
    held.intercept.release(1)
    assert [each.what for each in held.departures(1.0)] == [Leaving.BYTES, Leaving.FIN]


def test_what_is_released_meets_the_faults() -> None:
    held = Held("data", Transport.TCP, "slice 2", "delay 1s")
    held.lane.enter(b"abc", 0.0)
    held.intercept.release(1)
    assert held.left(2.0) == []
    assert held.left(3.1) == [
        (b"ab", "held 2.0 s, piece 1 of 2, held 1000 ms"),
        (b"c", "held 2.0 s, piece 2 of 2, held 1000 ms"),
    ]


def test_a_dropped_one_is_told_to_the_capture_as_dropped() -> None:
    held = Held("data")
    held.lane.enter(b"abc", 0.0)
    held.intercept.drop(1)
    (departure,) = held.departures(0.0)
    assert (departure.what, bytes(departure.payload)) == (Leaving.DROPPED, b"abc")


def test_other_bytes_leave_and_what_came_is_kept_beside_them() -> None:
    held = Held("data", Transport.TCP, "delay 1ms")
    held.lane.enter(b"abc", 0.0)
    held.intercept.edit(1, b"longer than before")
    assert isinstance(held.told[-1], SegmentHeld) and held.told[-1].edited
    held.intercept.release(1)
    held.lane.leave(0.0)
    (departure,) = held.departures(1.0)
    assert bytes(departure.payload) == b"longer than before"
    assert departure.original is not None and bytes(departure.original) == b"abc"
    assert departure.fate == "held 0.0 s, edited, held 1 ms"
    assert held.lane.held == 0


def test_an_edit_is_bounded_and_only_what_is_held_can_be_acted_on() -> None:
    held = Held("data")
    held.lane.enter(b"abc", 0.0)
    with pytest.raises(ValueError, match="too many"):
        held.intercept.edit(1, bytes(intercepting.LONGEST_EDIT + 1))
    for wrong in (held.intercept.release, held.intercept.drop):
        with pytest.raises(NotHeld, match="segment 9 is not held"):
            wrong(9)


def test_no_more_than_so_many_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intercepting, "MOST_HELD", 2)
    held = Held("data", Transport.UDP)
    for number in range(4):
        held.lane.enter(b"%d" % number, 0.0)
    assert [fate for _, fate in held.left()] == ["not held: 2 wait already"] * 2


def test_what_waits_in_a_flow_that_ends_is_forgotten() -> None:
    held = Held("data")
    held.lane.enter(b"abc", 0.0)
    held.lane.discard()
    assert held.told[-1] == SegmentFreed((1,))
    assert held.intercept.numbers == () and held.lane.held == 0


# Real sockets


def holding(relay: Relaying, text: str) -> None:
    relay.ask(lambda: relay.wire.intercept(text))
    assert relay.told(InterceptChanged)[-1].filter == text


def waiting(relay: Relaying, count: int) -> list[SegmentHeld]:
    wait_until(lambda: len(relay.told(SegmentHeld)) >= count)
    return relay.told(SegmentHeld)


def test_a_held_request_is_edited_released_and_captured(tmp_path: Path) -> None:
    path = tmp_path / "c.pcapng"
    with listening() as server, Relaying(endpoint(server), path) as relay:
        with relay.connect() as client, accept(server) as accepted:
            client.sendall(b"before")
            assert read_exactly(accepted, 6) == b"before"
            holding(relay, "-> 'name'")
            client.sendall(b"my name is Ann")
            client.shutdown(socket.SHUT_WR)
            (held,) = waiting(relay, 1)
            assert held.payload == b"my name is Ann" and held.client == endpoint(client)
            relay.ask(lambda: relay.wire.edit(held.number, b"my name is Bob, really"))
            relay.ask(lambda: relay.wire.release(held.number))
            assert read_all(accepted) == b"my name is Bob, really"
            accepted.sendall(b"name accepted")  # the other way is not held
            assert read_exactly(client, 13) == b"name accepted"
        assert [answer.problem for answer in relay.told(Answered)] == [""] * 3
    with Capture(path) as capture:
        capture.grow()
        (edited,) = [each for each in capture.segments if each.original is not None]
        assert edited.original == b"my name is Ann" and edited.data == b"my name is Bob, really"
        assert edited.fate.endswith("edited")
    assert bytes(conversations(path)[0].to_server.data) == b"beforemy name is Bob, really"
    clean(path)


def test_faults_and_filters_change_without_letting_go_what_is_held() -> None:
    with listening() as server, Relaying(endpoint(server)) as relay, relay.connect() as client, accept(server) as got:
        holding(relay, "data")
        client.sendall(b"one")
        (held,) = waiting(relay, 1)
        relay.ask(lambda: relay.wire.impair(["delay 1ms"], 1))
        relay.ask(lambda: relay.wire.impair([], 1))
        holding(relay, "")
        got.settimeout(0.05)
        with pytest.raises(TimeoutError):
            got.recv(1)
        got.settimeout(PATIENCE)
        client.sendall(b"two")
        relay.ask(lambda: relay.wire.release(held.number))
        assert read_exactly(got, 6) == b"onetwo"
        wait_until(lambda: relay.stats.held == 0)


def test_a_wrong_filter_or_number_is_told() -> None:
    with Relaying(None) as relay:
        relay.ask(lambda: relay.wire.intercept('"open'))
        relay.ask(lambda: relay.wire.release(5))
        relay.ask(lambda: relay.wire.replay(1, Direction.TO_SERVER, b"x"))
        problems = [answer.problem for answer in relay.told(Answered)]
        assert "quotation mark" in problems[0] and "not held" in problems[1] and "not open" in problems[2]


def test_stopping_is_quick_while_segments_are_held() -> None:
    with listening() as server, Relaying(endpoint(server)) as relay:
        holding(relay, "data")
        with relay.connect() as client, accept(server):
            client.sendall(b"Hello")
            waiting(relay, 1)
            relay.stop()
            assert relay.told(SegmentFreed)
            with pytest.raises(ConnectionResetError):
                client.recv(10)


def test_a_forgotten_intercept_slows_the_sender_and_keeps_little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("netlab.wire.relay.pipe.LANE_LIMIT", 1 << 18)
    with listening() as server, Relaying(endpoint(server)) as relay, relay.connect() as client, accept(server):
        holding(relay, "data")
        client.settimeout(0.3)
        with pytest.raises(TimeoutError):
            for _ in range(1 << 10):
                client.send(bytes(1 << 16))
        assert relay.stats.held < 1 << 20


def test_bytes_are_replayed_in_an_open_flow(tmp_path: Path) -> None:
    path = tmp_path / "c.pcapng"
    with (
        listening() as server,
        Relaying(endpoint(server), path) as relay,
        relay.connect() as client,
        accept(server) as accepted,
    ):
        client.sendall(b"pay 5;")
        assert read_exactly(accepted, 6) == b"pay 5;"
        relay.ask(lambda: relay.wire.replay(1, Direction.TO_SERVER, b"pay 5;"))
        assert read_exactly(accepted, 6) == b"pay 5;"
        relay.ask(lambda: relay.wire.replay(1, Direction.TO_CLIENT, b"thanks"))
        assert read_exactly(client, 6) == b"thanks"
        client.shutdown(socket.SHUT_WR)
        assert read_all(accepted) == b""
        relay.ask(lambda: relay.wire.replay(1, Direction.TO_SERVER, b"pay 5;"))
        assert "ended" in relay.told(Answered)[-1].problem
    with Capture(path) as capture:
        capture.grow()
        found = [(bytes(each.data), each.fate) for each in capture.segments if each.kind is Kind.DATA]
    assert found == [(b"pay 5;", ""), (b"pay 5;", "replayed"), (b"thanks", "replayed")]
    clean(path)


def test_datagrams_are_held_and_replayed() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as server, socket.socket(type=socket.SOCK_DGRAM) as client:
        for sock in (server, client):
            sock.bind(("127.0.0.1", 0))
            sock.settimeout(PATIENCE)
        with Relaying(endpoint(server), transport=Transport.UDP) as relay:
            holding(relay, "'two'")
            for payload in (b"one", b"two", b"three"):
                client.sendto(payload, relay.address)
            assert [server.recv(10), server.recv(10)] == [b"one", b"three"]
            relay.ask(lambda: relay.wire.release(None))
            assert server.recv(10) == b"two"
            relay.ask(lambda: relay.wire.replay(1, Direction.TO_SERVER, b"one"))
            assert server.recv(10) == b"one"
