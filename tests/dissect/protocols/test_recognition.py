"""Each flow is recognised as its protocol and no other, at no moment of its beginning; what is foreign, as none."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from netlab.capture.model import Direction, Transport
from netlab.dissect.flow import MOST_OPENING, Match, Opening
from netlab.dissect.reading.in_memory import Piece
from netlab.dissect.reading.protocol_discovery import protocols
from netlab.dissect.reading.recognition import Guess, recognise
from tests.support.flow_text import read_flow

UP, DOWN = Direction.TO_SERVER, Direction.TO_CLIENT
FLOWS = sorted((Path(__file__).parent / "flows").glob("*.txt"))
OWN = [path for path in FLOWS if "raw" not in path.stem and not path.stem.startswith("text-")]
GENERIC = 500
"""Protocols of this order and above are those of any framing; they stand back."""


def opening(pieces: list[Piece], transport: Transport) -> Opening:
    first = {way: b"".join(data for side, data in pieces if side is way)[:MOST_OPENING] for way in Direction}
    if transport is Transport.UDP:
        first = {way: next((data for side, data in pieces if side is way), b"") for way in Direction}
    return Opening(memoryview(first[UP]), memoryview(first[DOWN]), transport)


def guess(to_server: bytes, to_client: bytes, transport: Transport = Transport.TCP) -> Guess:
    return recognise(Opening(memoryview(to_server), memoryview(to_client), transport), protocols())


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.stem)
def test_a_flow_is_recognised_as_one_protocol_and_never_settles_on_another(path: Path) -> None:
    name = path.stem.partition("-")[0]
    transport, pieces, _ = read_flow(path.read_text(encoding="utf-8"))
    begun = opening(pieces, transport)
    able = [protocol for protocol in protocols() if transport in protocol.transports]
    found = {
        protocol.name for protocol in able if protocol.recognise(begun) >= Match.LIKELY and protocol.order < GENERIC
    }
    assert found == {name} or (name == "lengths" and not found)
    for count in range(len(pieces)):
        early = recognise(opening(pieces[: count + 1], transport), protocols())
        assert early.protocol is None or early.protocol.name == name or not early.final, count


FOREIGN = {
    "SMTP": (b"EHLO me\r\n", b"220 mail.example ESMTP\r\n250 ok\r\n"),
    "POP3": (b"USER bob\r\n", b"+OK POP3 ready\r\n+OK\r\n"),
    "IMAP": (b"a1 LOGIN bob secret\r\n", b"* OK ready\r\n"),
    "FTP": (b"USER anonymous\r\n", b"220 FTP\r\n331 ok\r\n"),
    "SSH": (b"SSH-2.0-OpenSSH_9\r\n", b"SSH-2.0-OpenSSH_9\r\n\0\0\5\x0c\x0a\x14"),
    "memcached": (b"get spam\r\n", b"VALUE spam 0 3\r\nabc\r\nEND\r\n"),
    "MySQL": (b"", b"\x4a\0\0\0\x0a8.0.36\0\x08\0\0\0abcdefgh\0\xff\xf7\xff\2\0\xff\xdf\x15"),
    "VNC": (b"RFB 003.008\n", b"RFB 003.008\n\1\1"),
    "telnet": (b"\xff\xfd\x03", b"\xff\xfd\x18\xff\xfd\x20\xff\xfb\x01login: "),
    "MQTT": (b"\x10\x10\0\4MQTT\4\2\0\x3c\0\4spam", b"\x20\2\0\0"),
    "RTSP": (b"OPTIONS rtsp://x/ RTSP/1.0\r\nCSeq: 1\r\n\r\n", b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n"),
    "a log in brackets": (b"[INFO] started\n[WARN] slow\n", b""),
    "a page": (b"Hello, world.\nHow are you?\n", b"Fine.\n"),
    "zeros": (bytes(64), bytes(64)),
    "ones": (b"\xff" * 64, b"\xff" * 64),
    "counting": (bytes(range(64)), bytes(range(64, 128))),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_foreign_protocols_are_taken_for_none(name: str) -> None:
    assert guess(*FOREIGN[name]).protocol is None


@pytest.mark.parametrize("name", ["SMTP", "FTP", "SSH", "POP3", "VNC", "a page", "ones"])
def test_what_is_none_of_them_is_settled_at_once(name: str) -> None:
    asked, answered = FOREIGN[name]
    assert guess(asked, answered).final
    assert guess(b"", answered[:5]).final


def test_datagrams_of_others_are_taken_for_none() -> None:
    ntp = b"\x23\0\6\xec" + bytes(44)
    stun = b"\0\1\0\0\x21\x12\xa4\x42" + b"abcdefghijkl"
    for asked in (ntp, stun, b"what time is it?", b"\0" * 12, b"<13>Oct 11 22:14:15 host app: text"):
        assert guess(asked, b"", Transport.UDP).protocol is None
        assert guess(b"", asked, Transport.UDP).protocol is None


def test_random_bytes_are_hardly_ever_taken_for_something() -> None:
    chance = random.Random(11)
    taken = 0
    for _ in range(1000):
        asked, answered = (chance.randbytes(chance.randrange(1, 100)) for _ in range(2))
        taken += any(guess(asked, answered, transport).protocol is not None for transport in Transport)
    assert taken <= 2
