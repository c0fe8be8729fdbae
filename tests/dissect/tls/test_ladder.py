"""TLS as a ladder: recorded handshakes and what was seen of them, cut and changed in any way, and hostile facts."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from netlab.capture.model import Direction
from netlab.dissect.decrypted_record import Opened
from netlab.dissect.picture import MOST_ROWS, Picture, Row
from netlab.dissect.tls.certificate import read_certificate
from netlab.dissect.tls.chain import examined, fits, read_chain
from netlab.dissect.tls.ladder import draw
from tests.support.seen import DOWN, OPEN, UP, Cross, flow_of
from tests.support.tls_ladder import Recording, ladders, read

LADDERS = sorted((Path(__file__).parent / "ladders").glob("*.txt"))
NAMED = pytest.mark.parametrize("path", LADDERS, ids=lambda path: path.stem)


def recording(stem: str) -> Recording:
    return read((Path(__file__).parent / "ladders" / f"{stem}.txt").read_text(encoding="utf-8"))[0]


def drawn(stem: str, width: int = 80, *, keys: bool = True, **facts: object) -> Picture:
    picture = draw(recording(stem).seen(keys=keys, **facts), width)
    assert picture is not None
    return picture


@NAMED
def test_a_recorded_handshake_makes_its_ladder(path: Path) -> None:
    found, expected = read(path.read_text(encoding="utf-8"))
    assert ladders(found) == expected


@NAMED
@pytest.mark.parametrize("width", [1, 40, 120])
def test_every_arrow_is_as_wide_as_the_ladder_and_leads_to_its_segment(path: Path, width: int) -> None:
    seen = read(path.read_text(encoding="utf-8"))[0].seen()
    picture = draw(seen, width)
    assert picture is not None
    numbers = {segment.number for segment in seen.segments}
    rails = list(picture.rows[1:])
    assert {len(row.text) for row in rails} == {max(width, 24)}
    assert {row.segment for row in rails} <= numbers
    assert all(row.details or "FIN" in row.text or row.text.startswith("│") for row in rails)


def laws(picture: Picture | None) -> None:
    """What holds of any picture."""
    if picture is None:
        return

    def count(rows: tuple[Row, ...]) -> int:
        return sum(1 + count(row.details) for row in rows)

    assert count(picture.rows) <= MOST_ROWS


@NAMED
def test_a_handshake_cut_or_changed_anywhere_is_drawn_as_far_as_it_goes(path: Path) -> None:
    known, chance = read(path.read_text(encoding="utf-8"))[0], random.Random(path.stem)
    opened = known.seen().facts.get("records")
    for _ in range(25):
        pieces = list(known.pieces[: chance.randint(1, len(known.pieces))])
        at = chance.randrange(len(pieces))
        data = bytearray(pieces[at].data)
        for _ in range(chance.randint(0, 3)):
            if data:
                data[chance.randrange(len(data))] = chance.randrange(256)
        pieces[at] = Cross(pieces[at].way, bytes(data[: chance.randint(0, len(data))]), pieces[at].kind)
        laws(draw(known.seen(keys=False, pieces=pieces), 80))
        laws(draw(known.seen(keys=False, pieces=pieces, records=opened, outcome=chance), 33))


def test_any_bytes_of_records_make_a_ladder_or_none() -> None:
    chance = random.Random(12)
    for _ in range(150):
        pieces = []
        for _ in range(chance.randint(1, 6)):
            body = (
                bytes([chance.choice([1, 2, 4, 8, 11, 12, 20, 24])])
                + bytes(2)
                + chance.randbytes(chance.randint(0, 90))
            )
            body = body if chance.random() < 0.5 else chance.randbytes(chance.randint(0, 60))
            head = bytes([chance.choice([20, 21, 22, 22, 22, 23]), 3, 3]) + len(body).to_bytes(2, "big")
            pieces.append((chance.choice([UP, DOWN]), head + body))
        laws(draw(flow_of("tls", OPEN, *pieces), chance.choice([1, 60, 200])))


@pytest.mark.parametrize("facts", [
    {"records": None}, {"records": 5}, {"records": {UP: [object()]}}, {"outcome": "?"}, {"outcome": ValueError("x")},
    {"records": {UP: [Opened(0, 9, 5, "no such record", b"")], DOWN: [Opened(0, 9, 5, "alert", b"x")]}},
])  # fmt: skip
def test_facts_of_any_type_do_no_harm(facts: dict[str, object]) -> None:
    laws(draw(recording("full-1.2").seen(keys=False, **facts), 80))


def test_what_is_no_tls_is_not_drawn() -> None:
    assert draw(flow_of("tls", OPEN, (UP, b"GET / HTTP/1.1\r\n\r\n"), (DOWN, b"\x00" * 40)), 80) is None
    assert draw(flow_of("tls", OPEN), 80) is None


def test_a_message_in_several_records_is_one_arrow() -> None:
    """The certificate of TLS 1.2 cut into records of 100 bytes, as a server may."""
    known = recording("full-1.2")
    pieces = [replace(piece, data=cut_records(piece.data, 100)) for piece in known.pieces]
    whole, again = draw(known.seen(keys=False), 80), draw(known.seen(keys=False, pieces=pieces), 80)
    assert whole is not None
    assert again is not None
    assert [row.text for row in again.rows] == [row.text for row in whole.rows]


def cut_records(data: bytes, size: int) -> bytes:
    """The same handshake in clear, in records of at most so many bytes; other records stay as they are."""
    out, at, clear = b"", 0, True
    while at < len(data):
        kind, length = data[at], int.from_bytes(data[at + 3 : at + 5], "big")
        body = data[at + 5 : at + 5 + length]
        clear = clear and kind == 22
        parts = [body[i : i + size] for i in range(0, length, size)] if clear else [body]
        out += b"".join(data[at : at + 3] + len(part).to_bytes(2, "big") + part for part in parts)
        at += 5 + length
    return out


def test_a_long_conversation_stays_short() -> None:
    record = b"\x17\x03\x03\x00\x20" + bytes(32)
    pieces = [(way, record) for _ in range(300) for way in (UP, DOWN)]
    picture = draw(flow_of("tls", OPEN, *[(p.way, p.data) for p in recording("full-1.3").pieces[:3]], *pieces), 80)
    laws(picture)
    assert picture is not None
    assert "the first 500 of" in picture.note


def test_thousands_of_empty_messages_are_not_all_read() -> None:
    record = b"\x16\x03\x03\x40\x00" + bytes([4, 0, 0, 0]) * 4096
    picture = draw(flow_of("tls", OPEN, (UP, recording("full-1.3").pieces[0].data), *[(DOWN, record)] * 2), 80)
    laws(picture)
    assert picture is not None
    assert "of more than 500 arrows" in picture.note


def test_names_of_a_peer_stay_within_their_arrow() -> None:
    hello = bytearray(recording("full-1.3").pieces[0].data)
    at = hello.index(b"localhost")
    hello[at : at + 9] = b"\x1b[31m\xe2\x80\xae "
    picture = draw(flow_of("tls", OPEN, (UP, bytes(hello))), 80)
    assert picture is not None
    assert picture.rows[1].text.startswith("├─ ClientHello  SNI ?[31m?  · TLS 1.3")
    assert {len(row.text) for row in picture.rows[1:]} == {80}


def test_a_client_that_only_connected_has_accepted_nothing() -> None:
    """A raw client of the lab that replays somebody's hello: that its connection was made says nothing of a chain."""
    known = recording("full-1.2")
    picture = draw(known.seen(keys=False, pieces=known.pieces[:2], outcome=None), 80)
    assert picture is not None
    assert any("Certificate  localhost" in row.text for row in picture.rows)
    assert not any("✓" in row.text for row in picture.rows)


def test_a_browsers_values_without_meaning_are_left_out() -> None:
    hello = (
        recording("key-update-1.3")
        .pieces[0]
        .data.replace(bytes.fromhex("0304030303020301"), bytes.fromhex("1a1a030403030302"))
    )
    picture = draw(flow_of("tls", OPEN, (UP, hello)), 80)
    assert picture is not None
    assert "TLS 1.3, 1.2, 1.1 ·" in picture.rows[1].text
    assert any("GREASE" in row.text for row in picture.rows[1].details)


def test_a_fin_without_close_notify_is_said() -> None:
    known = recording("full-1.3")
    kept = [piece for piece in known.pieces if len(piece.data) != 24]  # the two alerts
    picture = draw(known.seen(pieces=kept), 80)
    assert picture is not None
    assert [row.text.count("without close_notify") for row in picture.rows if "FIN" in row.text] == [1, 1]
    whole = drawn("full-1.3")
    assert not any("without" in row.text for row in whole.rows)


CHAIN = "full-1.2"


def certificates() -> list[memoryview]:
    data = recording(CHAIN).stream(Direction.TO_CLIENT)
    at = bytes(data).index(b"\x0b\x00", 80)
    length = int.from_bytes(data[at + 1 : at + 4], "big")
    return [data[at + 4 : at + 4 + length]]


def test_what_a_certificate_says() -> None:
    (first, *_) = read_chain(certificates()[0])
    assert (first.subject, first.issuer, first.key) == ("localhost", "netlab lab CA", "EC P-256")
    assert first.names == ("localhost", "127.0.0.1", "::1")
    assert first.purposes == ("server",)
    assert not first.authority


def test_a_certificate_cut_anywhere_is_read_as_far_as_it_goes() -> None:
    body = bytes(certificates()[0])
    der = memoryview(body)[6:]
    for length in range(len(der)):
        read_certificate(der[:length])
        read_chain(memoryview(body)[:length])


@pytest.mark.parametrize(("name", "host", "fit"), [
    ("localhost", "localhost", True), ("LOCALHOST", "localhost.", True), ("localhost", "other", False),
    ("*.example.org", "www.example.org", True), ("*.example.org", "example.org", False),
    ("*.example.org", "a.b.example.org", False), ("::1", "0:0:0:0:0:0:0:1", True), ("127.0.0.1", "127.0.0.2", False),
    ("*.org", ".org", False), ("", "", True),
])  # fmt: skip
def test_which_host_a_name_fits(name: str, host: str, fit: bool) -> None:
    assert fits(name, host) is fit


def test_a_time_out_of_range_faults_nothing() -> None:
    chain = read_chain(certificates()[0])
    assert [each.faults for each in examined(chain, 1 << 80, "localhost", "server")] == [() for _ in chain]
