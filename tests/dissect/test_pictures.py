"""The laws of every picture that is found: any flow, cut and broken anywhere, gives a bounded picture or none."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cache
from itertools import chain
from pathlib import Path

import pytest

from netlab.capture.model import Direction, Kind, Outcome, Transport
from netlab.dissect.picture import MOST_ROWS, Draw, Picture, Row, SeenFlow, Tone
from netlab.topics.discovery import topics
from netlab.topics.pictures import draws_of
from netlab.topics.topic_protocols import known_protocols
from tests.support.dissection_text import read
from tests.support.flow_text import read_flow
from tests.support.seen import Cross, Piece, flow_of

HERE = Path(__file__).parent
_FOUND = [
    (protocol.name, transport, draw)
    for protocol in known_protocols()
    for transport in sorted(protocol.transports, key=lambda each: each.value)
    for draw in draws_of(protocol, transport)
]
CASES = [
    (name, transport, draw)
    for at, (name, transport, draw) in enumerate(_FOUND)
    if sum(draw is before for _, _, before in _FOUND[:at]) < 2  # the same one is tried with two protocols
]
EVERY = pytest.mark.parametrize(
    ("name", "transport", "draw"),
    CASES,
    ids=[f"{name}-{transport.value}-{draw.__module__.rpartition('.')[2]}" for name, transport, draw in CASES],
)
WRONG_FACTS = {"secret": 7, "verdict": object(), "records": None, "recvs": "many", "exchanges": [1]}
LONGEST = 100_000
"""Characters of one row."""


@cache
def flows() -> dict[str, tuple[Transport, list[tuple[Direction, bytes]]]]:
    """Golden flows by the name of the file."""
    paths = sorted((HERE / "protocols" / "flows").glob("*.txt"))
    return {path.stem: read_flow(path.read_text(encoding="utf-8"))[:2] for path in paths}


@cache
def meaningful() -> list[bytes]:
    """Bytes that mean something to some protocol or topic."""
    samples = [read(path.read_text(encoding="utf-8"))[1] for path in sorted((HERE / "samples").glob("*.txt"))]
    return [*samples, *(data for _, pieces in flows().values() for _, data in pieces)]


def hostile(rng: random.Random, name: str) -> list[Piece]:
    """A flow that may be anything: samples cut, changed and mixed, with openings and ends anywhere."""
    mine = [pieces for stem, (_, pieces) in flows().items() if stem.partition("-")[0] == name]
    pieces: list[Piece] = [*rng.choice(mine)] if mine and rng.random() < 0.7 else []
    for _ in range(rng.randrange(8)):
        data = bytearray(rng.choice(meaningful()) if rng.random() < 0.8 else rng.randbytes(rng.randrange(40)))
        for _ in range(rng.choice((0, 0, 1, 5))):
            if data:
                data[rng.randrange(len(data))] = rng.randrange(256)
        begin = rng.choice((0, 0, rng.randrange(len(data) + 1)))
        cross = Cross(
            rng.choice(list(Direction)),
            bytes(data[begin : begin + rng.choice((1, 50, 1 << 20))]),
            rng.choice((Kind.DATA, Kind.DATA, Kind.DATA, *Kind)),
            rng.choice((0, 0.5, 3, 2500, -1)),
            rng.choice((Outcome.DELIVERED, *Outcome)),
        )
        pieces.insert(rng.randrange(len(pieces) + 1), cross)
    return pieces


def all_rows(rows: tuple[Row, ...]) -> Iterator[Row]:
    return chain.from_iterable((row, *all_rows(row.details)) for row in rows)


def check(picture: Picture | None, seen: SeenFlow) -> None:
    if picture is None:
        return
    assert isinstance(picture, Picture)
    numbers = {0, *(segment.number for segment in seen.segments)}
    rows = list(all_rows(picture.rows))
    assert len(rows) <= MOST_ROWS
    assert 0 < len(picture.title) < 80
    assert len(picture.note) < 2000
    for row in rows:
        assert isinstance(row.text, str)
        assert isinstance(row.tone, Tone)
        assert isinstance(row.details, tuple)
        assert row.segment in numbers
        assert len(row.text) < LONGEST


@EVERY
def test_any_flow_is_drawn(name: str, transport: Transport, draw: Draw) -> None:
    rng = random.Random(f"{name} {transport} {draw.__module__}")
    for number in range(60):
        facts = WRONG_FACTS if number % 3 == 0 else {}
        seen = flow_of(name, *hostile(rng, name), transport=transport, facts=facts)
        picture = draw(seen, rng.choice((1, 20, 80, 120, 500)))
        check(picture, seen)
        assert draw(seen, 80) == draw(seen, 80)


@EVERY
def test_an_empty_and_a_long_flow_are_drawn(name: str, transport: Transport, draw: Draw) -> None:
    empty = flow_of(name, transport=transport)
    check(draw(empty, 80), empty)
    rng = random.Random(name)
    data = [rng.choice(meaningful())[:200] for _ in range(50)]
    long = flow_of(name, *((rng.choice(list(Direction)), each) for each in data * 60), transport=transport)
    check(draw(long, 80), long)


def test_pictures_of_topics_are_found() -> None:
    drawn = {name for name, topic in topics().items() if topic.picture() is not None}
    assert drawn <= {name for name, _, _ in _FOUND}
