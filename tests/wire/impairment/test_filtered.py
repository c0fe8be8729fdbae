"""Faults for the segments that a filter means: ``delay 1s if 'Hello'``."""

from __future__ import annotations

import pytest

from netlab.capture.model import Direction, Transport
from netlab.wire.impairment import catalog
from netlab.wire.impairment.impairment_lane import ImpairmentLane


def passed(lane: ImpairmentLane, *payloads: bytes) -> list[tuple[bytes, str]]:
    for payload in payloads:
        lane.enter(payload, clock=0.0)
    return [(bytes(each.payload), each.fate) for each in lane.leave(clock=5.0)]


@pytest.mark.parametrize(
    ("spec", "acts_on"),
    [
        ("corrupt bit 5 byte 0 if 'GET'", [0, 2, 4]),
        ("corrupt bit 5 byte 0 first 2 if 'GET'", [0, 2]),
        ("corrupt bit 5 byte 0 every 2 if 'GET'", [2]),
        ("corrupt bit 5 byte 0 if not 'GET' and <3", [1]),
        ("corrupt bit 5 byte 0 if flow 2", []),
        ("corrupt bit 5 byte 0 if <-", []),
        ("corrupt bit 5 byte 0 -> if flow 1 and -> and >2", [0, 2, 3, 4]),
        ("corrupt bit 5 byte 0 if   b'GET\\x20b'  ", [2]),
    ],
)
def test_a_fault_acts_on_the_segments_that_its_filter_means(spec: str, acts_on: list[int]) -> None:
    payloads = [b"GET a", b"if", b"GET b", b"xyz", b"GET c"]
    (impairment,) = catalog.chain([spec], Transport.TCP)
    assert str(catalog.chain([str(impairment)])[0]) == str(impairment)
    lane = ImpairmentLane((impairment,), Transport.TCP, Direction.TO_SERVER, flow=1)
    gone = passed(lane, *payloads)
    assert [index for index, (payload, _) in enumerate(gone) if payload != payloads[index]] == acts_on


def test_a_stall_begins_with_a_segment_that_is_meant_and_an_end_is_meant_by_its_kind() -> None:
    lane = ImpairmentLane(catalog.chain(["stall 2s if 'x'"]), Transport.TCP, Direction.TO_SERVER, flow=1)
    lane.enter(b"free", clock=0.0)
    lane.enter(b"x", clock=1.0)
    lane.enter(b"behind", clock=1.5)
    assert [bytes(each.payload) for each in lane.leave(clock=2.9)] == [b"free"]
    assert [bytes(each.payload) for each in lane.leave(clock=3.0)] == [b"x", b"behind"]
    for spec, end in (("delay 1s if fin", 1.0), ("delay 1s if 'x'", 0.0), ("delay 1s first 1 if fin", 0.0)):
        lane = ImpairmentLane(catalog.chain([spec]), Transport.TCP, Direction.TO_SERVER, flow=1)
        lane.finish(clock=0.0)
        assert lane.next_release == end, spec


@pytest.mark.parametrize("spec", ["delay 1s if", "delay 1s if Hello", "delay 1s if (", "if 'x'", "none if 'x'"])
def test_a_filter_that_is_none_says_why(spec: str) -> None:
    with pytest.raises(
        ValueError, match=r"write a filter after if|in the filter after if, column \d|there is no fault"
    ):
        catalog.chain([spec])
