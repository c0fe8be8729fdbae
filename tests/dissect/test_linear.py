"""No dissector does more than its share of work for more bytes, however they are made."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from netlab.capture.model import Direction
from netlab.topics.discovery import find_topics, topic_named
from tests.support.work import calls

KIB = 1024
OWN = [topic.name for topic in find_topics() if topic.package.startswith("netlab.")]
CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nTransfer-Encoding: chunked\r\n\r\n"
XML = b"POST / HTTP/1.1\r\nContent-Type: text/xml\r\nContent-Length: 999999999\r\n\r\n"
JSON = XML.replace(b"text/xml", b"application/json")
RECORD = b"\x16\x03\x03\x40\x00"
TORMENTS: dict[str, Callable[[int], bytes]] = {
    "zeros": bytes,
    "newlines": lambda n: b"\n" * n,
    "less-than": lambda n: b"<" * n,
    "ones": lambda n: b"\xff" * n,
    "digits": lambda n: b"7" * n,
    "headers": lambda n: b"GET / HTTP/1.1\r\n" + b"a:b\r\n" * (n // 5),
    "one long line": lambda n: b"GET /" + b"a" * n,
    "chunk sizes": lambda n: CHUNKED + b"0;" * (n // 2),
    "tiny chunks": lambda n: CHUNKED + b"1\r\nx\r\n" * (n // 6),
    "trailer": lambda n: CHUNKED + b"0;\n" + b"a:b\n" * (n // 4),
    "open tags": lambda n: XML + b"<a>" * (n // 3),
    "values": lambda n: XML + b"<methodResponse><params><param>" + b"<value/>" * (n // 8),
    "text in pieces": lambda n: XML + b"<value>" + b"x&lt;" * (n // 5),
    "attributes": lambda n: XML + b"<a" + b" b='c'" * (n // 6),
    "JSON values": lambda n: JSON + b"[" + b'{"a":1},' * (n // 8),
    "a JSON string": lambda n: JSON + b'"' + b"\\n" * (n // 2),
    "empty records": lambda n: b"\x17\x03\x03\0\0" * (n // 5),
    "empty messages": lambda n: (RECORD + b"\x0e\0\0\0" * 0x1000) * -(-n // 0x4005),
    "empty certificates": lambda n: (RECORD + b"\x0b\0\x3f\xfc\0\x3f\xf9" + b"\0\0\0" * 0x1553) * -(-n // 0x4005),
    "a record in pieces": lambda n: b"\x16\x03\x03\0\1\1" * (n // 6),
    "empty frames": lambda n: b"\0\0\0\0" * (n // 4),
    "one-byte frames": lambda n: b"\0\0\0\1N" * (n // 5),
    "opcodes": lambda n: n.to_bytes(4, "big") + b"\x80\x04" + b"(t" * n,
    "lines of a pickle": lambda n: n.to_bytes(4, "big") + b"\x80\x04" + b"I1\n" * n,
    "tiny stores": lambda n: b"\1\0\0\0\1x" * (n // 6),
}


@pytest.mark.parametrize("size", [4 * KIB, 32 * KIB])
@pytest.mark.parametrize("torment", TORMENTS)
@pytest.mark.parametrize("topic", OWN)
def test_four_times_the_bytes_take_no_more_than_four_times_the_work(topic: str, torment: str, size: int) -> None:
    dissect, make = topic_named(topic).dissector(), TORMENTS[torment]
    for direction in Direction:
        small, large = memoryview(make(size)), memoryview(make(4 * size))
        few = calls(lambda small=small, way=direction: dissect(small, way, 0))
        many = calls(lambda large=large, way=direction: dissect(large, way, 0))
        assert many < 4.4 * few + 1000


@pytest.mark.parametrize("torment", TORMENTS)
@pytest.mark.parametrize("topic", OWN)
def test_eight_mebibytes_are_read_in_bounded_time(topic: str, torment: str) -> None:
    data = memoryview(TORMENTS[torment](8 * KIB * KIB))
    started = time.process_time()
    topic_named(topic).dissector()(data, Direction.TO_CLIENT, 0)
    assert time.process_time() - started < 5  # a quadratic one takes minutes; of the slowest this is ten times its time
