"""A capture of many small segments: conversations that take turns, each asking and being answered."""

from __future__ import annotations

import random
import struct
from pathlib import Path

from tests.support import build
from tests.support.build import ACK, PSH, Address, tcp

SIZES = 16, 40, 64, 100
RARE = b"a needle"
FIRST_PORT = 30_000
_START, _STEP = 10**18, 1000
_TIME, _SEQUENCE = struct.Struct("<II"), struct.Struct(">II")
_TIME_AT, _SEQUENCE_AT, _PAYLOAD_AT = 12, 28 + 24, 28 + 40


def write_long_capture(path: Path, segments: int, flows: int = 1000) -> Path:
    """``segments`` segments in ``flows`` flows, at least one each; one segment in the middle holds `RARE`."""
    chosen = random.Random(1)
    clients = [("127.0.0.1", FIRST_PORT + flow) for flow in range(flows)]
    server = ("127.0.0.1", 20_000)
    blocks = {
        (flow, way, size): _block(clients[flow], server, way, size)
        for flow in range(flows)
        for way in (0, 1)
        for size in SIZES
    }
    nexts = [[101, 901] for _ in clients]
    now, count, rare = _START, flows, segments // 2
    with path.open("wb", buffering=1 << 20) as file:
        file.write(build.section() + build.interface())
        for client in clients:
            for packet in build.opened(client, server):
                file.write(build.enhanced(packet, now))
                now += _STEP
        while count < segments:
            flow = int(chosen.random() * flows)
            for way in (0, 1):
                size = SIZES[int(chosen.random() * len(SIZES))]
                block, sequences = blocks[flow, way, size], nexts[flow]
                _TIME.pack_into(block, _TIME_AT, now >> 32, now & 0xFFFFFFFF)
                _SEQUENCE.pack_into(block, _SEQUENCE_AT, sequences[way], sequences[1 - way])
                sequences[way] = sequences[way] + size & 0xFFFFFFFF
                file.write(block if count != rare else block[:_PAYLOAD_AT] + RARE + block[_PAYLOAD_AT + len(RARE) :])
                now, count = now + _STEP, count + 1
                if count == segments:
                    break
    return path


def _block(client: Address, server: Address, way: int, size: int) -> bytearray:
    ends = (server, client) if way else (client, server)
    return bytearray(build.enhanced(tcp(*ends, 0, PSH | ACK, (b"some words of a conversation, " * 4)[:size])))
