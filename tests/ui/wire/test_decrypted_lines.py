"""The wire list says what encrypted segments said, once their records were opened."""

from __future__ import annotations

import asyncio

import pytest
from textual.pilot import Pilot

from netlab.capture.model import Direction, Kind
from netlab.dissect.decrypted_record import Opened
from netlab.dissect.tls.tls_names import ALERT_MEANINGS, ALERTS
from netlab.lab import Lab
from netlab.topics.discovery import topic_named
from netlab.topics.tls.dissect import dissect
from netlab.ui.wire.decrypted_lines import DecryptedLines
from netlab.ui.wire.segment_list import SegmentList
from tests.support.screen.panes_app import IN, OUT, HandMade, PanesApp
from tests.support.screen.recorded_tls import sample, tls_capture
from tests.support.waiting import until, wait_until

TLS = topic_named("tls")


def opening(secrets: str | None = None) -> DecryptedLines:
    known = sample()[0] if secrets is None else secrets
    return DecryptedLines(lambda segment: TLS.conversation(), lambda: known)


def lines(capture: HandMade, lines: DecryptedLines) -> list[str]:
    """Each line, after all that was drawn has been opened."""
    for segment in capture.segments:
        lines.line(segment, dissect)
    lines.open(lines.work(capture))
    return [lines.line(segment, dissect) for segment in capture.segments]


def test_each_line_says_what_its_records_carried() -> None:
    opened, hello, server, client, said, echoed, end = lines(tls_capture(), opening())
    assert (opened, hello, end) == ("", "", "")
    assert server.startswith("handshake: server_hello; ")
    assert server.endswith(" more")
    assert client.endswith("handshake: finished")
    assert (said, echoed) == ("Hello", "Hello")


def test_a_conversation_that_grows_is_opened_further() -> None:
    capture, lines_ = tls_capture(), opening()
    later = [capture.segments.pop() for _ in range(3)]
    lines(capture, lines_)
    assert lines_.work(capture) == []
    capture.segments += reversed(later)
    assert lines(capture, lines_)[4:6] == ["Hello", "Hello"]


def test_secrets_that_are_written_later_open_what_was_drawn_before() -> None:
    capture, known = tls_capture(), [""]
    lines_ = DecryptedLines(lambda segment: TLS.conversation(), lambda: known[0])
    assert set(lines(capture, lines_)) == {""}
    known[0] = sample()[0]
    lines_.open(lines_.work(capture))
    assert lines_.line(capture.segments[4], dissect) == "Hello"


def test_without_the_secrets_nothing_is_claimed() -> None:
    other = "CLIENT_RANDOM " + "00" * 32 + " " + "00" * 48 + "\n"
    assert set(lines(tls_capture(), opening(other))) == {""}
    assert set(lines(tls_capture(), DecryptedLines(lambda segment: None, lambda: "x"))) == {""}


def test_a_record_across_segments_is_shown_where_it_lies() -> None:
    capture = HandMade()
    flow = capture.open()
    first, second = capture.add(flow, OUT, bytes(8)), capture.add(flow, OUT, bytes(12))

    class Conversation:
        def grow(self, secrets: str, *streams: memoryview) -> dict[Direction, list[Opened]]:
            return {OUT: [Opened(0, 20, 5, "application_data", b"abcdefgh")], IN: []}

    lines_ = DecryptedLines(lambda segment: Conversation, lambda: "x")
    lines(capture, lines_)
    assert [lines_.line(each, None) for each in (first, second)] == ["abcdefgh", "defgh"]


def test_what_opens_may_fail() -> None:
    class Conversation:
        def grow(self, secrets: str, *streams: memoryview) -> None:
            raise ArithmeticError("no")

    assert set(lines(tls_capture(), DecryptedLines(lambda segment: Conversation, lambda: "x"))) == {""}


@pytest.mark.parametrize("number", [0, 48])
def test_an_alert_in_clear_is_said_in_plain_words(number: int) -> None:
    said = dissect(memoryview(bytes([21, 3, 3, 0, 2, 2 if number else 1, number])), OUT).summary
    assert said == f"{'fatal alert ' if number else ''}{ALERTS[number]}: {ALERT_MEANINGS[number]}"
    assert set(ALERT_MEANINGS) <= set(ALERTS)


def test_the_list_draws_it() -> None:
    app = PanesApp(tls_capture(), dissect)

    async def script(pilot: Pilot[None]) -> None:
        app.wire.decrypted = opening()
        app.wire.show(app.capture, dissect)
        listed = app.wire.query_one(SegmentList)
        await until(pilot, lambda: any(drawn(listed, y).endswith("27  Hello") for y in range(9)), "Hello")

    async def run() -> None:
        async with app.run_test(size=(100, 40)) as pilot:
            await script(pilot)

    asyncio.run(run())


def drawn(listed: SegmentList, y: int) -> str:
    return listed.render_line(y).text.rstrip()


def test_a_lab_s_own_session_reads_in_the_clear_to_its_end() -> None:
    with Lab("tls") as lab:
        with lab.connect() as client:
            client.send(b"Hello")
            client.recv(8192)
        wait_until(lambda: any(line.text.startswith("closed ") for line in lab.log.since(0)[0]), "closed")
        lab.sync()
        lines_ = DecryptedLines(lambda segment: TLS.conversation(), lambda: lab.secrets)
        segments = [segment for segment in lab.capture.segments if segment.kind is Kind.DATA]
        for segment in segments:
            lines_.line(segment, dissect)
        lines_.open(lines_.work(lab.capture))
        for direction in (OUT, IN):  # one does not wait for the other: a ticket may come after the client's Hello
            said = [lines_.line(segment, dissect) for segment in segments if segment.direction is direction]
            assert said[-1] == "close_notify: no more will come"
            assert said[-2].endswith("Hello")  # the wire may have read a ticket together with it
            assert not any("bytes, encrypted" in line for line in said)
