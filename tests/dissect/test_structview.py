"""Struct formats: the same values as `struct`, spans that hold them, and refusals in words."""

from __future__ import annotations

import struct

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from netlab.dissect.structview import LIMIT, FormatRefused, unpack_at

FORMATS = st.builds(
    lambda order, items: order + "".join(items),
    st.sampled_from(["", "@", "=", "<", ">", "!"]),
    st.lists(
        st.builds(lambda n, c: f"{n}{c}", st.sampled_from(["", "0", "1", "3"]), st.sampled_from("cbB?hHiIlLqQefdspx"))
    ),
)


@given(FORMATS, st.integers(0, 9))
def test_values_are_those_of_struct_and_spans_hold_them(form: str, offset: int) -> None:
    assume("0p" not in form)  # CPython raises SystemError for it; refused, see below
    data = bytes(range(1, 256)) * 2
    seen = unpack_at(form, memoryview(data)[offset:], offset)
    # repr, because a NaN is unequal to itself
    assert [field.value for field in seen.fields] == [repr(v) for v in struct.unpack_from(form, data, offset)]
    order = form[:1] if form[:1] in tuple("@=<>!") else "@"
    codes = [c for c in form if c.isalpha() or c == "?"]
    for field in seen.fields:
        assert offset <= field.start <= field.end <= offset + seen.size
    assert all(a.end <= b.start for a, b in zip(seen.fields, seen.fields[1:], strict=False))
    if len(codes) == 1 and codes[0] in "hHiIqQ" and seen.fields:
        first = seen.fields[0]
        assert repr(struct.unpack(order + codes[0], data[first.start : first.end])[0]) == first.value


def test_the_line_does_it() -> None:
    view = memoryview(b"\0Hello")
    seen = unpack_at("!BI", view[1:], 1)
    assert seen.line == "struct.unpack_from('!BI', view, 1)"
    assert eval(seen.line, {"struct": struct, "view": view}) == (72, 1701604463)  # the line is our own
    assert seen.values == "72, 1701604463"
    assert [(f.start, f.end, f.kind) for f in seen.fields] == [(1, 2, "u8"), (2, 6, "u32")]


def python_unpacks_0p() -> bool:
    try:
        return struct.unpack("0p", b"") == (b"",)
    except SystemError:
        return False


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ("!Z", "not a struct format"),
        ("!BI", "needs 5 bytes, only 4 are left"),
        pytest.param(
            "0p", "struct cannot unpack it", marks=pytest.mark.skipif(python_unpacks_0p(), reason="3.13 does")
        ),
        ("!N", "native order"),
        ("9999999I", "it covers"),
        ("99999999999999999999I", "not a struct format"),
        ("é", "plain ASCII"),
        (f"{LIMIT + 1}s", "at most"),
    ],
)
def test_what_cannot_be_unpacked_says_why(form: str, says: str) -> None:
    with pytest.raises(FormatRefused, match=says):
        unpack_at(form, memoryview(b"abcd"), 0)


@given(st.text(max_size=8))
def test_any_text_is_a_format_or_refused(form: str) -> None:
    try:
        unpack_at(form, memoryview(bytes(64)), 0)
    except FormatRefused as problem:
        assert str(problem)
