"""Wrapping of lines into rows, and what is drawn of a transcript's entry."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.app import App, ComposeResult

from netlab.lab.state import Entry, EntryKind
from netlab.ui.console.prompt import runnable
from netlab.ui.console.transcript import SHOWN, copied, drawn
from netlab.ui.widgets.formatting import Formatting
from netlab.ui.widgets.scrollback import Scrollback, wrapped


def text_of(rows: list[tuple[tuple[str, str], ...]]) -> list[str]:
    return ["".join(text for _, text in row) for row in rows]


@given(st.lists(st.tuples(st.sampled_from(["", "a"]), st.text(max_size=60)), max_size=4), st.integers(2, 30))
def test_wrapping_loses_nothing_and_fits(parts: list[tuple[str, str]], width: int) -> None:
    rows = wrapped(tuple(parts), width)
    assert "".join(text_of(rows)) == "".join(text for _, text in parts)
    assert all(cell_len(row) <= width for row in text_of(rows))


def test_words_stay_whole_where_they_can() -> None:
    assert text_of(wrapped((("", "12:00:01 accepted 127.0.0.1:53422"),), 24)) == [
        "12:00:01 accepted ",
        "127.0.0.1:53422",
    ]


def test_the_scrollbar_covers_nothing() -> None:
    class Alone(App[None]):
        CSS = "Scrollback { height: 3; width: 20; }"

        def compose(self) -> ComposeResult:
            yield Scrollback()

    async def run() -> None:
        app = Alone()
        async with app.run_test() as pilot:
            ring = app.query_one(Scrollback)
            ring.extend([(("", "x" * 20),)] * 5)
            await pilot.pause()
            rows = [ring.render_line(y).text for y in range(3)]
            assert ring.show_vertical_scrollbar
            assert max(len(row.rstrip()) for row in rows) <= ring.scrollable_content_region.width

    asyncio.run(run())


def test_an_entry_is_drawn_with_its_prefix() -> None:
    call = Entry(0, EntryKind.CALL, "s.send(b'Hello')", 1)
    note = Entry(0, EntryKind.NOTE, "one\ntwo")
    assert text_of(drawn(call, Formatting())) == [">>> s.send(b'Hello')"]
    assert text_of(drawn(note, Formatting())) == ["# one", "# two"]


def test_a_very_long_entry_is_drawn_in_part_and_the_rest_counted() -> None:
    entry = Entry(0, EntryKind.RESULT, "\n".join(str(n) for n in range(1000)), 1)
    assert text_of(drawn(entry, Formatting()))[-1] == f"# … {1000 - SHOWN} more lines"
    assert text_of(drawn(Entry(0, EntryKind.RESULT, "x" * 10_000, 1), Formatting()))[0].endswith(
        "6,000 more characters"
    )


def test_a_transcript_is_copied_as_a_python_prompt_shows_it_and_its_calls_can_be_pasted_back() -> None:
    entries = [
        Entry(0, EntryKind.CALL, "s.send(b'Hello')", 1),
        Entry(0, EntryKind.RESULT, "5", 1),
        Entry(0, EntryKind.NOTE, "note"),
        Entry(0, EntryKind.CALL, "s.recv(8192)", 2),
    ]
    assert copied(entries) == ">>> s.send(b'Hello')\n5\n# note\n>>> s.recv(8192)"
    assert runnable(copied(entries)) == ["s.send(b'Hello')", "s.recv(8192)"]


def test_pasted_lines_are_taken_one_by_one() -> None:
    assert runnable("one\n\n two\n# comment\n") == ["one", "two"]
