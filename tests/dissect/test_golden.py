"""What each topic's dissector makes of recorded bytes: whole, cut short, and of what is not its protocol.

``samples/TOPIC-CASE.txt`` holds a direction, bytes, and the tree that they were seen to make. To take another sample:
``tests.support.dissection_text.written``.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from netlab.dissect.fields import Dissection
from netlab.topics.discovery import find_topics, topic_named
from tests.support.dissection_text import read, tree
from tests.support.field_laws import check_fields
from tests.support.folders import DISSECT_SAMPLES

SAMPLES = sorted(DISSECT_SAMPLES.glob("*.txt"))
OWN = [topic.name for topic in find_topics() if topic.package.startswith("netlab.")]
NAMED = pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)


def dissected(path: Path, length: int | None = None) -> tuple[Dissection, int, str]:
    """What is made of so many of a sample's bytes, how many there are, and what was expected of all."""
    direction, data, expected = read(path.read_text(encoding="utf-8"))
    found = topic_named(path.stem.partition("-")[0]).dissector()(memoryview(data)[:length], direction, 0)
    return found, len(data), expected


@NAMED
def test_a_sample_makes_its_tree(path: Path) -> None:
    found, _, expected = dissected(path)
    assert tree(found) == expected


@NAMED
def test_a_sample_cut_anywhere_is_covered_by_fields(path: Path) -> None:
    length = dissected(path)[1]
    for cut in range(length + 1):
        found = dissected(path, cut)[0]
        check_fields(found.fields, 0, cut)
        ends = [(field.start, field.end) for field in found.fields]
        assert [start for start, _ in ends[1:]] == [end for _, end in ends[:-1]] or path.stem.startswith("udp")
        assert (ends[0][0], ends[-1][1]) == (0, cut) if cut else not ends


@pytest.mark.parametrize("topic", OWN)
def test_every_topic_has_whole_and_cut_samples_both_ways(topic: str) -> None:
    mine = [path for path in SAMPLES if path.stem.startswith(f"{topic}-")]
    assert {read(path.read_text(encoding="utf-8"))[0].value for path in mine} == {"→", "←"}
    dissections = [dissected(path)[0] for path in mine]
    assert any(not found.needs and found.fields for found in dissections)
    if topic != "udp":  # nothing more of a datagram comes
        assert any(found.needs for found in dissections)
