"""Bytes of a terminal: what comes through, what is thinned, what is left out."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual import events

from netlab.ui.terminal.input_queue import LIMITS, InputQueue
from netlab.ui.terminal.terminal_input import LONGEST_PASTE, InputKind, Pasted, TerminalInput


class Source:
    """A terminal's input with so much room; what was lost is counted."""

    def __init__(self, room: int = 1_000_000) -> None:
        self.lost: Counter[InputKind] = Counter()
        self.input = TerminalInput(lambda kind: room, self._lost)

    def _lost(self, kind: InputKind, count: int) -> None:
        self.lost[kind] += count

    def feed(self, *chunks: bytes, more: bool = True) -> list[str | Pasted]:
        return [piece for chunk in chunks for piece in self.input.feed(chunk, more=more) if piece]

    def text(self, *chunks: bytes, more: bool = True) -> str:
        pieces = [*self.feed(*chunks, more=more), *self.input.rest()]
        return "".join(piece for piece in pieces if isinstance(piece, str))


@given(st.binary(max_size=200), st.data())
def test_whatever_comes_however_cut_is_the_same(data: bytes, drawn: st.DataObject) -> None:
    cuts = sorted(drawn.draw(st.lists(st.integers(0, len(data)), max_size=5)))
    parts = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    assert Source().text(*parts) == Source().text(data)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=300))
def test_text_comes_through(text: str) -> None:
    assert Source().text(text.encode()) == text


@pytest.mark.parametrize("cut", range(1, 6))
def test_a_sequence_that_is_cut_off_waits_for_its_rest_and_no_longer(cut: int) -> None:
    source, paged = Source(), b"\x1b[5~"
    assert source.text(paged[:cut], paged[cut:]) == paged.decode()
    assert source.text(b"\x1b", more=False) == "\x1b", "a single escape waits for nothing"


def test_bytes_that_are_no_text_are_replaced() -> None:
    assert Source().text(b"a\xffb\xe9") == "a�b�"


@pytest.mark.parametrize("cut", range(9))
def test_an_old_mouse_is_ignored(cut: int) -> None:
    data = b"a\x1b[M\xe0\xff!b!"
    assert Source().text(data[:cut], data[cut:]) == "ab!"


def test_of_a_mouse_that_moves_the_last_place_counts() -> None:
    moves = b"".join(b"\x1b[<35;%d;7M" % n for n in range(1, 300))
    assert Source().text(moves + b"x") == "\x1b[<35;299;7Mx"
    dragged = b"\x1b[<0;1;1M\x1b[<32;2;1M\x1b[<32;3;1M\x1b[<0;3;1m"
    assert Source().text(dragged) == "\x1b[<0;1;1M\x1b[<32;3;1M\x1b[<0;3;1m"


@pytest.mark.parametrize("cut", range(20))
def test_a_bracketed_paste_is_one(cut: int) -> None:
    data = b"a\x1b[200~\x1b[M\xff\0x\x1b[201~b"
    assert Source().feed(data[:cut], data[cut:]) in (
        ["a", Pasted("\x1b[M�x"), "b"],
        ["a", "\x1b", Pasted("\x1b[M�x"), "b"],
    )


def test_a_paste_is_bounded() -> None:
    source = Source()
    (paste,) = source.feed(b"\x1b[200~", b"x" * LONGEST_PASTE, b"yyy", b"\x1b[201~")
    assert paste == Pasted("x" * LONGEST_PASTE)
    assert source.lost == {InputKind.TEXT: 3}


def test_once_text_is_left_out_all_of_the_burst_is() -> None:
    source = Source(room=0)
    (kept,) = source.feed(b"x" * 100 + b"\x11" + b"y" * 100)[:1]
    assert set(str(kept)) == {"x"}
    assert "y" not in str(source.feed(b"yyy"))
    assert source.lost[InputKind.TEXT] == 203 - len(kept)
    list(source.input.rest())
    assert source.text(b"by hand\r") == "by hand\r"


def test_keys_come_through_a_flood_of_text() -> None:
    source = Source(room=0)
    assert source.text(b"x" * 5000 + b"\x11\x1b[A").endswith("\x11\x1b[A")


def test_the_queue_keeps_what_it_can_and_counts_the_rest() -> None:
    queue = InputQueue()
    for _ in range(5000):
        queue.put(events.Key("x", "x"))
    kept = 0
    while queue.take() is not None:
        kept += 1
    assert kept == 2 * LIMITS[InputKind.TEXT]
    assert queue.take_lost() == {InputKind.TEXT: 5000 - kept}
    assert queue.room(InputKind.TEXT) == LIMITS[InputKind.TEXT]


def test_a_button_whose_press_was_kept_is_let_go() -> None:
    queue = InputQueue()
    queue.put(_mouse(events.MouseDown))
    for _ in range(5000):
        queue.put(_mouse(events.MouseScrollUp))
    queue.put(_mouse(events.MouseUp))
    taken = [queue.take() for _ in range(2 * LIMITS[InputKind.MOUSE] + 1)]
    assert isinstance(taken[-1], events.MouseUp)
    assert queue.take() is None


def _mouse(kind: type[events.MouseEvent]) -> events.MouseEvent:
    return kind(None, 1, 1, 0, 0, 1, False, False, False)
