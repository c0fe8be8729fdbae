"""Traffic that is recorded with a capture that keeps the newest, and what of it should be there."""

from __future__ import annotations

import random
from pathlib import Path

from netlab.capture.capture_file import Capture
from netlab.capture.model import Direction, Endpoint, Keep, Kind
from netlab.capture.packet_recorder import TcpRecord, UdpRecord
from netlab.capture.writer import CaptureWriter

LIMIT = 64 << 10
SERVER = Endpoint("127.0.0.1", 50000)  # above the clients' ports: who is the server cannot be guessed
TO_SERVER, TO_CLIENT = Direction.TO_SERVER, Direction.TO_CLIENT


class Traffic:
    """A wire's recorder, and what it recorded: every segment's flow, way, kind and bytes, in order."""

    def __init__(self, path: Path, limit: int = LIMIT) -> None:
        self.path = path
        self.writer = CaptureWriter(str(path), limit, Keep.NEWEST)
        self.random = random.Random(7)
        self.time = 10**18
        self.all: list[tuple[Endpoint, Direction, Kind, bytes]] = []

    def open(self, port: int) -> TcpRecord:
        client = Endpoint("127.0.0.1", port)
        record = TcpRecord(self.writer, client, SERVER)
        record.opened(self._now())
        self.all.append((client, TO_SERVER, Kind.OPEN, b""))
        return record

    def send(self, record: TcpRecord | UdpRecord, way: Direction, data: bytes) -> None:
        record.way(way).carried(self._now(), memoryview(data))
        self.all.append((record._client, way, Kind.DATA, data))

    def drop(self, record: TcpRecord, data: bytes) -> None:
        record.way(TO_SERVER).dropped(self._now(), memoryview(data), "by hand")
        self.all.append((record._client, TO_SERVER, Kind.DATA, b""))

    def close(self, record: TcpRecord) -> None:
        for way in Direction:
            record.way(way).finished(self._now())
            self.all.append((record._client, way, Kind.FIN, b""))
        record.closed()

    def talk(self, record: TcpRecord, count: int) -> None:
        for _ in range(count):
            self.send(record, TO_SERVER, self.random.randbytes(self.random.randrange(1, 200)))
            self.send(record, TO_CLIENT, self.random.randbytes(self.random.randrange(1, 200)))

    def _now(self) -> int:
        self.time += 1000
        return self.time

    def read(self, capture: Capture, at_most: int | None = None) -> None:
        length = self.writer.flush()
        capture.grow(length, at_most=at_most, files=self.writer.files)
