"""What was packed, unpacked: whole, cut short, damaged, and a bomb."""

from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netlab.dissect.fields import most_derived
from netlab.dissect.reading.unpacking import unpack

TEXT = b"Roses are red, violets are blue. " * 20


@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        ("gzip", gzip.compress(TEXT, mtime=0)),
        ("deflate", zlib.compress(TEXT)),
        ("deflate", zlib.compress(TEXT, wbits=-15)),
    ],
    ids=["gzip", "deflate", "bare deflate"],
)
def test_packed_text_is_unpacked_and_a_part_of_it_as_far_as_it_goes(coding: str, packed: bytes) -> None:
    assert unpack(packed, coding) == (TEXT, "")
    half = unpack(packed[:-9], coding, whole=False)
    assert half is not None
    assert TEXT.startswith(half.data)
    assert half.problem == ""
    ended = unpack(packed[:-9], coding)
    assert ended is not None
    assert ended.problem == f"the {coding} data ends too early"


def test_a_bomb_is_unpacked_to_its_bound() -> None:
    bomb = zlib.compress(bytes(20 << 20))
    found = unpack(bomb, "deflate")
    assert found is not None
    assert len(found.data) == 1 << 20
    assert found.problem == "only the first 1,048,576 bytes are unpacked"


def test_what_is_not_packed_says_so() -> None:
    found = unpack(b"plain", "gzip")
    assert found is not None
    assert found == (b"", "this is not gzip: incorrect header check")
    assert unpack(b"plain", "br") is None


@given(st.binary(), st.sampled_from(["gzip", "deflate"]), st.booleans())
def test_any_bytes_are_tried_within_bounds(data: bytes, coding: str, whole: bool) -> None:
    found = unpack(data, coding, whole=whole)
    assert found is not None
    assert len(found.data) <= most_derived(len(data))
