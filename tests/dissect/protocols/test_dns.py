"""DNS names that lead elsewhere, many times over."""

from __future__ import annotations

from netlab.capture.model import Direction
from netlab.dissect.protocols.dns import PROTOCOL
from netlab.dissect.reading.in_memory import read_pieces
from tests.support.work import calls


def query(records: int) -> bytes:
    """A long name of short labels, and records whose names all point at it."""
    name = b"\1a" * 120 + b"\0"
    record = b"\xc0\x0c\0\1\0\1\0\0\0\0\0\0"
    body = b"\0\1\1\0\0\1" + records.to_bytes(2) + bytes(4) + name + b"\0\1\0\1" + record * records
    return len(body).to_bytes(2) + body


def test_many_pointers_to_a_long_name_read_it_once() -> None:
    few, many = (calls(lambda n=n: read_pieces(PROTOCOL.make, [(Direction.TO_SERVER, query(n))])) for n in (10, 190))
    assert (many - few) / 180 < 100
