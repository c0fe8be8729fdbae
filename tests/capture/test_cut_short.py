"""A file of others that is cut short, or replaced, while it is looked at: what is gone is `LetGo`, and never SIGBUS."""

from __future__ import annotations

import os
import random
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from netlab.capture.capture_file import Capture
from netlab.capture.files.file_memory import STEP, WINDOW
from netlab.capture.model import Direction, LetGo
from tests.capture.frames.test_fragments import PARTS, UDP_PACKET
from tests.support import build

PAYLOADS = (b"Hello", b"x" * (WINDOW + 10), b"y" * (STEP + 10), b"the last")
NOISE = build.enhanced(build.ip("127.0.0.1", "127.0.0.1", 1, b"an ICMP message"))
FRAGMENTS = [part(UDP_PACKET, *ends) for part in PARTS.values() for ends in ((0, 64), (128, 520), (64, 128))]


def sent(*payloads: bytes) -> bytes:
    """A client's packets as blocks, with their original bytes before them, and noise between them."""
    blocks, position = b"", 101
    for payload in payloads:
        header = build.tcp_header(build.CLIENT[1], build.SERVER[1], position, build.ACK)
        packet = build.ip("127.0.0.1", "127.0.0.1", 6, header + payload, total=0)
        blocks += NOISE * (WINDOW // len(NOISE) + 1) + build.original(payload) + build.enhanced(packet)
        position += len(payload)
    return blocks


WHOLE = build.capture(build.opened()) + sent(*PAYLOADS) + b"".join(map(build.enhanced, FRAGMENTS))


def looked_at(capture: Capture) -> list[object]:
    """Everything that can be seen of it."""
    seen: list[object] = [
        (segment.number, segment.kind, bytes(segment.data), bytes(segment.original or b""), segment.fate)
        for segment in capture.segments
    ]
    streams = [capture.stream(flow, way) for flow in capture.flows for way in Direction]
    return seen + [[bytes(chunk.view) for chunk in stream] for stream in streams]


def read(path: Path) -> Capture:
    capture = Capture.of_file(path)
    capture.grow()
    return capture


def test_what_is_copied_is_what_is_mapped(tmp_path: Path) -> None:
    path = tmp_path / "grows.pcapng"
    path.write_bytes(b"")
    with Capture(path) as mapped, Capture(path, others=True) as copied, path.open("ab", buffering=0) as writer:
        for stop in (30, len(WHOLE) // 2, len(WHOLE) - 2, len(WHOLE)):
            writer.write(WHOLE[writer.tell() : stop])
            for capture in mapped, copied:
                while capture.grow(at_most=3):
                    pass
                capture.grow()
            assert looked_at(copied) == looked_at(mapped)
            assert (copied.position, copied.problem, copied.unread) == (mapped.position, mapped.problem, mapped.unread)
        data = [bytes(segment.data) for segment in copied.segments if segment.data]
        assert tuple(data[: len(PAYLOADS)]) == PAYLOADS and len(data) == len(PAYLOADS) + len(PARTS)
        assert not copied.cut_short


@pytest.mark.parametrize("by", ["nothing", "zeros", "another", "noise"])
def test_what_is_cut_off_or_replaced_is_let_go(tmp_path: Path, by: str) -> None:
    path, random_bytes = tmp_path / "cut.pcapng", random.Random(7).randbytes(len(WHOLE))
    other = {"nothing": b"", "zeros": bytes(len(WHOLE)), "another": sent(b"z" * len(WHOLE)), "noise": random_bytes}[by]
    for left in (0, 20, 300, WINDOW, len(WHOLE) // 2, len(WHOLE) - 4):
        path.write_bytes(WHOLE)
        with read(path) as capture:
            os.truncate(path, left)
            with path.open("ab") as writer:
                writer.write(other[left : len(WHOLE)])
            count = len(capture.segments)
            looked_at(capture)
            for index in range(count):
                with suppress(LetGo):
                    bytes(capture.segments[index].data)
            assert capture.cut_short or by != "nothing"
            capture.grow()


def test_one_looks_while_another_cuts(tmp_path: Path) -> None:
    path, over = tmp_path / "cut.pcapng", threading.Event()
    path.write_bytes(WHOLE)

    def cut() -> None:
        while not over.is_set():
            os.truncate(path, 100)
            path.write_bytes(WHOLE)

    cutting = threading.Thread(target=cut)
    cutting.start()
    try:
        for _ in range(20):
            with Capture(path, others=True) as capture:
                capture.grow()
                looked_at(capture)
                looked_at(capture)
    finally:
        over.set()
        cutting.join()
