"""HMAC as a picture: challenge, digest, and the digest that netlab computes beside it.

``pictures/NAME.txt`` is what was seen to be drawn of ``FLOWS[NAME]``; ``python -m
tests.topics.hmac.test_hmac_picture`` writes the files.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netlab.capture.model import Kind
from netlab.dissect.picture import SeenFlow
from netlab.topics.hmac.picture import draw
from tests.support.seen import DOWN, FIN, FIN_BACK, OPEN, RST_BACK, UP, Cross, Piece, as_text, dropped, flow_of

PICTURES = Path(__file__).parent / "pictures"
Facts = Mapping[str, object]
SECRET, OTHER = b"peekaboo", b"hocuspocus"
BOTH: Facts = {"client": {"secret": SECRET}, "server": {"secret": SECRET}}
DIFFERENT: Facts = {"client": {"secret": OTHER}, "server": {"secret": SECRET}}
OUTSIDE: Facts = {"server": {"secret": SECRET}}
CHALLENGE = bytes(range(32))
RIGHT, WRONG = (hmac.digest(secret, CHALLENGE, "sha256") for secret in (SECRET, OTHER))
LATE = RIGHT[:30] + b"\0\0"

FLOWS: dict[str, tuple[Facts, tuple[Piece, ...]]] = {
    "accepted": (BOTH, (OPEN, (DOWN, CHALLENGE), (UP, RIGHT), (UP, b"Hello"), (DOWN, b"Hello"), FIN, FIN_BACK)),
    "wrong-secret": (DIFFERENT, (OPEN, (DOWN, CHALLENGE), (UP, WRONG), FIN_BACK, FIN)),
    "outside": (OUTSIDE, (OPEN, (DOWN, CHALLENGE), (UP, LATE), RST_BACK)),
    "unknown": ({}, (OPEN, (DOWN, CHALLENGE), (UP, RIGHT + b"Hello"), (DOWN, b"Hello"))),
    "in-pieces": (BOTH, ((DOWN, CHALLENGE[:20]), (DOWN, CHALLENGE[20:]), (UP, RIGHT[:1]), (UP, RIGHT[1:]))),
    "lost": (BOTH, ((DOWN, CHALLENGE), dropped(UP, RIGHT))),
    "short": (BOTH, (OPEN, (DOWN, CHALLENGE[:7]), (UP, b"GET / HTTP/1.1\r\n"), FIN)),
    "left": (BOTH, (OPEN, (DOWN, CHALLENGE), (UP, RIGHT), FIN)),
    "silent": (BOTH, (OPEN, (DOWN, CHALLENGE))),
}
NAMED = pytest.mark.parametrize("name", FLOWS)


def seen(name: str) -> SeenFlow:
    facts, pieces = FLOWS[name]
    return flow_of("hmac", *pieces, facts=facts)


@NAMED
def test_a_flow_makes_its_picture(name: str) -> None:
    assert as_text(draw(seen(name), 80)) == (PICTURES / f"{name}.txt").read_text(encoding="utf-8")


@NAMED
def test_no_secret_is_in_a_picture(name: str) -> None:
    text = repr(draw(seen(name), 80))
    assert all(each not in text for key in (SECRET, OTHER) for each in (key.decode(), key.hex(), repr(key)))


def test_the_mark_stands_below_the_first_byte_that_differs() -> None:
    rows = [row.text for row in draw(seen("outside"), 80).rows]  # type: ignore[union-attr] # it has a challenge
    came, computed, mark = rows[1:4]
    at = mark.index("^^")
    assert came[:at].replace("→ digest  ", "  computed") == computed[:at]
    assert (came[at : at + 2], computed[at : at + 2]) == ("00", RIGHT[30:31].hex())


def test_where_there_is_no_room_a_digest_takes_several_rows_and_each_has_its_computed_one_below() -> None:
    picture = draw(seen("outside"), 50)
    assert picture is not None
    texts = [row.text for row in picture.rows]
    assert all(len(text) <= 50 for text in texts[:7])
    assert [text[13:] for text in texts[2:7]] == [
        *(part.hex() for part in (LATE[:16], RIGHT[:16], LATE[16:], RIGHT[16:])),
        " " * 28 + "^^",
    ]


pieces = st.lists(
    st.tuples(st.sampled_from([UP, DOWN]), st.binary(max_size=40), st.sampled_from(Kind)).map(lambda p: Cross(*p)),
    max_size=8,
)


@given(pieces, st.sampled_from([BOTH, DIFFERENT, OUTSIDE, {}, {"client": 1, "server": {"secret": "text"}}]))
@settings(max_examples=100, deadline=None)
def test_any_flow_can_be_drawn(crossed: list[Cross], facts: Facts) -> None:
    flow = flow_of("hmac", *crossed, facts=facts)
    picture = draw(flow, 80)
    if picture is not None:
        assert {row.segment for row in picture.rows} <= {0, *(segment.number for segment in flow.segments)}


if __name__ == "__main__":
    for each in FLOWS:
        (PICTURES / f"{each}.txt").write_text(as_text(draw(seen(each), 80)), encoding="utf-8")
