"""tshark's own fields for a segment: which message it is a part of, and positions only where the bytes prove them."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from netlab.capture.capture_file import Capture
from netlab.capture.model import Direction, Endpoint
from netlab.capture.packet_recorder import TcpRecord, UdpRecord
from netlab.capture.writer import CaptureWriter
from netlab.dissect.fields import Field
from netlab.dissect.wireshark.flow_packets import MOST_BYTES, MOST_SEGMENTS, as_pcap, pieces_around
from netlab.dissect.wireshark.tshark import ABSENT, TsharkFields, TsharkRun
from tests.support.screen.recorded_tls import sample

with_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
REQUEST = b"POST /form?x=1 HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n"
ANSWER = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\n5\r\n{"a":\r\n'
QUERY = bytes.fromhex("12340100000100000000000007") + b"example\x03com\x00\x00\x01\x00\x01"
CLIENT = Endpoint("127.0.0.1", 50001)
BAD_NUMBERS = (
    '<pdml><packet><proto name="geninfo"><field name="num" show="4"/></proto>'
    '<proto name="x"><field name="y" pos="here" size="1" value="50"/></proto></packet></pdml>'
)


@pytest.fixture
def capture(tmp_path: Path) -> Iterator[Capture]:
    """Segments 2 to 5 are a request, 6 and 7 its answer, 8 a DNS query; 9 is bytes that no protocol knows."""
    writer = CaptureWriter(str(tmp_path / "lab.pcapng"), 1 << 20)
    web = TcpRecord(writer, CLIENT, Endpoint("127.0.0.1", 8080))
    web.opened(1)
    for piece in (REQUEST[:20], REQUEST[20:50], REQUEST[50:], b"name=spam&a"):
        web.from_client.carried(2, memoryview(piece))
    for piece in (ANSWER, b"5\r\n true\r\n1\r\n}\r\n0\r\n\r\n"):
        web.from_server.carried(3, memoryview(piece))
    names = UdpRecord(writer, Endpoint("::1", 50002), Endpoint("::1", 53))
    names.from_client.carried(4, memoryview(QUERY))
    web.from_client.carried(5, memoryview(b"\x00\x01\x02"))
    writer.settle()
    writer.close()
    with Capture.of_file(tmp_path / "lab.pcapng") as found:
        found.grow()
        yield found


def asked(capture: Capture, number: int) -> TsharkFields:
    segment = capture.segments[number - 1]
    run = TsharkRun(segment, pieces_around(segment, capture), lambda number: capture.segments[number - 1].time_ns)
    return run.fields()


def flat(fields: tuple[Field, ...]) -> Iterator[Field]:
    for field in fields:
        yield field
        yield from flat(field.children)


def spans(capture: Capture, number: int) -> dict[str, bytes]:
    """The linked fields by name, with the bytes of the stream that they are linked to."""
    segment, found = capture.segments[number - 1], asked(capture, number)
    assert found.problem == ""
    if segment.flow.transport.value == "udp":
        whole = bytes(segment.data)
    else:
        stream = capture.stream(segment.flow, segment.direction)
        whole = bytes(stream.view(0, stream.length))
    at = segment.offset
    return {f.name: whole[f.start + at : f.end + at] for f in flat(found.fields) if f.end > f.start}


@with_tshark
@pytest.mark.parametrize("number", [2, 3, 4, 5])
def test_each_part_of_a_message_shows_the_whole(capture: Capture, number: int) -> None:
    found = spans(capture, number)
    assert found["http.request.method"] == b"POST"
    assert found["http.request.uri.query"] == b"x=1"
    assert found["http.host"] == b"Host: a\r\n"
    assert found["http.file_data"] == b"name=spam&a"


@with_tshark
def test_a_protocol_at_another_port_is_read_as_netlab_reads_it(tmp_path: Path) -> None:
    writer = CaptureWriter(str(tmp_path / "odd.pcapng"), 1 << 20)
    record = TcpRecord(writer, CLIENT, Endpoint("127.0.0.1", 20000))
    record.opened(1)
    record.from_client.carried(2, memoryview(b"*2\r\n$3\r\nGET\r\n$4\r\nspam\r\n"))
    writer.settle()
    writer.close()
    with Capture.of_file(tmp_path / "odd.pcapng") as capture:
        capture.grow()
        segment = capture.segments[1]
        names = {}
        for protocol in ("", "redis"):
            run = TsharkRun(segment, pieces_around(segment, capture), lambda number: 0, protocol)
            names[protocol] = {field.name for field in flat(run.fields().fields)}
    assert "resp" not in names[""], "tshark goes by the port"
    assert "resp" in names["redis"]


@with_tshark
def test_what_was_unpacked_is_not_linked(capture: Capture) -> None:
    found = spans(capture, 7)
    assert found["http.response.code"] == b"200"
    assert {"http.file_data", "json.object", "json.member"}.isdisjoint(found), "they lie in the dechunked body"
    names = {field.name for field in flat(asked(capture, 7).fields)}
    assert {"http.file_data", "json.object", "json.member"} <= names


@with_tshark
def test_a_datagram_and_flags_in_one_word(capture: Capture) -> None:
    found = spans(capture, 8)
    assert found["dns.qry.name"] == b"\x07example\x03com\x00"
    assert found["dns.flags.opcode"] == QUERY[2:4]


@with_tshark
def test_fields_are_in_order_and_those_without_a_place_are_empty(capture: Capture) -> None:
    def check(fields: tuple[Field, ...]) -> None:
        starts = [field.start for field in fields]
        assert starts == sorted(starts)
        for field in fields:
            assert field.start <= field.end
            check(field.children)

    for number in range(2, 9):
        check(asked(capture, number).fields)


@with_tshark
def test_a_run_can_be_cancelled_before_and_while_it_runs(capture: Capture) -> None:
    segment = capture.segments[1]
    run = TsharkRun(segment, pieces_around(segment, capture), lambda number: 0)
    run.cancel()
    assert run.fields().fields == ()
    again = TsharkRun(segment, pieces_around(segment, capture), lambda number: again.cancel() or 0)  # type: ignore[func-returns-value]
    thread = threading.Thread(target=again.fields)
    thread.start()
    thread.join(10)
    assert not thread.is_alive()


def test_without_tshark_it_is_one_sentence(capture: Capture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert asked(capture, 2) == TsharkFields(problem=ABSENT)


@pytest.mark.parametrize(
    "answer",
    [
        "exit 3",
        "echo nonsense",
        "echo '<pdml><packet>'",
        "echo '<pdml></pdml>'",
        f"echo '{BAD_NUMBERS}'",
        "head -c 9000000 /dev/zero",
    ],
)
def test_any_answer_of_the_program_is_a_sentence(
    capture: Capture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: str
) -> None:
    (tmp_path / "tshark").write_text(f"#!/bin/sh\n{answer}\n")
    (tmp_path / "tshark").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    found = asked(capture, 2)
    assert found.fields == ()
    assert found.problem.startswith("tshark")
    if answer.startswith("head"):
        assert "could not be read" in found.problem, "its end is not waited for"


def test_a_packet_with_too_many_fields_is_refused(
    capture: Capture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    many = "<field name='x' show='x'/>" * 200_000
    (tmp_path / "answer").write_text(f"<pdml><packet><proto name='x'>{many}</proto></packet></pdml>")
    (tmp_path / "tshark").write_text(f"#!/bin/sh\ncat {tmp_path / 'answer'}\n")
    (tmp_path / "tshark").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert asked(capture, 2).problem == "tshark says too much about this packet to show it"


def test_a_long_flow_is_given_in_bounds(tmp_path: Path) -> None:
    writer = CaptureWriter(str(tmp_path / "long.pcapng"), 1 << 30)
    record = TcpRecord(writer, CLIENT, Endpoint("127.0.0.1", 9))
    record.opened(1)
    for number in range(3000):
        record.way(list(Direction)[number % 3 == 0]).carried(2, memoryview(b"%900d" % number))
    writer.settle()
    writer.close()
    with Capture.of_file(tmp_path / "long.pcapng") as capture:
        capture.grow()
        for number in (2, 1500, 3001):
            segment = capture.segments[number - 1]
            pieces = pieces_around(segment, capture)
            assert number in [piece.segment for piece in pieces]
            assert [piece.segment for piece in pieces] == sorted({piece.segment for piece in pieces})
            assert len(pieces) <= MOST_SEGMENTS
            assert sum(len(piece.data) for piece in pieces) <= MOST_BYTES
            made = as_pcap(segment.flow, pieces)
            assert made.bytes_at(segment.direction, segment.offset, segment.offset + 900) == bytes(segment.data)


@with_tshark
def test_secrets_open_tls(tmp_path: Path) -> None:
    secrets, sent, received = sample()
    writer = CaptureWriter(str(tmp_path / "tls.pcapng"), 1 << 20)
    record = TcpRecord(writer, CLIENT, Endpoint("127.0.0.1", 20443))
    record.opened(1)
    hello = 5 + int.from_bytes(sent[3:5], "big")
    for way, piece in (
        (record.from_client, sent[:hello]),
        (record.from_server, received[:-27]),
        (record.from_client, sent[hello:]),
    ):
        way.carried(2, memoryview(piece))
    writer.settle()
    writer.close()
    with Capture.of_file(tmp_path / "tls.pcapng") as capture:
        capture.grow()
        segment, seen = capture.segments[3], []
        for keys in ("", secrets + "\n"):
            run = TsharkRun(segment, pieces_around(segment, capture), lambda number: 2, "tls", keys)
            seen.append([field.value for field in flat(run.fields().fields)])
    assert ["48656c6c6f" in "".join(values).replace(":", "") for values in seen] == [False, True]
