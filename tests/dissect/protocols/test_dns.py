"""DNS names that lead elsewhere, many times over."""

from __future__ import annotations

from netlab.capture.model import Direction
from netlab.dissect.protocols.dns import PROTOCOL
from netlab.dissect.reading.in_memory import read_pieces
from tests.support.work import calls


def query(labels: int) -> bytes:
    """A name of so many labels, and 190 records whose names all point at it."""
    record = b"\xc0\x0c\0\1\0\1\0\0\0\0\0\0"
    body = b"\0\1\1\0\0\1\0\xbe" + bytes(4) + b"\1a" * labels + b"\0\0\1\0\1" + record * 190
    return len(body).to_bytes(2) + body


def test_many_pointers_to_a_long_name_read_it_once() -> None:
    short, long = (calls(lambda n=n: read_pieces(PROTOCOL.make, [(Direction.TO_SERVER, query(n))])) for n in (1, 120))
    assert long < 1.5 * short
