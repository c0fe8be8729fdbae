"""The wire list's filter expressions."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netlab.capture.filter import FilterError, parse
from netlab.capture.model import Direction, Endpoint, Flow, Kind, Outcome, Segment, Transport

FLOWS = [Flow(n, Transport.TCP, Endpoint("127.0.0.1", 50000 + n), Endpoint("127.0.0.1", 20000)) for n in (1, 2)]


def segment(
    number: int,
    flow: int,
    way: Direction,
    kind: Kind = Kind.DATA,
    data: bytes = b"",
    fate: str = "",
    outcome: Outcome = Outcome.DELIVERED,
) -> Segment:
    view = memoryview(data)
    return Segment(number, 0, FLOWS[flow - 1], way, kind, len(data), view, fate=fate, outcome=outcome)


OUT, IN = Direction.TO_SERVER, Direction.TO_CLIENT
SEGMENTS = [
    segment(1, 1, OUT, Kind.OPEN),
    segment(2, 1, OUT, data=b"Hello world"),
    segment(3, 1, IN, data=b"hello\x00\xff"),
    segment(4, 2, OUT, Kind.OPEN),
    segment(5, 2, OUT, data='Grüße = "x" or not'.encode(), fate="by loss 30 %", outcome=Outcome.DROPPED),
    segment(6, 2, IN, data=bytes(200), fate="delayed 100 ms"),
    segment(7, 2, OUT, Kind.FIN),
    segment(8, 1, IN, Kind.RESET),
    segment(9, 1, IN, Kind.FIN, b"bye"),
]

CASES = {
    "": [1, 2, 3, 4, 5, 6, 7, 8, 9],
    "  ": [1, 2, 3, 4, 5, 6, 7, 8, 9],
    "flow 2": [4, 5, 6, 7],
    "flow:1": [1, 2, 3, 8, 9],
    "FLOW:  1": [1, 2, 3, 8, 9],
    "flow 3": [],
    "→": [1, 2, 4, 5, 7],
    "->": [1, 2, 4, 5, 7],
    "out": [1, 2, 4, 5, 7],
    "server": [1, 2, 4, 5, 7],
    "←": [3, 6, 8, 9],
    "<-": [3, 6, 8, 9],
    "in": [3, 6, 8, 9],
    "client": [3, 6, 8, 9],
    ">100": [6],
    "> 100": [6],
    "len>100": [6],
    "len >= 200": [6],
    ">200": [],
    "<10 data": [3, 9],
    "<=11 data": [2, 3, 9],
    "=7": [3],
    "open": [1, 4],
    "data": [2, 3, 5, 6, 9],
    "fin": [7, 9],
    "reset": [8],
    '"hello"': [2, 3],
    '"Hello world"': [2],
    "'hello'": [2, 3],
    "'GRüßE'": [5],
    "'grüsse'": [],
    '"or not"': [5],
    r"b'hello\x00'": [3],
    'b"Hello"': [2],
    r"b'\xff'": [3],
    "0x48656c": [2],
    "hex:48656C": [2],
    "hex:48 65 6c": [2],
    "hex: 00 ff": [3],
    "hex:00 ff in": [3],
    "fate": [5, 6],
    "fate:dropped": [5],
    "fate:'100 MS'": [6],
    "not data": [1, 4, 7, 8],
    "not not data": [2, 3, 5, 6, 9],
    "not flow 2 not in": [1, 2],
    "flow 1 in data": [3, 9],
    "open or reset": [1, 4, 8],
    "flow 2 open or flow 1 >5 in": [3, 4],
    "not 'hello' or open": [1, 4, 5, 6, 7, 8, 9],
    "flow 1 and data": [2, 3, 9],
    "FLOW 1 AND DATA": [2, 3, 9],
    "open or flow 1 and reset": [1, 4, 8],
    "(open or flow 1) and reset": [8],
    "(open or reset) flow 1": [1, 8],
    "flow 1 (open or reset)": [1, 8],
    "not (open or data)": [7, 8],
    "not(open or data)and flow 2": [7],
    "not not (flow 2)": [4, 5, 6, 7],
    "( ( open ) )": [1, 4],
    "(fate:dropped)or(hex:00ff)or(0x627965)": [3, 5, 9],
    "('hello')": [2, 3],
    "'(or'": [],
}


@pytest.mark.parametrize("text", CASES)
def test_what_a_filter_shows(text: str) -> None:
    wanted = parse(text)

    assert [s.number for s in SEGMENTS if wanted.matches(s)] == CASES[text]
    assert wanted.text == text


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("open 'world", "column 6: the quotation mark is not closed"),
        ("b'abc", "column 1: the quotation mark is not closed"),
        ("flow 1 hex:4", "column 8: hex needs two digits for each byte"),
        ("hex:", "column 1: hex needs two digits for each byte"),
        ("0xzz", "column 1: zz is not hex"),
        (r"b'\x1'", r"column 1: b'\x1' is not a Python bytes literal"),
        ("b'ü'", "column 1: b'ü' is not a Python bytes literal"),
        ("''", "column 1: nothing stands between the quotation marks"),
        ("or open", "column 1: something to look for is missing before or"),
        ("open or", "column 8: something to look for is missing before the end"),
        ("open not", "column 9: something to look for is missing before the end"),
        ("not or open", "column 5: something to look for is missing before or"),
        ("open and", "column 9: something to look for is missing before the end"),
        ("and open", "column 1: something to look for is missing before and"),
        ("()", "column 2: something to look for is missing before )"),
        ("open and (data", "column 10: this parenthesis is not closed"),
        ("open) data", "column 5: this parenthesis was not opened"),
        ("(" * 51 + "open" + ")" * 51, "column 51: more than 50 parentheses are open"),
        ("hello", 'column 1: hello is not understood; to look for the text, write "hello"'),
        ("in or (order)", 'column 8: order is not understood; to look for the text, write "order"'),
        ('x="1"', 'column 1: x="1" is not understood; to look for the text, write \'x="1"\''),
        ("open && data", 'column 6: && is not understood; to look for the text, write "&&"'),
        ("flow", "column 1: flow is not understood; it is written as in flow 2"),
        ("flow:x", "column 1: flow:x is not understood; it is written as in flow 2"),
        ("len>many", "column 1: len>many is not understood; it is written as in len>100"),
        (">", "column 1: > is not understood; it is written as in len>100"),
        ("fate:", "column 1: fate: is not understood; it is written as in fate:dropped"),
    ],
)
def test_what_cannot_be_understood_is_said_with_its_place(text: str, sentence: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse(text)
    assert str(caught.value) == sentence


def test_what_a_fault_withheld_is_searched_too() -> None:
    withheld = replace(segment(1, 1, OUT, outcome=Outcome.DROPPED), original=memoryview(b"lost words"))

    assert parse("'LOST' fate:drop").matches(withheld)
    assert not parse("'found'").matches(withheld)


words = st.sampled_from(
    ["flow", "not", "and ", "or", "(", ")", ">", "1", "hex:", "0x", "b'", "'", '"', "\\", "fate:", "→", "48", " ", "a"]
)


@given(st.one_of(st.text(), st.lists(words).map("".join)))
def test_any_text_is_a_filter_or_a_sentence(text: str) -> None:
    try:
        wanted = parse(text)
    except FilterError as error:
        assert str(error).startswith("column ")
    else:
        assert all(isinstance(wanted.matches(s), bool) for s in SEGMENTS)
