"""A call and its segments: by the bytes that crossed, not by when they crossed."""

from __future__ import annotations

import ssl
import time

import pytest

from netlab.capture.capture_file import Capture
from netlab.capture.model import Segment
from netlab.lab import Lab
from netlab.lab.client.attribution import CallTraffic
from netlab.lab.client.session import Session
from tests.support.folders import CAPTURE_CASES


def _of(lab: Lab, session: Session, number: int) -> list[tuple[str, str, int]]:
    """Kind, direction and length of a call's segments, once there are any: what was sent crosses a moment later."""
    deadline = time.monotonic() + 10
    while not session.attribution.segments_of(number, lab.capture) and time.monotonic() < deadline:
        lab.sync()
    segments = lab.capture.segments
    found = [segments[n - 1] for n in session.attribution.segments_of(number, lab.capture)]
    return [(s.kind.value, s.direction.value, s.length) for s in found]


def _calls(session: Session) -> dict[str, int]:
    return {entry.text: entry.call for entry in session.transcript if entry.kind.value == "call"}


def test_each_call_has_the_bytes_that_it_sent_or_read() -> None:
    with Lab("tcp", model="threading") as lab, lab.connect() as client:
        client.send(b"Hello")
        assert client.recv(5) == b"Hello"  # or both would cross as one segment
        client.send(b"World!")
        calls = _calls(client)
        assert _of(lab, client, 1) == [("open", "→", 0)]
        assert _of(lab, client, calls["s.send(b'Hello')"]) == [("data", "→", 5)]
        assert _of(lab, client, calls["s.send(b'World!')"]) == [("data", "→", 6)]
        assert _of(lab, client, calls["s.recv(5)"])[0][:2] == ("data", "←")


def test_two_clients_are_told_apart_and_a_segment_names_its_call() -> None:
    with Lab("tcp", model="threading") as lab, lab.connect() as one, lab.connect() as two:
        for client, said in ((one, b"one"), (two, b"two")):
            client.send(said)
            client.recv(100)
        for segment in lab.capture.segments:
            speaker = one if segment.flow.client == one.local else two
            other = two if speaker is one else one
            assert speaker.attribution.call_of(segment) is not None
            assert other.attribution.call_of(segment) is None
        assert [one.attribution.call_of(s) for s in _data(lab, one)] == [2, 3]


@pytest.mark.parametrize(
    ("topic", "line", "least"),
    [("udp", "ask()", 2), ("wsgi", "get('/hello')", 3), ("xmlrpc", "set('a', 1)", 3), ("hmac", "send(b'Hello')", 1),
     ("multiprocessing", "send([1, 2])", 1), ("tls", "send(b'Hello')", 1)],
)  # fmt: skip
def test_every_kind_of_client_is_linked(topic: str, line: str, least: int) -> None:
    with Lab(topic) as lab, lab.open() as client:
        client.run(line)
        last = max(_calls(client).values())
        found = _of(lab, client, last)
        assert len([one for one in found if one[0] != "fin"]) >= least
        sent = [one for one in found if one[1] == "→" and one[0] == "data"]
        assert sent, found
        assert all(
            client.attribution.call_of(segment) is not None
            for segment in _data(lab, client)
            if segment.direction.value == "→"
        )


def _data(lab: Lab, client: Session) -> list[Segment]:
    return [s for s in lab.capture.segments if s.length and (client.local is None or s.flow.client == client.local)]


def test_a_call_that_waits_has_its_segments_already() -> None:
    with Lab("xmlrpc") as lab, lab.open() as client:
        client.run("exists('a')")
        client.submit("sleep(9)")
        deadline = time.monotonic() + 10
        while len(requests := _requests(lab)) < 2 and time.monotonic() < deadline:
            lab.sync()
        assert client.busy
        calls = _calls(client)
        (waiting,) = [number for text, number in calls.items() if "sleep" in text]
        assert client.attribution.call_of(requests[-1]) == waiting
        assert client.attribution.call_of(requests[0]) not in (waiting, None)
        assert {"open", "data"} <= {kind for kind, _, _ in _of(lab, client, waiting)}
        client.abandon()


def _requests(lab: Lab) -> list[Segment]:
    return [s for s in lab.capture.segments if bytes(s.data[:5]) == b"POST "]


def test_bytes_beside_a_flag_belong_to_the_call_that_sent_them() -> None:
    with Capture.of_file(CAPTURE_CASES / "syn_fin_rst_with_data.pcap") as capture:
        capture.grow()
        opening, ending, reset = capture.segments
        local = opening.flow.client
        fast = CallTraffic(1, local, 0, 1, opened=True, sent=range(9), read=range(0))
        reading = CallTraffic(2, local, 0, 1, sent=range(9, 9), read=range(29))
        closing = CallTraffic(3, local, 0, 1, closed=True, sent=range(9, 9), read=range(29, 29))

        covered = [[one.covers(segment) for segment in capture.segments] for one in (fast, reading, closing)]
        assert covered == [[True, False, False], [False, True, False], [False, True, True]]
        assert (opening.offset, ending.offset, reset.offset) == (0, 0, 9)


def test_how_the_call_ended_that_opened_a_connection_stays_known() -> None:
    with Lab("tls") as lab:
        accepted, refused = lab.connect(), lab.open()
        lab.submit(":server-name elsewhere")
        with pytest.raises(ssl.SSLCertVerificationError):
            refused.connect()
        lab.sync()
        first, second = lab.capture.flows
        assert accepted.attribution.facts(first.client) == {"outcome": None}
        assert accepted.attribution.facts(second.client) == {}
        outcome = refused.attribution.facts(second.client)["outcome"]
        assert isinstance(outcome, ssl.SSLCertVerificationError)
        assert (outcome.verify_code, outcome.__traceback__) == (62, None)
