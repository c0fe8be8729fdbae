"""What Wireshark's tshark makes of bytes, to compare a dissector's fields with."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="Wireshark's tshark is not installed")

Pairs = list[tuple[str, object]]
"""A JSON object as it stands: in order, and with the keys that come more than once."""


def run(path: Path, *arguments: str) -> str:
    """What tshark prints of a file."""
    command = ["tshark", "-n", "-r", str(path), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def one_segment(path: Path, data: bytes) -> Path:
    """A pcap file (LINKTYPE_RAW) with the bytes as one TCP segment to port 20000."""
    tcp = struct.pack("!HHIIBBHHH", 40000, 20000, 1, 1, 0x50, 0x18, 65535, 0, 0)
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40 + len(data), 0, 0, 64, 6, 0, b"\x7f\0\0\1", b"\x7f\0\0\1")
    packet = ip + tcp + data
    header = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 101)
    path.write_bytes(header + struct.pack("<IIII", 0, 0, len(packet), len(packet)) + packet)
    return path


def layers(path: Path, protocol: str, port: int, only: str = "") -> Pairs:
    """What all packets carry in layers above TCP, with ``port`` decoded as ``protocol``; ``only`` is a filter."""
    arguments = ["-d", f"tcp.port=={port},{protocol}", "-Y", f"tcp.len > 0{only and f' && {only}'}", "-T", "json"]
    packets = json.loads(run(path, *arguments), object_pairs_hook=list)
    found: Pairs = []
    for packet in packets:
        inside = dict(dict(packet)["_source"])["layers"]
        found += [(key, value) for key, value in inside if key not in ("frame", "raw", "ip", "ipv6", "tcp")]
    return found


def values(pairs: object, *keys: str) -> list[str]:
    """The values of those keys at any depth, in order."""
    return [value for key, value in walk(pairs) if key in keys and isinstance(value, str)]


def walk(pairs: object) -> Iterator[tuple[str, object]]:
    """Each key with its value, from the front."""
    for pair in pairs if isinstance(pairs, list) else ():
        if not isinstance(pair, tuple):
            continue
        yield pair
        value = pair[1]
        if isinstance(value, list) and value and not isinstance(value[0], tuple):
            yield from ((pair[0], item) for item in value if isinstance(item, str))
            for item in value:
                yield from walk(item)
        else:
            yield from walk(value)


def names_of(field: str, prefix: str) -> dict[int, str]:
    """Wireshark's own table of a field's values (``tshark -G values``, read by ``prefix`` lines)."""
    rows = (line.split("\t") for line in prefix.splitlines())
    return {int(row[2], 0): row[3] for row in rows if row[:2] == ["V", field]}
