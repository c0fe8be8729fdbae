"""A capture that arrives piece by piece gives the segments and streams that the mapped file gives."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from netlab.capture.capture_file import Capture
from netlab.capture.in_order import InOrder
from netlab.capture.model import CaptureError, Direction, Endpoint, Flow, Kind, Segment, Transport
from netlab.capture.packet_recorder import TcpRecord, UdpRecord
from netlab.capture.savefile import save_files
from netlab.capture.segment_reader import SegmentReader
from netlab.capture.writer import CaptureWriter
from tests.capture.test_agreement import UNTIDY
from tests.support import build
from tests.support.folders import CAPTURE_CASES
from tests.support.newest import Traffic

CLIENT, SERVER = Endpoint("127.0.0.1", 50001), Endpoint("127.0.0.1", 20000)


def written(path: Path) -> Path:
    """Two flows with all that a wire may do to them."""
    writer = CaptureWriter(str(path), 1 << 20)
    tcp, udp = TcpRecord(writer, CLIENT, SERVER), UdpRecord(writer, CLIENT, SERVER)
    tcp.opened(10**18)
    for at, way in enumerate(Direction, 1):
        tcp.way(way).carried(10**18 + at, memoryview(b"Hello" * at))
        tcp.way(way).carried(10**18 + at, memoryview(b"Hallo"), "corrupt", memoryview(b"Hello"))
        tcp.way(way).dropped(10**18 + at, memoryview(b"gone"), "loss")
        udp.way(way).carried(10**18 + at, memoryview(b"time?"))
        udp.way(way).dropped(10**18 + at, memoryview(b"lost"), "loss")
    tcp.from_client.finished(10**18 + 5)
    tcp.from_server.reset(10**18 + 6, "reset")
    writer.settle()
    writer.close()
    return path


def shown(segment: Segment) -> tuple[object, ...]:
    original = None if segment.original is None else bytes(segment.original)
    plain = (segment.flow, segment.direction, segment.kind, segment.length, segment.offset, segment.fate)
    return (segment.number, segment.time_ns, *plain, segment.outcome, segment.fragments, bytes(segment.data), original)


def files(folder: Path) -> list[Path]:
    untidy = folder / "untidy.pcapng"
    untidy.write_bytes(build.capture(UNTIDY))
    traffic = Traffic(folder / "ring.pcapng")
    record = traffic.open(40000)
    traffic.talk(record, 1000)
    traffic.writer.flush()
    save_files(traffic.writer.files, traffic.writer.length, folder / "newest.pcapng")
    traffic.writer.close()
    return [written(folder / "lab.pcapng"), untidy, folder / "newest.pcapng", *sorted(CAPTURE_CASES.iterdir())]


@pytest.mark.parametrize("size", [1, 29, 1 << 18])
def test_pieces_of_any_size_give_what_the_whole_file_gives(tmp_path: Path, size: int) -> None:
    for path in files(tmp_path):
        data, reader = path.read_bytes(), SegmentReader()
        found = [shown(each.segment) for at in range(0, len(data), size) for each in reader.feed(data[at : at + size])]
        reader.end()
        with Capture.of_file(path) as capture:
            capture.grow()
            if path.stem == "newest":
                assert capture.let_go > 100
            assert found == [shown(segment) for segment in capture.segments], path.name
            assert (reader.problem, reader.unread) == (capture.problem, capture.unread), path.name


def test_streams_are_put_in_order(tmp_path: Path) -> None:
    for path in files(tmp_path):
        reader = SegmentReader()
        found = [each for each in reader.feed(path.read_bytes()) if each.streamed]
        with Capture.of_file(path) as capture:
            capture.grow()
            for flow in capture.flows:
                for way in Direction:
                    chunks, order = capture.stream(flow, way), InOrder()
                    own = [s for s, _ in found if (s.flow, s.direction) == (flow, way)]
                    pieces = [bytes(piece) for segment in own for piece in order.add(segment)]
                    pieces += map(bytes, order.end())
                    assert b"".join(pieces) == b"".join(bytes(chunk.view) for chunk in chunks), path.name
                    kept = sum(len(chunk.view) for chunk in chunks)
                    assert (order.position, order.missing) == (chunks.length, chunks.length - kept)


def test_pieces_in_any_order_become_the_stream() -> None:
    flow = Flow(1, Transport.TCP, CLIENT, SERVER)
    chance, whole = random.Random(7), bytes(range(200))
    for _ in range(50):
        cuts = [(at, at + chance.randint(10, 40)) for at in range(0, 200, 10)]
        chance.shuffle(cuts)
        order, out = InOrder(), b""
        for start, end in cuts:
            piece = memoryview(whole)[start:end]
            segment = Segment(1, 0, flow, Direction.TO_SERVER, Kind.DATA, len(piece), piece, start)
            out += b"".join(map(bytes, order.add(segment)))
        assert (out, order.missing) == (whole, 0)


def test_damage_is_named_by_its_place_in_the_whole_capture(tmp_path: Path) -> None:
    path = written(tmp_path / "lab.pcapng")
    broken = bytearray(path.read_bytes())
    broken[-4:] = b"\1\1\1\1"  # the last block's length, repeated
    path.write_bytes(broken)
    reader = SegmentReader()
    for at in range(0, len(broken), 100):
        list(reader.feed(bytes(broken[at : at + 100])))
    reader.end()
    with Capture.of_file(path) as capture:
        capture.grow()
        assert capture.problem
        assert reader.problem == capture.problem


def test_what_is_cut_short_or_no_capture_is_said(tmp_path: Path) -> None:
    data, reader = written(tmp_path / "lab.pcapng").read_bytes(), SegmentReader()
    list(reader.feed(data[:-2]))
    reader.end()
    assert reader.problem.startswith("it ends inside the block that begins at byte ")
    with pytest.raises(CaptureError, match="not a capture"):
        list(SegmentReader().feed(b"GET / HTTP/1.1\r\nHost: example\r\n\r\n"))
    with pytest.raises(CaptureError, match="too short"):
        SegmentReader().end()


def test_a_block_without_end_is_not_kept() -> None:
    head = build.capture([])
    endless, reader = head + (6).to_bytes(4, "little") + (0xFFFFFFF0).to_bytes(4, "little"), SegmentReader()
    list(reader.feed(endless))
    for _ in range(70):
        if reader.problem:
            break
        list(reader.feed(bytes(1 << 20)))
    assert reader.problem == f"the block at byte {len(head):,} is too long; what follows cannot be read"
