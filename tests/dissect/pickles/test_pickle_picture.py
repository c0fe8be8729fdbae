"""multiprocessing as a picture: the handshake beside what the authkey gives, and each pickle step by step.

``pictures/NAME.txt`` is what was seen to be drawn of ``FLOWS[NAME]``; ``python -m
tests.dissect.pickles.test_pickle_picture`` writes the files.
"""

from __future__ import annotations

import hmac
import pickle
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netlab.dissect.pickles.pickle_picture import draw
from netlab.dissect.picture import MOST_ROWS, Picture, Row, SeenFlow, Tone
from tests.dissect.pickles.test_pickle_steps import soup
from tests.support.seen import DOWN, FIN_BACK, OPEN, RST_BACK, UP, Piece, as_text, flow_of

PICTURES = Path(__file__).parent / "pictures"
Facts = Mapping[str, object]
KEY, OTHER = b"peekaboo", b"hocuspocus"
BOTH: Facts = {"client": {"authkey": KEY}, "server": {"authkey": KEY}}
DIFFERENT: Facts = {"client": {"authkey": OTHER}, "server": {"authkey": KEY}}
OUTSIDE: Facts = {"server": {"authkey": KEY}}
SHA256 = b"{sha256}"
SERVERS, CLIENTS = SHA256 + bytes(range(40)), SHA256 + bytes(range(100, 140))
HOSTILE = b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x02id\x85R."
STATE = b"\x80\x02cm\nC\n)\x81}X\x01\0\0\0xK\x01sb."


def framed(message: bytes) -> bytes:
    return len(message).to_bytes(4, "big") + message


def digest(message: bytes, key: bytes = KEY) -> bytes:
    return SHA256 + hmac.digest(key, message, "sha256")


def pickled(way: object, value: object, protocol: int = 4) -> Piece:
    return (UP if way is UP else DOWN, framed(pickle.dumps(value, protocol)))


SHAKEN: tuple[Piece, ...] = (
    OPEN,
    (DOWN, framed(b"#CHALLENGE#" + SERVERS)),
    (UP, framed(digest(SERVERS))),
    (DOWN, framed(b"#WELCOME#")),
    (UP, framed(b"#CHALLENGE#" + CLIENTS)),
    (DOWN, framed(digest(CLIENTS))),
    (UP, framed(b"#WELCOME#")),
)
FLOWS: dict[str, tuple[Facts, tuple[Piece, ...]]] = {
    "shaken": (BOTH, (*SHAKEN, pickled(UP, {"a": (1, 2)}), pickled(DOWN, {"a": (1, 2)}))),
    "wrong-key": (
        DIFFERENT,
        (*SHAKEN[:2], (UP, framed(digest(SERVERS, OTHER))), (DOWN, framed(b"#FAILURE#")), FIN_BACK),
    ),
    "outside": (OUTSIDE, SHAKEN[:4]),
    "unknown-key": ({}, (*SHAKEN, pickled(UP, None))),
    "before-3.12": (
        BOTH,
        (
            (DOWN, framed(b"#CHALLENGE#" + bytes(20))),
            (UP, framed(hmac.digest(KEY, bytes(20), "md5"))),
            (DOWN, framed(b"#WELCOME#")),
        ),
    ),
    "refused": (BOTH, ((UP, framed(HOSTILE)), FIN_BACK)),
    "reset": ({}, ((UP, framed(STATE)), RST_BACK)),
    "old-protocols": ({}, (pickled(UP, [1, "ü"], 0), pickled(DOWN, [b"x", {2.5}], 2))),
    "no-pickle": ({}, ((UP, framed(b"hi")), (DOWN, framed(b"\x80\x04K")), (UP, framed(pickle.dumps("x" * 200))[:40]))),
    "in-pieces": ({}, ((UP, framed(HOSTILE)[:12]), (UP, framed(HOSTILE)[12:20]), (UP, framed(HOSTILE)[20:]))),
}
NAMED = pytest.mark.parametrize("name", FLOWS)


def seen(name: str) -> SeenFlow:
    facts, pieces = FLOWS[name]
    return flow_of("pickles", *pieces, facts=facts)


def drawn(*pieces: Piece) -> Picture:
    picture = draw(flow_of("pickles", *pieces), 80)
    assert picture is not None
    return picture


def count(row: Row) -> int:
    return 1 + sum(map(count, row.details))


@NAMED
def test_a_flow_makes_its_picture(name: str) -> None:
    assert as_text(draw(seen(name), 80)) == (PICTURES / f"{name}.txt").read_text(encoding="utf-8")


@NAMED
def test_no_secret_is_in_a_picture(name: str) -> None:
    text = repr(draw(seen(name), 80))
    assert all(each not in text for key in (KEY, OTHER) for each in (key.decode(), key.hex(), repr(key)))


def test_without_messages_there_is_no_picture() -> None:
    assert draw(flow_of("pickles", OPEN, FIN_BACK), 80) is None


def test_each_step_leads_to_the_segment_in_which_it_came() -> None:
    (row,) = draw(seen("in-pieces"), 80).rows  # type: ignore[union-attr] # it has messages
    assert [step.segment for step in row.details] == [1, 1, 1, 2, 2, 3, 3, 3]


def test_what_runs_code_keeps_its_steps_when_there_is_no_room_for_all() -> None:
    many = [pickled(UP, list(range(100))) for _ in range(30)]
    picture = drawn((UP, framed(HOSTILE)), *many)
    first, *_, last = picture.rows
    assert [step.tone for step in first.details if step.tone is Tone.WRONG] == [Tone.WRONG] * 2
    assert not picture.rows[1].details
    assert last.details
    assert sum(map(count, picture.rows)) <= MOST_ROWS
    assert "1 of 31 pickles would run code when loaded" in picture.note
    assert "are shown without their steps" in picture.note


def test_only_the_newest_of_very_many_messages_are_shown() -> None:
    picture = drawn((UP, framed(b"N.") * 900))
    assert len(picture.rows) == 400
    assert "The first 500 messages are left out." in picture.note


@given(st.lists(st.tuples(st.sampled_from([UP, DOWN]), soup | st.binary(max_size=40)), max_size=5))
@settings(max_examples=60, deadline=None)
def test_any_messages_can_be_drawn(messages: list[tuple[object, bytes]]) -> None:
    flow = flow_of("pickles", *((UP if way is UP else DOWN, framed(body)) for way, body in messages), facts=BOTH)
    picture = draw(flow, 80)
    assert (picture is None) == (not messages)
    if picture is not None:
        assert sum(map(count, picture.rows)) <= MOST_ROWS


if __name__ == "__main__":
    for each in FLOWS:
        (PICTURES / f"{each}.txt").write_text(as_text(draw(seen(each), 80)), encoding="utf-8")
