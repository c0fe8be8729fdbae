"""Which protocol wins, and when that is final."""

from __future__ import annotations

from netlab.capture.model import Transport
from netlab.dissect.fields import Dissection
from netlab.dissect.flow import MOST_OPENING, Match, Opening, Protocol, stateless
from netlab.dissect.reading.protocol_discovery import protocol_named, protocols
from netlab.dissect.reading.recognition import recognise

MAKE = stateless(lambda data, direction, offset: Dissection(()))


def protocol(name: str, match: Match, order: int = 100) -> Protocol:
    return Protocol(name, name, lambda opening: match, MAKE, order)


def opening(to_server: bytes = b"x", to_client: bytes = b"") -> Opening:
    return Opening(memoryview(to_server), memoryview(to_client))


def test_the_best_match_wins_then_the_first() -> None:
    likely, sure, later = protocol("a", Match.LIKELY), protocol("b", Match.SURE), protocol("c", Match.SURE)
    assert recognise(opening(), [likely, sure, later]) == (sure, True)
    assert recognise(opening(), [likely, protocol("d", Match.NO)]) == (likely, False)
    assert recognise(opening(), [protocol("d", Match.UNDECIDED)]) == (None, False)
    assert recognise(opening(), [protocol("d", Match.NO)]) == (None, True)
    whole = bytes(MOST_OPENING)
    assert recognise(opening(whole, whole), [likely, protocol("d", Match.UNDECIDED)]) == (likely, True)
    assert recognise(opening(b""), [sure]) == (None, False)


def test_a_protocol_that_raises_or_has_another_transport_does_not_match() -> None:
    def raises(opening: Opening) -> Match:
        raise IndexError

    udp = Protocol("u", "u", lambda opening: Match.SURE, MAKE, transports=frozenset({Transport.UDP}))
    assert recognise(opening(), [Protocol("r", "r", raises, MAKE), udp]) == (None, True)


def test_protocols_are_found_by_their_files() -> None:
    assert [each.name for each in protocols()] == [
        each.name for each in sorted(protocols(), key=lambda each: (each.order, each.name))
    ]
    assert all(protocol_named(each.name) is each for each in protocols())
    assert protocol_named("nothing_such") is None
