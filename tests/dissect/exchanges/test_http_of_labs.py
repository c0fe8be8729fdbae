"""HTTP's picture of what a lab records, of its own clients and others', live and from the saved file."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from netlab.capture.capture_file import Capture
from netlab.capture.model import Transport
from netlab.capture.view import CapturedSegments
from netlab.dissect.picture import Picture, Row
from netlab.dissect.protocols.http import PROTOCOL
from netlab.dissect.reading.seen_flow import seen_flow
from netlab.lab import Lab
from netlab.topics.pictures import draws_of
from netlab.topics.topic_protocols import named
from netlab.topics.wsgi import picture as wsgi_picture
from tests.support.waiting import wait_until

TIMES = re.compile(r"   [\d.]+ (µs|ms|s) to first byte, [\d.]+ (µs|ms|s) in all$")
WIDTH = 140


def drawn(capture: CapturedSegments, topic: str) -> list[Picture]:
    """The most special picture of each flow, read as a topic reads it."""
    protocol = named(topic)
    assert protocol is not None
    pictures = []
    for flow in capture.flows:
        seen = seen_flow(capture, flow, protocol.make)
        draws = draws_of(protocol, Transport.TCP)
        pictures.append(next(picture for draw in draws if (picture := draw(seen, WIDTH)) is not None))
    return pictures


def exchanges(pictures: list[Picture]) -> list[str]:
    """The first row of each, without its times."""
    said = [picture.rows[0].text for picture in pictures]
    assert all(TIMES.search(text) for text in said)
    return [TIMES.sub("", text) for text in said]


def saved(lab: Lab, path: Path) -> Capture:
    """The lab's capture, from a file, once all its flows have ended and the lab has read all of it."""
    lab.sync()  # the wire may announce a flow after its answer has come
    wait_until(lambda: all(flow.closed is not None for flow in lab.flows), "the end of all flows")
    lab.save(path)
    capture = Capture.of_file(path)
    capture.grow()
    wait_until(lambda: lab.capture.segment_count == capture.segment_count, "the lab's own reading")
    return capture


def test_calls_of_a_lab(tmp_path: Path) -> None:
    with Lab("xmlrpc") as lab:
        session = lab.connect()
        session.set("spam", [1, b"\xff", {"a": None}])
        session.get("spam")
        capture = saved(lab, tmp_path / "calls.pcapng")
        live, opened = drawn(lab.capture, "xmlrpc"), drawn(capture, "xmlrpc")
    assert exchanges(live) == [
        "POST /RPC2 200  set('spam', [1, b'\\xff', {'a': None}]) → None",
        "POST /RPC2 200  get('spam') → [1, b'\\xff', {'a': None}]",
    ]
    assert opened == live
    # Whatever its port, HTTP sees the calls.
    assert exchanges(drawn(capture, "http")) == exchanges(live)


def test_requests_of_a_lab_and_of_curl(tmp_path: Path) -> None:
    with Lab("wsgi") as lab:
        session = lab.connect()
        session.get("/localtime")
        session.get("/hello", name="<b>")
        curl = ["curl", "-sS", "--max-time", "10", "-F", "name=Guido", f"http://{lab.address}/hello"]
        subprocess.run(curl, check=True, stdout=subprocess.DEVNULL, timeout=20)
        capture = saved(lab, tmp_path / "requests.pcapng")
        live, opened = drawn(lab.capture, "wsgi"), drawn(capture, "wsgi")
    time, greeting, form = exchanges(live)
    assert re.fullmatch(r"GET /localtime 200  XML, \d+ bytes", time)
    assert greeting.startswith("GET /hello?name=%3Cb%3E 200  text/html")
    assert form.startswith("POST /hello 200  text/html")
    one = "HTTP/1: 1 exchange"
    assert [picture.title for picture in live] == [one, "WSGI: a name that is HTML", one]
    assert "name = Guido" in texts(live[2].rows)
    assert "<year>" in " ".join(texts(live[0].rows))
    assert opened == live


def texts(rows: tuple[Row, ...]) -> list[str]:
    return [text for row in rows for text in (row.text, *texts(row.details))]


def test_a_topics_picture_comes_before_that_of_its_protocol() -> None:
    web, calls = named("wsgi"), named("xmlrpc")
    assert web is not None
    assert calls is not None
    assert draws_of(web, Transport.TCP)[:2] == (wsgi_picture.draw, PROTOCOL.draw)
    assert draws_of(calls, Transport.TCP)[0] is PROTOCOL.draw
