"""Faults between real sockets: what arrives, what the capture says of each segment, and that Wireshark agrees."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from netlab.capture.capture_file import Capture
from netlab.capture.model import Direction, Kind, Segment, Transport
from netlab.wire.facts import FaultsChanged
from tests.support.relaying import Relaying, accept, endpoint, listening, read_all, read_exactly
from tests.support.waiting import PATIENCE, wait_until

OUT = Direction.TO_SERVER
ENOUGH = bytes(range(256)) * 4


def segments(path: Path) -> list[Segment]:
    with Capture(path) as capture:
        capture.grow()
        assert not capture.problem
        return list(capture.segments)


def clean(path: Path) -> None:
    """Wireshark, where it is installed, finds nothing to remark that a capture without faults would not have."""
    if shutil.which("tshark") is None:
        return
    remarks = "_ws.malformed || tcp.analysis.flags || ip.checksum.status == 0 || udp.checksum.status == 0"
    command = ["tshark", "-r", str(path), "-o", "ip.check_checksum:TRUE", "-Y", remarks]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout == ""


class Streams:
    """One connection over a wire with faults."""

    def __init__(self, relay: Relaying, client: socket.socket, server: socket.socket, path: Path) -> None:
        self.relay, self.client, self.server, self.path = relay, client, server, path

    def sent(self) -> list[Segment]:
        return [each for each in segments(self.path) if each.direction is OUT and each.kind is Kind.DATA]


@contextlib.contextmanager
def streams(path: Path, *specs: str, seed: int = 1) -> Iterator[Streams]:
    with listening() as server, Relaying(endpoint(server), path) as relay:
        relay.ask(lambda: relay.wire.impair(specs, seed))
        assert not relay.told(FaultsChanged)[-1].problem
        with relay.connect() as client, accept(server) as accepted:
            yield Streams(relay, client, accepted, path)
            wait_until(lambda: relay.ask(relay.writer.flush))


def fates(path: Path, spec: str, payload: bytes = b"Hello") -> list[str]:
    """What is said of the segments that the client sent in one go."""
    with streams(path, spec) as between:
        between.client.sendall(payload)
        between.client.shutdown(socket.SHUT_WR)
        assert read_all(between.server) == payload
    clean(path)
    return [segment.fate for segment in between.sent()]


def test_delay_and_jitter(tmp_path: Path) -> None:
    assert fates(tmp_path / "a", "delay 30ms") == ["held 30 ms"]
    (fate,) = fates(tmp_path / "b", "jitter 30ms")
    assert 0 <= int(fate.split()[1]) <= 30 or fate.endswith("µs")


def test_throttle_lets_a_burst_through_and_holds_the_rest(tmp_path: Path) -> None:
    found = fates(tmp_path / "a", "throttle 10KB/s", ENOUGH)
    assert found[0] == "" and all(fate.startswith("held ") for fate in found[1:]) and len(found) > 1


def test_slice(tmp_path: Path) -> None:
    assert fates(tmp_path / "a", "slice 2") == ["piece 1 of 3", "piece 2 of 3", "piece 3 of 3"]


def test_stall(tmp_path: Path) -> None:
    assert fates(tmp_path / "a", "stall 40ms after 2") == ["", "stalled 40 ms"]


def test_faults_join_in_their_order(tmp_path: Path) -> None:
    with streams(tmp_path / "a", "slice 3", "delay 20ms ->") as between:
        between.client.sendall(b"Hello")
        assert read_exactly(between.server, 5) == b"Hello"
        between.server.sendall(b"World")
        assert read_exactly(between.client, 5) == b"World"
    assert [each.fate for each in between.sent()] == ["piece 1 of 2, held 20 ms", "piece 2 of 2, held 20 ms"]
    back = [each.fate for each in segments(tmp_path / "a") if each.direction is not OUT and each.kind is Kind.DATA]
    assert back == ["piece 1 of 2", "piece 2 of 2"]


def test_corrupt_keeps_what_the_bytes_were(tmp_path: Path) -> None:
    with streams(tmp_path / "a", "corrupt bit 3 byte 1 ->") as between:
        between.client.sendall(b"Hello")
        assert read_exactly(between.server, 5) == b"Hmllo"
    (segment,) = between.sent()
    assert (segment.fate, bytes(segment.data)) == ("bit 3 of byte 1 flipped", b"Hmllo")
    assert segment.original is not None and bytes(segment.original) == b"Hello"
    clean(tmp_path / "a")


def test_cut(tmp_path: Path) -> None:
    with streams(tmp_path / "a", "cut after 3 ->") as between:
        between.client.sendall(b"Hello")
        assert read_all(between.server) == b"Hel"
        assert read_all(between.client) == b""
    ends = [each for each in segments(tmp_path / "a") if each.kind is Kind.FIN]
    assert [each.fate for each in ends] == ["cut after 3 bytes"] * 2
    clean(tmp_path / "a")


def test_reset(tmp_path: Path) -> None:
    with streams(tmp_path / "a", "reset after 3 ->") as between:
        between.client.sendall(b"Hello")
        with pytest.raises(ConnectionResetError):
            between.client.recv(10)
    (end,) = [each for each in segments(tmp_path / "a") if each.kind is Kind.RESET]
    assert end.fate == "reset after 3 bytes"
    clean(tmp_path / "a")


def test_many_small_pieces_are_bounded(tmp_path: Path) -> None:
    with streams(tmp_path / "a", "slice 1", "stall") as between:
        between.client.settimeout(0.3)
        with pytest.raises(TimeoutError):
            for _ in range(1 << 10):
                between.client.send(bytes(1 << 16))
        (flow,) = between.relay.stats.flows
        assert max(way.pieces for way in flow.ways.values()) < 60_000


# Datagrams


class Datagrams:
    """A client and a server of datagrams, and the wire between them."""

    def __init__(self, relay: Relaying, client: socket.socket, server: socket.socket) -> None:
        self.relay, self.client, self.server = relay, client, server

    def send(self, *payloads: bytes) -> None:
        for payload in payloads:
            self.client.sendto(payload, self.relay.address)

    def received(self, count: int) -> list[bytes]:
        return [self.server.recv(100) for _ in range(count)]

    def nothing_more(self) -> bool:
        """A clean datagram after the others is the next that comes."""
        self.relay.ask(lambda: self.relay.wire.impair([], 1))
        self.send(b"last")
        return self.server.recv(100) == b"last"


@contextlib.contextmanager
def datagrams(path: Path, *specs: str, seed: int = 1) -> Iterator[Datagrams]:
    with contextlib.ExitStack() as stack:
        client, server = (stack.enter_context(socket.socket(type=socket.SOCK_DGRAM)) for _ in range(2))
        for sock in (client, server):
            sock.bind(("127.0.0.1", 0))
            sock.settimeout(PATIENCE)
        relay = stack.enter_context(Relaying(endpoint(server), path, Transport.UDP))
        relay.ask(lambda: relay.wire.impair(specs, seed))
        assert not relay.told(FaultsChanged)[-1].problem
        yield Datagrams(relay, client, server)


def told(path: Path) -> list[tuple[bytes, str]]:
    return [(bytes(each.data), each.words) for each in segments(path)]


def test_lost_datagrams_are_in_the_file_with_their_comment(tmp_path: Path) -> None:
    with datagrams(tmp_path / "a", "loss first 1") as between:
        between.send(b"one", b"two")
        assert between.received(1) == [b"two"]
        assert between.nothing_more()
    assert told(tmp_path / "a") == [(b"one", "dropped"), (b"two", ""), (b"last", "")]
    clean(tmp_path / "a")


def test_duplicate(tmp_path: Path) -> None:
    with datagrams(tmp_path / "a", "duplicate every 2") as between:
        between.send(b"one", b"two")
        assert between.received(3) == [b"one", b"two", b"two"]
    assert told(tmp_path / "a") == [(b"one", ""), (b"two", ""), (b"two", "duplicate")]
    clean(tmp_path / "a")


def test_reorder(tmp_path: Path) -> None:
    with datagrams(tmp_path / "a", "reorder 1 first 1") as between:
        between.send(b"one", b"two", b"three")
        assert between.received(3) == [b"two", b"one", b"three"]
    assert told(tmp_path / "a") == [(b"two", ""), (b"one", "let 1 ahead"), (b"three", "")]


def test_datagrams_are_corrupted_held_and_slowed_as_well(tmp_path: Path) -> None:
    with datagrams(tmp_path / "a", "corrupt bit 0 byte 0", "delay 10ms", "throttle 1KB/s") as between:
        between.send(b"one")
        assert between.received(1) == [b"nne"]
    ((payload, fate),) = told(tmp_path / "a")
    assert (payload, fate) == (b"nne", "bit 0 of byte 0 flipped, held 10 ms")
    assert segments(tmp_path / "a")[0].original == b"one"
    clean(tmp_path / "a")


@pytest.mark.parametrize("transport", Transport)
def test_clearing_lets_what_is_held_go_at_once(tmp_path: Path, transport: Transport) -> None:
    between: Callable[..., contextlib.AbstractContextManager[Streams | Datagrams]]
    between = streams if transport is Transport.TCP else datagrams
    with between(tmp_path / "a", "stall") as held:
        if isinstance(held, Streams):
            held.client.sendall(b"Hello")
        else:
            held.send(b"Hello")
        wait_until(lambda: any(flow.held for flow in held.relay.stats.flows))
        held.relay.ask(lambda: held.relay.wire.impair([], 1))
        assert held.server.recv(10) == b"Hello"


def test_the_same_seed_repeats_a_run(tmp_path: Path) -> None:
    def run(name: str, seed: int) -> list[str]:
        with datagrams(tmp_path / name, "loss 50%", seed=seed) as between:
            for number in range(40):
                between.send(b"%d" % number)
                wait_until(lambda number=number: between.relay.writer.tally.segments == number + 1)
        return [fate for _, fate in told(tmp_path / name)]

    first = run("a", 1)
    assert "dropped" in first and "" in first
    assert first == run("b", 1)
    assert first != run("c", 2)
