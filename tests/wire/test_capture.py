"""What the wire writes: an independent reader and Wireshark both find exactly the bytes that were sent."""

import errno
import os
import random
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

from netlab.capture import packet_recorder
from netlab.capture.model import Direction, Endpoint
from netlab.capture.packet_recorder import TcpRecord, UdpRecord
from netlab.capture.synthesis import Heading
from netlab.capture.writer import CaptureWriter, Tally
from netlab.wire.facts import Captured, Synced
from netlab.wire.live_wire import ANNOUNCE_EVERY
from tests.support.independent import Conversation, conversations, frames
from tests.support.relaying import Relaying, abort, accept, endpoint, listening, read_all
from tests.support.waiting import wait_until

CLIENT, SERVER = Endpoint("127.0.0.1", 40000), Endpoint("127.0.0.1", 20000)
THERE, BACK = random.Random(1).randbytes(700_001), random.Random(2).randbytes(300_007)

needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="Wireshark's tshark is not installed")


def tshark(path: Path, *arguments: str) -> str:
    command = ["tshark", "-r", str(path), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Endpoint, Endpoint]:
    """A capture of three flows: bytes both ways with half-closes, one reset, one of nothing; all in IPv4."""
    path = tmp_path_factory.mktemp("wire") / "exchange.pcapng"
    with listening() as server, Relaying(endpoint(server), path) as relay:
        client = relay.connect()
        accepted = accept(server)
        where = endpoint(client)
        with client, accepted:
            for start in range(0, len(THERE), 100_000):
                client.sendall(THERE[start : start + 100_000])
                accepted.recv(1)  # a little of each, so that both directions interleave
                accepted.sendall(BACK[start : start + 100_000])
            client.shutdown(socket.SHUT_WR)
            read_all(accepted)
            accepted.close()
            read_all(client)
        broken, other = relay.connect(), accept(server)
        broken.sendall(b"never mind")
        other.recv(20)
        abort(broken)
        wait_until(lambda: relay.writer.tally.open_flows == 0)
        relay.connect().close()
        accept(server).close()
        wait_until(lambda: relay.writer.tally.flows == 3 and relay.writer.tally.open_flows == 0)
        address = relay.address
    return path, where, address


def test_an_independent_reader_finds_the_bytes(exchange: tuple[Path, Endpoint, Endpoint]) -> None:
    path, client, address = exchange
    first, second, third = conversations(path)
    assert (first.client, first.server) == (client, address), "as if no relay stood between"
    assert bytes(first.to_server.data) == THERE
    assert bytes(first.to_client.data) == BACK
    assert first.to_server.fin and first.to_client.fin and not first.reset
    assert bytes(second.to_server.data) == b"never mind" and second.reset
    assert not third.to_server.data and third.to_server.fin


def test_times_never_go_back(exchange: tuple[Path, Endpoint, Endpoint]) -> None:
    times = [frame.time_ns for frame in frames(exchange[0].read_bytes())]
    assert times == sorted(times)


@needs_tshark
def test_wireshark_has_no_complaint(exchange: tuple[Path, Endpoint, Endpoint]) -> None:
    path = exchange[0]
    assert subprocess.run(["capinfos", str(path)], capture_output=True).returncode == 0
    assert tshark(path, "-Y", "_ws.malformed") == ""
    assert tshark(path, "-Y", "tcp.analysis.flags") == ""
    checked = tshark(path, "-o", "ip.check_checksum:TRUE", "-Y", "ip.checksum.status != 1")
    assert checked == ""


@needs_tshark
def test_wireshark_follows_the_same_streams(exchange: tuple[Path, Endpoint, Endpoint]) -> None:
    lines = re.findall(r"^(\t?)([0-9a-f]+)$", tshark(exchange[0], "-q", "-z", "follow,tcp,raw,0"), re.MULTILINE)
    assert bytes.fromhex("".join(line for tab, line in lines if not tab)) == THERE
    assert bytes.fromhex("".join(line for tab, line in lines if tab)) == BACK


@needs_tshark
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_wireshark_agrees_with_udp_checksums(tmp_path: Path, host: str) -> None:
    path = tmp_path / "udp.pcapng"
    writer = CaptureWriter(str(path), 1 << 20)
    record = UdpRecord(writer, Endpoint(host, 40000), Endpoint(host, 20000))
    for size in (0, 1, 2, 1001, 65507):
        record.way(Direction.TO_SERVER).carried(10**18, memoryview(random.Random(size).randbytes(size)))
    writer.close()
    assert tshark(path, "-o", "udp.check_checksum:TRUE", "-Y", "udp.checksum.status != 1 || _ws.malformed") == ""


def recorded(path: Path, limit: int, sizes: list[int]) -> CaptureWriter:
    """One flow of payloads of these sizes."""
    writer = CaptureWriter(str(path), limit)
    record = TcpRecord(writer, CLIENT, SERVER)
    record.opened(10**18)
    for size in sizes:
        record.way(Direction.TO_SERVER).carried(10**18, memoryview(bytes(size)))
    record.way(Direction.TO_SERVER).finished(10**18)
    return writer


def test_no_datagram_says_that_it_has_no_checksum() -> None:
    """Zero would mean that (RFC 768), and in IPv6 it is forbidden."""
    heading = Heading(CLIENT, SERVER)
    checks = {heading.udp(memoryview(number.to_bytes(2, "big")))[-2:] for number in range(1 << 16)}
    assert b"\0\0" not in checks and b"\xff\xff" in checks


def test_a_long_way_one_way_is_acknowledged_now_and_then(tmp_path: Path) -> None:
    path = tmp_path / "long.pcapng"
    recorded(path, 1 << 20, [10 << 20] * 5).close()
    silent = [frame for frame in frames(path.read_bytes()) if frame.length == 40]
    assert len(silent) >= 1 + 2 + 1, "the handshake's, two on the way, the FIN's"
    assert conversations(path)[0].to_server.fin


def test_a_full_capture_keeps_headers_says_so_and_counts_on(tmp_path: Path) -> None:
    path = tmp_path / "full.pcapng"
    writer = recorded(path, 1 << 20, [10_000] * 200)
    writer.close()
    (flow,) = conversations(path)
    assert len(flow.to_server.data) + flow.to_server.missing == 2_000_000, "headers go on, numbers stay right"
    assert flow.to_server.fin
    assert writer.length == path.stat().st_size < (1 << 20) * 17 // 16
    assert "beyond 1 MiB is not kept" in writer.note
    tally = writer.tally
    assert (tally.segments, tally.to_server) == (202, 2_000_000)
    assert tally.kept == 1 + len(flow.to_server.data) // 10_000
    assert tally.kept + tally.let_go == 202


def test_what_is_far_too_much_is_not_written_at_all(tmp_path: Path) -> None:
    path = tmp_path / "full.pcapng"
    writer = recorded(path, 1 << 20, [10] * 30_000)
    writer.close()
    assert path.stat().st_size <= (1 << 20) * 17 // 16
    assert conversations(path)
    assert writer.tally.segments == 30_002


def test_a_full_disk_leaves_whole_blocks_and_the_relay_alive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "disk.pcapng"
    room = 300_000
    real = os.pwritev

    def scarce(file: int, parts: list[bytes], position: int) -> int:
        whole = b"".join(parts)
        if position >= room:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(file, [whole[: room - position]], position)

    monkeypatch.setattr(os, "pwritev", scarce)
    monkeypatch.setattr(os, "pwrite", lambda file, rest, position: scarce(file, [rest], position))
    writer = recorded(path, 1 << 30, [100_000] * 10)
    writer.close()
    (flow,) = conversations(path)
    assert 0 < len(flow.to_server.data) < room
    assert "No space left on device" in writer.note
    tally = writer.tally
    assert tally.to_server == 1_000_000
    assert tally.kept + tally.let_go == tally.segments
    assert path.stat().st_size == writer.length


def test_announced_lengths_end_at_whole_blocks(tmp_path: Path) -> None:
    path = tmp_path / "c.pcapng"
    with listening() as server, Relaying(endpoint(server), path) as relay:
        with relay.connect() as client, accept(server) as accepted:
            for number in range(50):
                client.sendall(bytes(number * 1000 + 1))
                accepted.recv(10)
            client.close()
            read_all(accepted)
        relay.ask(lambda: relay.wire.sync(7))
        assert relay.facts[-1] == Synced(7)
        content = path.read_bytes()
        lengths = {fact.length for fact in relay.told(Captured)}
        assert len(lengths) > 1
        for length in lengths:
            frames(content[:length])
        whole: Conversation = conversations(content[: relay.told(Captured)[-1].length])[0]
        assert len(whole.to_server.data) == sum(range(50)) * 1000 + 50


def test_announcements_are_rare_but_the_last_is_complete(tmp_path: Path) -> None:
    with listening() as server, Relaying(endpoint(server), tmp_path / "c.pcapng") as relay:
        begun = time.monotonic()
        with relay.connect() as client, accept(server) as accepted:
            for _ in range(300):
                client.sendall(b"x")
                accepted.recv(1)
                accepted.sendall(b"y")
                client.recv(1)
        wait_until(lambda: relay.told(Captured)[-1].tally.to_client == 300)
        announced = relay.told(Captured)
        assert len(announced) <= (time.monotonic() - begun) / ANNOUNCE_EVERY + 2
        assert announced[-1].tally.kept == announced[-1].tally.segments


def test_short_segments_recorded_together_make_the_same_capture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if each had been recorded at once: order, numbers, acknowledgements, counters, a flow that opens between."""
    random_ = random.Random(7)
    steps = [
        (random_.randrange(2), random_.choice(list(Direction)), random_.choice((1, 64, 64, 4096, 9000)))
        for _ in range(700)
    ]

    def made(name: str) -> tuple[bytes, Tally]:
        writer = CaptureWriter(str(tmp_path / name), 256 << 20)
        flows = [TcpRecord(writer, Endpoint("127.0.0.1", 40000 + at), SERVER) for at in range(2)]
        flows[0].opened(10**18)
        for number, (at, direction, size) in enumerate(steps):
            if number == 300:
                flows[1].opened(10**18)
            flow = flows[at if number >= 300 else 0]
            flow.way(direction).carried(10**18 + number, memoryview(bytes([number % 256]) * size))
        flows[0].way(Direction.TO_SERVER).dropped(10**18, memoryview(b"gone"), "in transit")
        flows[0].way(Direction.TO_SERVER).finished(10**18)
        writer.close()
        return (tmp_path / name).read_bytes(), writer.tally

    monkeypatch.setattr(packet_recorder, "_ACKNOWLEDGE_AFTER", 10_000)
    together = made("together.pcapng")
    monkeypatch.setattr(packet_recorder, "SMALL", -1)
    assert together == made("one-by-one.pcapng")


def test_a_new_capture_introduces_open_flows(tmp_path: Path) -> None:
    first, second = tmp_path / "1.pcapng", tmp_path / "2.pcapng"
    with listening() as server, Relaying(endpoint(server), first) as relay:
        with relay.connect() as client, accept(server) as accepted:
            client.sendall(b"before")
            accepted.recv(10)
            relay.ask(lambda: relay.wire.restart_capture(str(second)))
            client.sendall(b"after")
            accepted.recv(10)
        wait_until(lambda: relay.writer.tally.open_flows == 0)
        assert relay.writer.tally.flows == 1
    assert bytes(conversations(first)[0].to_server.data) == b"before"
    (flow,) = conversations(second)
    assert bytes(flow.to_server.data) == b"after" and flow.to_server.fin
    assert frames(second.read_bytes())[0].comments == ["opened before this capture began"]


def test_a_capture_that_cannot_be_restarted_goes_on(tmp_path: Path) -> None:
    with listening() as server, Relaying(endpoint(server), tmp_path / "1.pcapng") as relay:
        relay.ask(lambda: relay.wire.restart_capture(str(tmp_path / "no" / "folder")))
        with relay.connect() as client, accept(server) as accepted:
            client.sendall(b"still kept")
            accepted.recv(20)
    assert bytes(conversations(tmp_path / "1.pcapng")[0].to_server.data) == b"still kept"


def test_fates_and_originals_are_written(tmp_path: Path) -> None:
    path = tmp_path / "c.pcapng"
    writer = CaptureWriter(str(path), 1 << 20)
    record = TcpRecord(writer, CLIENT, SERVER)
    record.opened(10**18)
    way = record.way(Direction.TO_SERVER)
    way.carried(10**18, memoryview(b"Jello"), "bit 1 of byte 0 flipped", memoryview(b"Hello"))
    way.dropped(10**18, memoryview(b"gone"), "in transit")
    way.carried(10**18, memoryview(b"!"))
    long = memoryview(bytes(100_000))
    way.carried(10**18, long, "much", long)
    writer.close()
    (flow,) = conversations(path)
    assert bytes(flow.to_server.data[:-100_000]) == b"Jello!", "what was dropped has no place in the stream"
    told = [(frame.comments, frame.original) for frame in frames(path.read_bytes())[3:]]
    assert told[:3] == [
        (["bit 1 of byte 0 flipped", "netlab: outcome=changed"], b"Hello"),
        (["in transit", "netlab: outcome=dropped"], b"gone"),
        ([], None),
    ]
    assert told[3:] == [
        (["much", "netlab: outcome=changed"], bytes(100_000)),
        (["much", "netlab: outcome=changed"], None),
    ], "it stands before the first piece alone"
