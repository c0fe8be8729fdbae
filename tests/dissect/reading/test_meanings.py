"""What each flow of a capture is read as: recognised, as its topic, as the person chose; and its lines."""

from __future__ import annotations

from pathlib import Path

from netlab.capture.model import Flow, Kind, Transport
from netlab.dissect.flow import Protocol
from netlab.dissect.reading.choices import Choices
from netlab.dissect.reading.meanings import Meanings
from netlab.dissect.reading.protocol_discovery import protocol_named
from netlab.topics.discovery import topics
from netlab.topics.topic_protocols import known_protocols, named, read_whole
from tests.support.screen.panes_app import IN, OUT, HandMade

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


def lines(meanings: Meanings, capture: HandMade) -> list[str]:
    return [meanings.words(segment) for segment in capture.segments if segment.length]


def http_capture(pairs: int = 1) -> HandMade:
    capture = HandMade()
    flow = capture.open()
    for _ in range(pairs):
        capture.add(flow, OUT, GET)
        capture.add(flow, IN, OK)
    return capture


def test_a_flow_is_recognised_as_its_bytes_come() -> None:
    capture = HandMade()
    flow = capture.open()
    meanings = Meanings(capture)
    assert meanings.of(flow).protocol.name == "text"
    capture.add(flow, OUT, GET[:5])
    assert meanings.of(flow).protocol.name == "text"
    capture.add(flow, OUT, GET[5:])
    assert meanings.of(flow).protocol.name == "http"
    assert meanings.of(flow).final
    other = capture.open()
    capture.add(other, OUT, b"hello there\n")
    assert lines(meanings, capture) == ["GET /…", "GET /", "'hello there\\n'"]


def test_a_topic_is_what_its_port_says_where_its_content_agrees() -> None:
    def name(port: int, data: bytes) -> str:
        capture = HandMade()
        flow = capture.open()
        moved = Flow(flow.number, Transport.TCP, flow.client, flow.server._replace(port=port))
        capture.segments.clear()
        capture.add(moved, OUT, b"", Kind.OPEN)
        capture.add(moved, OUT, data)
        return Meanings(capture, known=known_protocols, whole=read_whole).of(moved).protocol.name

    port = {topic.name: topic.port for topic in topics().values()}
    assert name(port["wsgi"], GET) == "wsgi"
    assert name(port["xmlrpc"], GET) == "xmlrpc"
    assert name(port["xmlrpc"], b"hello\n") == "text"
    assert name(9999, GET) == "http"
    assert name(port["tcp"], b"hello\n") == "tcp"
    assert name(port["tcp"], GET) == "http"


def test_a_choice_for_a_port_is_remembered_and_one_for_a_flow_goes_before_it(tmp_path: Path) -> None:
    capture, file = http_capture(), tmp_path / "data" / "protocols.json"
    flow = capture.flows[0]
    choices = Choices(named, file)
    meanings = Meanings(capture, choice=choices)
    choices.for_port(flow, "text")
    meanings.forget()
    assert meanings.of(flow).protocol.name == "text"
    assert Choices(named, file).name(flow) == "text"
    choices.for_flow(flow, "tls")
    meanings.forget()
    assert meanings.of(flow).protocol.name == "tls"
    choices.for_port(flow, "")
    meanings.forget()
    assert meanings.of(flow).protocol.name == "http"
    assert Choices(named, file).name(flow) == ""
    for damaged in ("{", "[]", '{"tcp 20000": 5}'):
        file.write_text(damaged, encoding="utf-8")
        assert Choices(named, file).name(flow) == ""


def test_lines_of_a_long_flow_are_found_out_by_work() -> None:
    capture = http_capture(300)
    meanings = Meanings(capture)
    last = capture.segments[-1]
    shown = meanings.words(last)
    for _ in range(100):
        if shown == "200 OK · 2 bytes":
            break
        for work in meanings.work():
            assert work()
        shown = meanings.words(last)
    assert shown == "200 OK · 2 bytes"
    assert meanings.words(capture.segments[1]) == "GET /"


def test_nothing_of_a_persons_own_file_runs_for_a_line() -> None:
    ran = list[str]()

    def make() -> object:
        ran.append("made")
        raise ArithmeticError

    slow = Protocol("slow", "slow", lambda opening: 0, make)  # type: ignore[arg-type,return-value]  # it is never read
    capture = http_capture()
    meanings = Meanings(capture, always=slow, slow=True)
    assert "GET / HTTP/1.1" in lines(meanings, capture)[0]
    assert not ran
    for work in meanings.work():
        work()
    assert ran == ["made"]
    reader = meanings.of(capture.flows[0]).reader
    assert reader is not None
    assert reader.problem == "the dissector failed: ArithmeticError: "
    assert protocol_named("http") is not None
