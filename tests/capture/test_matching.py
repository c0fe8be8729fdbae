"""A filter finds the same segments by a capture's index as one by one."""

from __future__ import annotations

from pathlib import Path

import pytest

from netlab.capture.capture_file import Capture
from netlab.capture.filter import parse
from netlab.capture.filtering.matching import matching
from tests.capture.test_filter import CASES
from tests.capture.test_segment_index import talk
from tests.support import build
from tests.support.build import ACK, CLIENT, FIN, PSH, SERVER, SYN, tcp, udp

EXPRESSIONS = [
    *CASES, "flow 3", "flow 9999", "'HELLO'", "not 'hello'", "'hello' or fin", "not (in or 'hello')", "data len=0",
    "fate 'hello'", r"b'\x00\x00'", r"b'\x00' >2", "0x45", "'before'", "'outcome'", "'llo, w'",
    "'127.0'", "'x' not open", "'large hello'",
]  # fmt: skip


def all_kinds() -> bytes:
    """What differs in how it is stored: links, options, originals, fragments, and bytes that are not the payload's."""
    whole = build.ip("127.0.0.1", "127.0.0.1", 17, b"\x1f\x90\x00\x35\x00\x14\x00\x00Hello, whole")
    parts = (
        build.ip("127.0.0.1", "127.0.0.1", 17, whole[20:36], fragment=0x2000),
        build.ip("127.0.0.1", "127.0.0.1", 17, whole[36:], fragment=2),
    )
    large = build.ip("127.0.0.1", "127.0.0.1", 6, build.tcp_header(9, 20000, 1, ACK), total=0)
    blocks = [
        *map(build.enhanced, build.opened()),
        build.enhanced(tcp(CLIENT, SERVER, 101, PSH | ACK, b"Hello, world")),
        build.original(b"Hello before"),
        build.enhanced(tcp(CLIENT, SERVER, 113, PSH | ACK, b"Jello")),
        build.original(b"lost Hello"),
        build.enhanced(tcp(CLIENT, SERVER, 118, ACK), comments=("in transit", "netlab: outcome=dropped")),
        build.enhanced(tcp(CLIENT, SERVER, 118, FIN | ACK, b"hello at the end")),
        build.enhanced(b"not IP, but Hello"),
        build.enhanced(udp(CLIENT, SERVER, b"hello by datagram"), comments=("Hello: delayed 5 ms",)),
        build.old(udp(CLIENT, SERVER, b"say hello")),
        build.simple(udp(SERVER, CLIENT, b"HELLO")),
        *map(build.enhanced, parts),
        build.enhanced(tcp(("127.0.0.1", 0x4845), SERVER, 1, SYN, b"x")),
        build.enhanced(tcp(SERVER, CLIENT, 901, PSH | ACK, b"cut: hello there")[:48], length=56),
        build.block(99, b"Hello in a block of others"),
        build.enhanced(udp(("::1", 5), ("::1", 6), b"Hello six")),
        build.enhanced(large + bytes(3 << 20) + b"a large Hello"),
        build.enhanced(tcp(SERVER, CLIENT, 917, PSH | ACK, b"at last: hello")),
    ]
    return build.section() + build.interface() + b"".join(blocks) + b"".join(talk(1)) + b"".join(talk(2))


@pytest.mark.parametrize("others", [True, False], ids=["copied", "mapped"])
def test_the_index_finds_the_same_segments_as_a_look_at_each(tmp_path: Path, others: bool) -> None:
    (tmp_path / "all.pcapng").write_bytes(all_kinds())
    with Capture(tmp_path / "all.pcapng", others=others) as capture:
        capture.grow()
        assert not capture.problem
        for text in EXPRESSIONS:
            wanted = parse(text)
            expected = [index for index, segment in enumerate(capture.segments) if wanted.matches(segment)]
            assert matching(capture, wanted.term, 0, len(capture.segments)) == expected, text
            assert matching(capture, wanted.term, 4, 9) == [index for index in expected if 4 <= index < 9], text


def test_a_hit_in_every_row_is_found(tmp_path: Path) -> None:
    packets = [udp(CLIENT, SERVER, b"Hello" * (number % 3)) for number in range(20_000)]
    (tmp_path / "many.pcapng").write_bytes(build.capture(packets))
    with Capture.of_file(tmp_path / "many.pcapng") as capture:
        capture.grow()
        for text, rest in (("'hello'", (1, 2)), ("'lohe'", (2,)), ("'hellohellohello'", ())):
            found = matching(capture, parse(text).term, 0, 20_000)
            assert found == [number for number in range(20_000) if number % 3 in rest]
