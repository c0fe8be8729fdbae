"""The pictures of TCP and UDP, as golden texts in `goldens/`, and what they say of the odd cases."""

from __future__ import annotations

from pathlib import Path

import pytest

from netlab.capture.model import Direction, Kind, Transport
from netlab.dissect.picture import MOST_ROWS, Picture, SeenFlow
from netlab.dissect.pictures import tcp_states, udp_exchanges
from netlab.dissect.pictures.durations import since, span
from tests.support.flow_text import read_flow
from tests.support.seen import DOWN, FIN, FIN_BACK, OPEN, RST_BACK, UP, Cross, Piece, as_text, dropped, flow_of

GOLDENS = Path(__file__).parent / "goldens"
FLOWS = Path(__file__).parent.parent / "protocols" / "flows"


def asked(number: int, after_ms: float = 1) -> Cross:
    return Cross(UP, b"time %d" % number, after_ms=after_ms)


def answered(number: int, after_ms: float = 1) -> Cross:
    return Cross(DOWN, b"%d Mon Nov 17 12:00:00 2025" % number, after_ms=after_ms)


def lost(piece: Cross) -> Cross:
    return dropped(piece.way, piece.data, piece.after_ms)


def tcp(*pieces: Piece, **facts: object) -> SeenFlow:
    return flow_of("tcp", *pieces, facts=facts)


def udp(*pieces: Piece) -> SeenFlow:
    return flow_of("udp", *pieces, transport=Transport.UDP)


def dns() -> SeenFlow:
    """A name server that answers: of two questions at once the second first."""
    _, pieces, _ = read_flow((FLOWS / "dns-udp.txt").read_text(encoding="utf-8"))
    (one, yes), (other, no) = zip(pieces[0:4:2], pieces[1:4:2], strict=True)
    return flow_of("dns", one, other, no, yes, transport=Transport.UDP, port=53)


CASES = {
    "tcp-half-close": tcp(
        OPEN, (UP, b"Hello"), (UP, b"World"), (DOWN, b"HelloWorld"), FIN, (DOWN, b"bye"), FIN_BACK,
        recvs=(4, 6, 3), connected=True,
    ),
    "tcp-server-first": tcp(OPEN, (UP, b"Hello"), FIN_BACK, (UP, b"more"), FIN),
    "tcp-reset": tcp(OPEN, (UP, b"Hello"), dropped(UP, b"World"), RST_BACK, (UP, b"anybody?")),
    "tcp-refused": tcp(OPEN, RST_BACK),
    "tcp-open": tcp(OPEN, recvs=(), connected=True),
    "tcp-in-the-middle": tcp((DOWN, b"late"), FIN, FIN),
    "udp-calls": udp(
        asked(1), answered(1), lost(asked(2)), asked(2, 700), answered(2), answered(2), asked(3), asked(3, 333),
        asked(4, 666), answered(3, 20), answered(4), asked(5), lost(asked(6)), asked(7), lost(answered(7)), answered(9),
    ),
    "udp-without-numbers": udp((UP, b"a"), (DOWN, b"Mon"), (UP, b""), (UP, b"b"), (UP, b"b"), (DOWN, b"Tue")),
    "udp-dns": dns(),
}  # fmt: skip


def drawn(seen: SeenFlow, width: int = 76) -> Picture:
    draw = tcp_states.draw if seen.flow.transport is Transport.TCP else udp_exchanges.draw
    picture = draw(seen, width)
    assert picture is not None
    return picture


@pytest.mark.parametrize("name", CASES)
def test_a_flow_is_drawn_as_its_golden_text(name: str) -> None:
    assert as_text(drawn(CASES[name])) == (GOLDENS / f"{name}.txt").read_text(encoding="utf-8")


def test_only_their_own_transport_is_drawn() -> None:
    assert tcp_states.draw(CASES["udp-calls"], 80) is None
    assert udp_exchanges.draw(CASES["tcp-open"], 80) is None


def test_recvs_are_not_claimed_where_they_are_unknown() -> None:
    pieces = OPEN, (UP, b"Hello"), (DOWN, b"Hello")
    assert "recv" not in as_text(drawn(tcp(*pieces)))
    assert "recv" not in as_text(drawn(tcp(*pieces, recvs="5")))
    whole = drawn(tcp(*pieces, (DOWN, b"!"), recvs=(6,)))
    assert whole.note.startswith("2 segments to the client became 1 recv.")
    part = drawn(tcp(*pieces, (DOWN, b"!"), recvs=(2, 3)))
    assert part.note.startswith("2 segments to the client became 2 recvs, so far.")


def test_a_long_connection_keeps_its_ends() -> None:
    talk = [(way, b"x") for _ in range(2000) for way in Direction]
    picture = drawn(tcp(OPEN, *talk, FIN, FIN_BACK))
    assert len(picture.rows) + sum(len(row.details) for row in picture.rows) <= MOST_ROWS
    assert "runs of segments more" in as_text(picture)
    assert [row.text.split()[-1] for row in picture.rows[-4:]] == ["CLOSE_WAIT", "CLOSE_WAIT", "LAST_ACK", "CLOSED"]
    assert picture.rows[-2].segment == 4003


def test_many_calls_are_bounded() -> None:
    picture = drawn(udp(*(each for number in range(900) for each in (asked(number), answered(number)))))
    assert len(picture.rows) == udp_exchanges.MOST_CALLS
    assert picture.note.startswith("900 calls, round trip 1.0 ms to 1.0 ms, median 1.0 ms. The first 500 are shown.")


def test_a_segment_that_carries_data_and_fin_has_two_steps() -> None:
    picture = drawn(tcp(OPEN, Cross(UP, b"bye", Kind.FIN)))
    assert [row.segment for row in picture.rows] == [0, 1, 2, 2, 0]


def test_durations() -> None:
    assert [span(ns) for ns in (0, 999, 310_000, 1_200_000, 703_000_000, 2_100_000_000, 61_000_000_000, -5_000)] == [
        "0 µs", "1 µs", "310 µs", "1.2 ms", "703 ms", "2.1 s", "61 s", "-5 µs",
    ]  # fmt: skip
    assert since(1_500_000) == "0.002 s"
