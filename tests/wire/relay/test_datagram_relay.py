"""The datagram relay between real sockets: whole datagrams, each client its own flow, refusals survived."""

import socket
from pathlib import Path

import pytest

from netlab.capture.model import Direction, Endpoint, Transport
from netlab.wire.facts import Answered, FlowClosed, FlowOpened, SegmentHeld, Troubled
from netlab.wire.impairment.fault import Impairment
from netlab.wire.impairment.intercept import PIECE
from netlab.wire.impairment.requests import Drop, Forward, Hold
from netlab.wire.relay import datagram_flow, datagram_relay
from tests.support.independent import conversations, frames
from tests.support.relaying import Relaying, endpoint
from tests.support.waiting import PATIENCE, wait_until


def bound(host: str = "127.0.0.1") -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((host, 0))
    sock.settimeout(PATIENCE)
    return sock


def relaying(server: socket.socket, path: Path | None = None, host: str = "127.0.0.1") -> Relaying:
    return Relaying(endpoint(server), path, Transport.UDP, host)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("size", [0, 1, 1472, 65507])
def test_datagrams_stay_whole_both_ways(host: str, size: int, tmp_path: Path) -> None:
    with bound(host) as server, bound(host) as client, relaying(server, tmp_path / "c.pcapng", host) as relay:
        client.sendto(bytes(size), relay.address)
        got, sender = server.recvfrom(1 << 17)
        assert len(got) == size
        server.sendto(got + b"!" * (size < 65507), sender)
        assert len(client.recv(1 << 17)) == min(size + 1, 65507)
    (flow,) = conversations(tmp_path / "c.pcapng")
    assert (flow.transport, flow.client) == ("udp", endpoint_before(relay))
    assert [len(each) for each in flow.to_server.datagrams] == [size]
    assert [len(each) for each in flow.to_client.datagrams] == [min(size + 1, 65507)]


def endpoint_before(relay: Relaying) -> Endpoint:
    return relay.told(FlowOpened)[0].client


def test_each_client_has_its_own_flow() -> None:
    with bound() as server, bound() as one, bound() as two, relaying(server) as relay:
        for client in (one, two, one):
            client.sendto(b"%d" % client.getsockname()[1], relay.address)
        for _ in range(3):
            got, sender = server.recvfrom(100)
            server.sendto(got, sender)
        for client, count in ((one, 2), (two, 1)):
            assert {client.recv(100) for _ in range(count)} == {b"%d" % client.getsockname()[1]}
        assert relay.writer.tally.flows == 2


def test_a_server_that_is_not_there_is_said_once_and_survived() -> None:
    with bound() as server:
        nowhere = endpoint(server)
    with Relaying(nowhere, transport=Transport.UDP) as relay, bound() as client:
        for _ in range(5):
            client.sendto(b"anyone?", relay.address)
            wait_until(lambda: relay.told(Troubled))
        assert len(relay.told(Troubled)) == 1
        with bound() as server:
            relay.ask(lambda: relay.wire.aim(endpoint(server)))
            relay.ask(relay.wire.drop_flows)
            client.sendto(b"hello", relay.address)
            assert server.recv(100) == b"hello"


def test_a_refusal_of_one_datagram_does_not_cost_the_next(tmp_path: Path) -> None:
    """The system reports it by the next call, which then sends nothing."""
    path = tmp_path / "c.pcapng"
    with bound() as server:
        nowhere = endpoint(server)
    with Relaying(nowhere, path, Transport.UDP) as relay, bound() as client:
        with relay.at_rest():
            for _ in range(3):
                client.sendto(b"x", relay.address)
        wait_until(lambda: relay.writer.tally.to_server == 3)
    assert [frame.comments for frame in frames(path.read_bytes())] == [[], [], []]


def test_what_the_system_does_not_send_is_said_in_the_capture(tmp_path: Path) -> None:
    path = tmp_path / "c.pcapng"
    nowhere = Endpoint("255.255.255.255", 9)  # what is not connected sends nothing
    with Relaying(nowhere, path, Transport.UDP) as relay, bound() as client:
        client.sendto(b"hello", relay.address)
        wait_until(lambda: relay.writer.tally.segments == 1)
    assert [frame.comments for frame in frames(path.read_bytes())] == [["not sent: Destination address required"]]


def test_what_is_made_by_hand_and_fits_into_no_datagram_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.pcapng"
    with bound() as server, bound() as client, relaying(server, path) as relay:
        client.sendto(b"hello", relay.address)
        assert server.recv(100) == b"hello"
        relay.ask(lambda: relay.wire.replay(1, Direction.TO_SERVER, bytes(65_508)))
        relay.ask(lambda: relay.wire.intercept("->"))
        client.sendto(b"held", relay.address)
        (held,) = wait_until(lambda: relay.told(SegmentHeld))
        relay.ask(lambda: relay.wire.edit(held.number, bytes(65_508)))
        why = [fact.problem for fact in relay.told(Answered) if fact.problem]
        assert ["65508 bytes are too many" in each for each in why] == [True, True]
        relay.ask(lambda: relay.wire.edit(held.number, bytes(65_507)))
        relay.ask(lambda: relay.wire.intercept(""))
        relay.ask(lambda: relay.wire.release(None))
        relay.ask(lambda: relay.wire.replay(1, Direction.TO_SERVER, bytes(65_507)))
        assert [len(server.recv(1 << 16)) for _ in range(2)] == [65_507, 65_507]
    assert len(frames(path.read_bytes())) == 3


def test_idle_flows_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datagram_relay, "IDLE", 0.05)
    with bound() as server, bound() as client, relaying(server) as relay:
        client.sendto(b"x", relay.address)
        server.recv(10)
        assert wait_until(lambda: relay.told(FlowClosed))[0].how == "idle"
        client.sendto(b"y", relay.address)
        assert server.recv(10) == b"y", "and then a new one begins"


def test_the_longest_unused_flow_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datagram_relay, "MOST_FLOWS", 2)
    with bound() as server, bound() as a, bound() as b, bound() as c, relaying(server) as relay:
        for client in (a, b, a, c):
            client.sendto(b"x", relay.address)
            server.recv(10)
        assert [fact.number for fact in wait_until(lambda: relay.told(FlowClosed))] == [2]


def test_faults_on_datagrams_drop_double_and_overtake(tmp_path: Path) -> None:
    def fault(segment, clock, random):
        match bytes(segment.payload):
            case b"lost":
                return (Drop("dropped"),)
            case b"twice":
                return (Forward(segment.payload), Forward(segment.payload, "again"))
            case b"late":
                return (Hold(segment.payload, 60, "overtaken", behind=1),)
        return (Forward(segment.payload),)

    with bound() as server, bound() as client, relaying(server, tmp_path / "c.pcapng") as relay:
        relay.impair(Impairment("test", Direction.TO_SERVER, lambda: fault))
        for payload in (b"lost", b"twice", b"late", b"plain"):
            client.sendto(payload, relay.address)
        assert [server.recv(10) for _ in range(4)] == [b"twice", b"twice", b"plain", b"late"]
    (flow,) = conversations(tmp_path / "c.pcapng")
    assert flow.to_server.datagrams == [b"lost", b"twice", b"twice", b"plain", b"late"]


def test_held_datagrams_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datagram_flow, "LANE_LIMIT", 10 * (1000 + PIECE))
    with bound() as server, bound() as client, relaying(server) as relay:
        relay.impair(Impairment("test", None, lambda: lambda s, c, r: (Hold(s.payload, 60),)))
        for _ in range(50):
            client.sendto(bytes(1000), relay.address)
        wait_until(lambda: relay.writer.tally.to_server == 40_000)  # told to the capture as dropped
        relay.impair()
        for _ in range(10):
            assert len(server.recv(2000)) == 1000


def test_a_pause_frees_the_port() -> None:
    with bound() as server, relaying(server) as relay:
        address = relay.address
        relay.ask(relay.wire.pause)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind(address)
