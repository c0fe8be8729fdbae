"""HPACK (RFC 7541): the examples of its appendix C, and tables that grow, shrink and lose what they had."""

from __future__ import annotations

import pytest

from netlab.dissect.field_reader import FieldReader
from netlab.dissect.http2.header_table import MOST_SIZE, HeaderTable
from netlab.dissect.http2.hpack import Block, read_block
from netlab.dissect.http2.huffman import NoHuffman, decoded


def block(table: HeaderTable, packed: str) -> Block:
    return read_block(FieldReader(memoryview(bytes.fromhex(packed))), table)


def test_requests_in_huffman_code_fill_the_table() -> None:  # C.4
    table = HeaderTable()
    first = block(table, "828684418cf1e3c2e5f23a6ba0ab90f4ff")
    second = block(table, "828684be5886a8eb10649cbf")
    third = block(table, "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf")
    assert first.headers[3] == (":authority", "www.example.com")
    assert second.headers[3:] == [(":authority", "www.example.com"), ("cache-control", "no-cache")]
    assert third.headers == [
        (":method", "GET"),
        (":scheme", "https"),
        (":path", "/index.html"),
        (":authority", "www.example.com"),
        ("custom-key", "custom-value"),
    ]
    assert [table.at(index) for index in (62, 63, 64)] == [
        ("custom-key", "custom-value"),
        ("cache-control", "no-cache"),
        (":authority", "www.example.com"),
    ]


def test_responses_evict_the_oldest() -> None:  # C.6, whose table has 256 bytes
    table = HeaderTable()
    table.resize(256)
    block(
        table,
        "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3",
    )
    second = block(table, "4883640effc1c0bf")
    assert second.headers == [
        (":status", "307"),
        ("cache-control", "private"),
        ("date", "Mon, 21 Oct 2013 20:13:21 GMT"),
        ("location", "https://www.example.com"),
    ]
    assert table.at(62) == (":status", "307")
    assert block(table, "c2").problem == "index 66 in a header block, but the table ends at 65"


def test_after_a_gap_what_is_new_is_known_again() -> None:
    table = HeaderTable()
    table.forget()
    found = block(table, "be4001610162be")
    assert [name[:9] for name, _ in found.headers] == ["(not know", "a", "a"]
    assert found.problem == ""


def test_a_table_keeps_no_more_than_its_bound() -> None:
    table = HeaderTable()
    table.resize(1 << 30)
    for number in range(1000):
        table.add((str(number), "x" * 4000), 4003)
    assert table.at(62) == ("999", "x" * 512)
    assert table.at(62 + MOST_SIZE // 4000) is None


@pytest.mark.parametrize("packed", ["ff", "00", "ffffffff", "f8ff", ""])
def test_bits_that_are_no_huffman_code(packed: str) -> None:
    if packed:
        with pytest.raises(NoHuffman):
            decoded(bytes.fromhex(packed))
    else:
        assert decoded(b"") == b""
