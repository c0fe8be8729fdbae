"""A capture that lets its oldest segments go: what is left keeps its numbers, and can be read without the rest."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from netlab.capture.capture_file import Capture
from netlab.capture.model import Endpoint, Kind, LetGo, Segment
from netlab.capture.packet_recorder import UdpRecord
from netlab.capture.savefile import save_files
from tests.support.newest import LIMIT, SERVER, TO_SERVER, Traffic


@pytest.fixture
def traffic(tmp_path: Path) -> Iterator[Traffic]:
    traffic = Traffic(tmp_path / "lab.pcapng")
    yield traffic
    traffic.writer.close()


def compare(traffic: Traffic, capture: Capture) -> list[Segment]:
    """What the capture has is exactly the newest of what crossed, with its numbers; the kept segments."""
    kept = list(capture.segments)
    assert [s.number for s in reversed(capture.segments)] == [s.number for s in reversed(kept)]
    assert len(capture.segments) == len(traffic.all)
    assert [s.number for s in kept] == list(range(capture.let_go + 1, len(traffic.all) + 1))
    for segment in kept:
        seen = segment.flow.client, segment.direction, segment.kind, bytes(segment.data)
        assert seen == traffic.all[segment.number - 1] and segment.flow.server == SERVER
    for flow in list(capture.flows)[:2]:
        assert list(capture.numbers(flow)) == [s.number for s in kept if s.flow == flow], "the dropped ones, too"
    return kept


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def test_a_reader_that_follows_sees_the_newest_with_their_numbers(traffic: Traffic) -> None:
    quiet, busy = traffic.open(40001), traffic.open(40002)
    with Capture(traffic.path) as capture:
        for _ in range(60):
            traffic.talk(busy, 20)
            traffic.drop(busy, b"never")
            traffic.read(capture)
            compare(traffic, capture)
        assert size_of(traffic.path.parent) <= LIMIT + (64 << 10), "what is not yet flushed comes on top"
        assert capture.let_go > 1000
        traffic.send(quiet, TO_SERVER, b"still here")
        traffic.read(capture)
        last = compare(traffic, capture)[-1]
        assert last.flow.number == 1, "a flow of which nothing is kept keeps its number while it is open"
        assert (last.offset, bytes(last.data)) == (0, b"still here")


def test_what_was_let_go_says_so(traffic: Traffic) -> None:
    record = traffic.open(40001)
    with Capture(traffic.path) as capture:
        traffic.talk(record, 20)
        traffic.read(capture)
        old, before = capture.segments[5], capture.stream(capture.flows[0], TO_SERVER)
        seen = bytes(old.data)
        while not capture.let_go:
            traffic.talk(record, 20)
            traffic.read(capture)
        assert old.data == seen == traffic.all[5][3], "a view that was handed out keeps its bytes"
        with pytest.raises(LetGo, match="segment 6 was let go"):
            capture.segments[5]
        assert capture.segments[:5] == ()
        later = capture.stream(capture.flows[0], TO_SERVER)
        assert before[0].offset == 0 and not len(before[0].view), "the older stream lacks those bytes now"
        assert later[0].offset > 0 and later[0].segment > capture.let_go
        sent = b"".join(data for _, way, _, data in traffic.all if way is TO_SERVER)
        assert later.length == len(sent)
        assert later.view(later[0].offset, later.length) == sent[later[0].offset :][: 1 << 20]


def test_flows_that_are_over_are_let_go_too(traffic: Traffic) -> None:
    with Capture(traffic.path) as capture:
        for port in range(40000, 42000):
            record = traffic.open(port)
            traffic.talk(record, 1)
            traffic.close(record)
            if port % 50 == 0:
                traffic.read(capture)
        traffic.read(capture)
        compare(traffic, capture)
        assert len(capture.flows) == 2000 and capture.flows[-1].number == 2000
        assert 0 < len(list(capture.flows)) < 200
        assert len(capture._conversations._sides[6]) == 2 * len(list(capture.flows))
        with pytest.raises(LetGo, match="flow 1 was let go"):
            capture.flows[0]


@pytest.mark.parametrize("at_most", [None, 7])
def test_a_reader_that_is_too_slow_goes_on_with_the_right_numbers(traffic: Traffic, at_most: int | None) -> None:
    first = traffic.open(40001)
    traffic.talk(first, 10)
    with Capture(traffic.path) as capture:
        traffic.read(capture, at_most)
        for round_ in range(5):
            between = traffic.open(41000 + round_)
            traffic.talk(between, 400)
            traffic.talk(first, 20)
            traffic.read(capture, at_most)
        while capture.position < traffic.writer.length:
            traffic.read(capture, at_most)
        kept = compare(traffic, capture)
        assert {s.flow.number for s in kept if s.flow.client.port == 40001} == {1}
        mine = [s for s in kept if s.flow.number == 1 and s.direction is TO_SERVER]
        offset = sum(len(d) for c, w, _, d in traffic.all[: mine[0].number - 1] if c.port == 40001 and w is TO_SERVER)
        assert mine[0].offset == offset, "its stream goes on where it stands"


def test_one_thread_looks_while_another_lets_go(traffic: Traffic) -> None:
    record = traffic.open(40001)
    over, wrong = threading.Event(), list[str]()
    with Capture(traffic.path) as capture:

        def look() -> None:
            while not over.is_set():
                for segment in capture.segments:
                    if bytes(segment.data) != traffic.all[segment.number - 1][3]:
                        wrong.append(f"segment {segment.number}")
                for flow in capture.flows:
                    stream = capture.stream(flow, TO_SERVER)
                    assert all(chunk.view is not None for chunk in stream)

        looking = threading.Thread(target=look)
        looking.start()
        for _ in range(100):
            traffic.talk(record, 40)
            traffic.read(capture)
        over.set()
        looking.join()
        assert not wrong


@pytest.mark.skipif(shutil.which("tshark") is None, reason="Wireshark's tshark is not installed")
def test_what_is_saved_is_a_capture_that_wireshark_reads(traffic: Traffic, tmp_path: Path) -> None:
    record = traffic.open(40001)
    with Capture(traffic.path) as capture:
        for _ in range(20):
            traffic.talk(record, 40)
            traffic.read(capture)
        saved = tmp_path / "saved.pcapng"
        save_files(traffic.writer.files, traffic.writer.length, saved)
        kept, let_go = list(capture.segments), capture.let_go
    with Capture.of_file(saved) as again:
        again.grow()
        assert [(s.number, s.offset, bytes(s.data)) for s in again.segments] == [
            (s.number, s.offset, bytes(s.data)) for s in kept
        ]
        assert {s.flow.server for s in again.segments} == {SERVER}
        assert again.let_go == let_go and not again.problem
    read = subprocess.run(["tshark", "-r", saved, "-Tfields", "-etcp.len"], capture_output=True, text=True, check=True)
    lengths = [int(line) for line in read.stdout.split() if line != "0"]
    assert lengths == [s.length for s in kept if s.length]


def test_datagrams(traffic: Traffic) -> None:
    record = UdpRecord(traffic.writer, Endpoint("127.0.0.1", 40000), SERVER)
    with Capture(traffic.path) as capture:
        for number in range(3000):
            traffic.send(record, TO_SERVER, b"%d" % number)
            if number % 100 == 0:
                traffic.read(capture)
        traffic.read(capture)
        compare(traffic, capture)
        assert capture.let_go and capture.flows[0].number == 1


def test_a_new_capture_begins_where_the_old_one_was_let_go(traffic: Traffic, tmp_path: Path) -> None:
    record = traffic.open(40001)
    traffic.talk(record, 1000)
    traffic.writer.restart(str(tmp_path / "again.pcapng"))
    traffic.path, traffic.all = tmp_path / "again.pcapng", [(record._client, TO_SERVER, Kind.OPEN, b"")]
    with Capture(traffic.path) as capture:
        for _ in range(30):
            traffic.talk(record, 40)
            traffic.read(capture)
        assert compare(traffic, capture)[0].offset > 0
        tally = traffic.writer.tally
        assert tally.let_go == capture.let_go and tally.kept + tally.let_go == tally.segments


def test_on_a_full_disk_the_oldest_go_first(traffic: Traffic, monkeypatch: pytest.MonkeyPatch) -> None:
    real, room = os.pwritev, LIMIT // 3

    def scarce(file: int, parts: Sequence[bytes], position: int) -> int:
        if size_of(traffic.path.parent) + sum(map(len, parts)) > room:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(file, parts, position)

    monkeypatch.setattr(os, "pwritev", scarce)
    record = traffic.open(40001)
    with Capture(traffic.path) as capture:
        for _ in range(20):
            traffic.talk(record, 20)
            traffic.read(capture)
        assert compare(traffic, capture) and capture.let_go
        assert size_of(traffic.path.parent) <= room
        room = 0
        traffic.talk(record, 20)
        traffic.read(capture)
        assert "no space left" in traffic.writer.note
        tally = traffic.writer.tally
        assert tally.kept + tally.let_go == tally.segments
