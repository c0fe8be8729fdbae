"""HTTP as a picture: what is paired with what, how long it took, and what bodies are shown as.

``pictures/NAME.txt`` is what was seen to be drawn of ``FLOWS[NAME]``; ``python -m
tests.dissect.exchanges.test_http_picture`` writes the files.
"""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path
from xmlrpc.client import Fault, dumps

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netlab.dissect.exchanges.http_picture import draw
from netlab.dissect.picture import MOST_ROWS, Picture, Row, Tone
from tests.support.seen import DOWN, FIN, FIN_BACK, OPEN, RST, RST_BACK, UP, Cross, Piece, as_text, flow_of
from tests.support.work import calls

PICTURES = Path(__file__).parent / "pictures"


def message(start: str, body: bytes = b"", **headers: str) -> bytes:
    """A message with the length of its body."""
    if body and "Transfer_Encoding" not in headers:
        headers["Content_Length"] = str(len(body))
    lines = [start, *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode() + body


def chunked(*chunks: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in (*chunks, b""))


GET = message("GET / HTTP/1.1", Host="x")
OK = message("HTTP/1.1 200 OK", b"hi", Content_Type="text/plain")
CALL = message("POST /RPC2 HTTP/1.1", dumps(("spam",), "get").encode(), Content_Type="text/xml")
RESULT = message("HTTP/1.1 200 OK", dumps((["eggs"],), methodresponse=True).encode(), Content_Type="text/xml")
FAULT = dumps(Fault(404, "nothing is stored under 'ham'"), methodresponse=True).encode()
PART = b'--b\r\nContent-Disposition: form-data; name="name"\r\n\r\nGuido\r\n'
FILE = b'--b\r\nContent-Disposition: form-data; name="f"\r\nContent-Type: image/png\r\n\r\n\x89PNG\r\n--b--\r\n'

FLOWS: dict[str, tuple[Piece, ...]] = {
    "call": (OPEN, (UP, CALL[:60]), (UP, CALL[60:]), (DOWN, RESULT[:100]), (DOWN, RESULT[100:]), FIN_BACK, FIN),
    "fault": ((UP, CALL), (DOWN, message("HTTP/1.1 200 OK", FAULT, Content_Type="text/xml"))),
    "forms": (
        (UP, message("POST /a?x=1&y HTTP/1.1", b"n=G%20v&m=", Content_Type="application/x-www-form-urlencoded")),
        (DOWN, message("HTTP/1.1 303 See Other", Location="/b", Content_Length="0")),
        (UP, message("POST /b HTTP/1.1", PART + FILE, Content_Type="multipart/form-data; boundary=b")),
        (DOWN, message("HTTP/1.1 415 Unsupported Media Type", b"send a form", Content_Type="text/plain")),
    ),
    "json": (
        (UP, message("POST /j HTTP/1.1", b'{"a": [1, {"b": null}],\n "c": }', Content_Type="application/json")),
        (
            DOWN,
            message(
                "HTTP/1.1 400 Bad Request",
                gzip.compress(b'{"error": "' + b"no " * 80 + b'"}', mtime=0),
                Content_Type="application/problem+json",
                Content_Encoding="gzip",
            ),
        ),
    ),
    "chunks": (
        (UP, GET),
        (
            DOWN,
            message(
                "HTTP/1.1 200 OK",
                chunked(b"<time><year>20", b"12</year>", b"<zone name='UTC'/></time>"),
                Content_Type="application/xml",
                Transfer_Encoding="chunked",
            ),
        ),
    ),
    "pipelined": (
        (UP, message("HEAD /big HTTP/1.1") + message("GET /a HTTP/1.1") + message("GET /b HTTP/1.1")),
        (DOWN, message("HTTP/1.1 200 OK", Content_Length="1000000")),
        (DOWN, OK + message("HTTP/1.1 404 Not Found", Content_Length="0")),
    ),
    "interim": (
        (UP, message("PUT /x HTTP/1.1", Expect="100-continue", Content_Length="5")),
        Cross(DOWN, message("HTTP/1.1 100 Continue"), after_ms=20),
        (UP, b"Hello"),
        Cross(DOWN, message("HTTP/1.1 201 Created", Content_Length="0"), after_ms=150),
    ),
    "until-the-end": (
        (UP, message("GET / HTTP/1.0")),
        (DOWN, message("HTTP/1.0 200 OK", Content_Type="text/html; charset=ISO-8859-1") + b"<p>on\xe9\n"),
        (DOWN, b"<p>\ttwo\n"),
        FIN_BACK,
        FIN,
    ),
    "early-answer": (
        (UP, message("POST /big HTTP/1.1", Content_Length="20") + b"only the"),
        (DOWN, message("HTTP/1.1 413 Content Too Large", Content_Length="0", Connection="close")),
        (UP, b" beginning of it"[:12]),
        FIN_BACK,
    ),
    "no-answer": ((UP, GET), (DOWN, OK), (UP, GET), RST_BACK),
    "no-request": ((DOWN, message("HTTP/1.1 408 Request Timeout", Content_Length="0", Connection="close")), FIN_BACK),
    "cut": ((UP, GET), (DOWN, OK[:-1]), RST),
    "cut-request": ((UP, message("POST / HTTP/1.1", Content_Length="9") + b"abc"), FIN, FIN_BACK),
    "upgrade": (
        (UP, message("GET /chat HTTP/1.1", Upgrade="websocket", Connection="Upgrade")),
        (DOWN, message("HTTP/1.1 101 Switching Protocols", Upgrade="websocket", Connection="Upgrade")),
        (DOWN, b"\x81\x02hi"),
        (UP, b"\x81\x82\0\0\0\0yo"),
    ),
    "connect": (
        (UP, message("CONNECT example.org:443 HTTP/1.1")),
        (DOWN, message("HTTP/1.1 200 OK")),
        (UP, b"any\n"),
        (DOWN, b"thing\n"),
    ),
    "long": (
        (UP, message("PUT /big HTTP/1.1", Content_Length="1200000")),
        *((UP, b"x" * 400_000) for _ in range(3)),
        (DOWN, message("HTTP/1.1 204 No Content")),
    ),
    "not-http": ((UP, GET), (DOWN, OK), (UP, b"\0\1\2\3"), (DOWN, b"\xff")),
    "escaped": (
        (UP, message("GET /?name=%3Ci%3EG%3C/i%3E&q=%3Cb%3E HTTP/1.1")),
        (DOWN, message("HTTP/1.1 200 OK", b"<p>&lt;i&gt;G&lt;/i&gt; asked for <b>", Content_Type="text/html")),
    ),
}


def drawn(name: str) -> Picture:
    picture = draw(flow_of("http", *FLOWS[name]), 100)
    assert picture is not None
    return picture


@pytest.mark.parametrize("name", FLOWS)
def test_a_flow_is_drawn_as_it_was_seen_to_be(name: str) -> None:
    assert as_text(drawn(name)) == (PICTURES / f"{name}.txt").read_text(encoding="utf-8")


def test_every_golden_picture_has_its_flow() -> None:
    assert {path.stem for path in PICTURES.glob("*.txt")} == set(FLOWS)


def rows(name: str) -> list[str]:
    return [row.text for row in drawn(name).rows]


def test_a_pair_is_one_row_with_its_times() -> None:
    assert rows("call")[0] == "POST /RPC2 200  get('spam') → ['eggs']   2.0 ms to first byte, 3.0 ms in all"


def test_pipelined_requests_have_their_own_answers() -> None:
    head, first, second = (row.partition("   ")[0] for row in rows("pipelined"))
    assert head == "HEAD /big 200  no body, as HEAD asks"
    assert (first, second) == ("GET /a 200  text/plain, 2 bytes", "GET /b 404 Not Found  no body")


def test_a_request_without_an_answer_says_why() -> None:
    last = drawn("no-answer").rows[1]
    assert last.text == "GET /  no answer: the server reset the connection"
    assert last.tone is Tone.WRONG
    waiting = draw(flow_of("http", (UP, GET)), 100)
    assert waiting is not None
    assert [(row.text, row.tone) for row in waiting.rows] == [("GET /  no answer yet", Tone.QUIET)]


def test_after_a_gap_an_answer_belongs_to_the_latest_request() -> None:
    seen = flow_of("http", (UP, GET), (DOWN, OK), (UP, CALL), (DOWN, RESULT))
    answer = next(message for message in seen.messages if message.direction is DOWN)
    picture = draw(replace(seen, messages=[message for message in seen.messages if message is not answer]), 100)
    assert picture is not None
    missed, called = (row.text for row in picture.rows)
    assert missed == "GET /  its answer is not in the capture"
    assert called.startswith("POST /RPC2 200  get('spam') → ['eggs']")
    assert picture.note == "Answers before segment 4 are missing, so others may be paired wrongly."


def test_each_row_leads_to_the_segment_that_brought_it() -> None:
    head, body = message("GET / HTTP/1.1", A="1", B="2"), RESULT
    cut = [(DOWN, body[:20]), (DOWN, body[20:50]), (DOWN, body[50:])]
    picture = draw(flow_of("http", (UP, head[:20]), (UP, head[20:]), *cut), 100)
    assert picture is not None
    found = {row.text.split(":")[0]: row.segment for row in every(picture.rows)}
    assert (found["→ GET / HTTP/1.1"], found["A"], found["B"]) == (1, 1, 2)
    assert (found["← HTTP/1.1 200 OK"], found["Content-Type"], found["← body"]) == (3, 3, 5)


def every(given: tuple[Row, ...]):
    for row in given:
        yield row
        yield from every(row.details)


def test_a_row_has_room_for_its_times() -> None:
    long = message("GET /" + "a" * 300 + " HTTP/1.1")
    for width, end in ((60, ", all 1.0 ms"), (80, ", 1.0 ms in all"), (120, ", 1.0 ms in all")):
        for flow in (((UP, CALL), (DOWN, RESULT)), ((UP, long), (DOWN, OK))):
            picture = draw(flow_of("http", *flow), width)
            assert picture is not None
            assert picture.rows[0].text.endswith(end)
            assert len(picture.rows[0].text) <= width


def test_a_result_is_cut_last() -> None:
    long = message("POST / HTTP/1.1", dumps(("spam" * 20, list(range(20))), "set").encode(), Content_Type="text/xml")
    picture = draw(flow_of("http", (UP, long), (DOWN, RESULT)), 78)
    assert picture is not None
    assert "… → ['eggs']   1st byte" in picture.rows[0].text
    assert len(picture.rows[0].text) <= 78
    assert picture.rows[0].details[0].text.endswith("18, 19]) → ['eggs']")


def test_nothing_is_drawn_of_what_is_not_http() -> None:
    assert draw(flow_of("http", (UP, b"\0\1")), 80) is None
    assert draw(flow_of("http"), 80) is None


def test_a_long_flow_is_bounded_and_says_so() -> None:
    picture = draw(flow_of("http", *[piece for _ in range(510) for piece in ((UP, CALL), (DOWN, RESULT))]), 100)
    assert picture is not None
    assert picture.title == "HTTP/1: 510 exchanges"
    assert sum(1 for _ in every(picture.rows)) <= MOST_ROWS
    assert "The first 500 of 510 are drawn." in picture.note
    assert "are left out." in picture.note


def test_more_exchanges_take_no_more_than_their_share_of_work() -> None:
    few, many = (
        flow_of("http", *[piece for _ in range(n) for piece in ((UP, CALL), (DOWN, RESULT))]) for n in (20, 80)
    )
    assert calls(lambda: draw(many, 100)) < 5 * calls(lambda: draw(few, 100))


BYTES = [data for flow in FLOWS.values() for each in flow if isinstance(each, tuple) for data in [each[1]]]
PIECES = st.lists(
    st.sampled_from([OPEN, FIN, FIN_BACK, RST, RST_BACK])
    | st.tuples(st.sampled_from([UP, DOWN]), st.sampled_from(BYTES) | st.binary(max_size=20)),
    max_size=8,
)


@given(pieces=PIECES, cut=st.integers(0, 200), width=st.integers(1, 200))
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_flow_is_drawn(pieces: list[Piece], cut: int, width: int) -> None:
    shorter = [
        piece if isinstance(piece, Cross) else (piece[0], piece[1][cut % (len(piece[1]) + 1) :]) for piece in pieces
    ]
    picture = draw(flow_of("http", *shorter), width)
    if picture is not None:
        assert sum(1 for _ in every(picture.rows)) <= MOST_ROWS
        assert all(0 <= row.segment <= len(pieces) for row in every(picture.rows))


if __name__ == "__main__":
    for case in FLOWS:
        (PICTURES / f"{case}.txt").write_text(as_text(drawn(case)), encoding="utf-8")
