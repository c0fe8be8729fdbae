"""Holding segments on the screen: the editor's bytes, the keys of the wire pane, and pictures of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.pilot import Pilot
from textual.widgets import Input, OptionList

from netlab.capture.model import Direction, Kind, Segment
from netlab.ui.experiments.experiment_pane import ExperimentPane
from netlab.ui.widgets.chooser import Chooser
from netlab.ui.wire.intercepting.intercept_edit import LONGEST, Edit
from netlab.ui.wire.segment_row import what
from tests.support.screen.staging import StagedApp, enter, played, serving, settled
from tests.support.waiting import until

Compare = Callable[..., bool]
sizes = pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=["120x40", "80x24"])


def typed(edit: Edit, text: str) -> bytes:
    for character in text:
        edit.type(character)
    return bytes(edit.held)


def test_two_digits_overwrite_a_byte_and_go_on() -> None:
    edit = Edit(b"Hello")
    assert edit.type("4") and edit.low
    assert typed(edit, "a") == b"Jello"
    assert (edit.cursor, edit.low) == (1, False)
    assert not edit.type("g")
    edit.move(5)
    assert typed(edit, "21") == b"Jello!"


def test_digits_are_inserted_where_that_is_wanted() -> None:
    edit = Edit(b"ad")
    edit.inserting = True
    edit.move(1)
    assert typed(edit, "6263") == b"abcd"


def test_text_is_typed_as_its_bytes() -> None:
    edit = Edit(b"Hello")
    edit.as_text = True
    assert typed(edit, "Yä") == b"Y\xc3\xa4lo"
    edit.inserting = True
    edit.move(0)
    assert typed(edit, "€") == b"\xe2\x82\xacY\xc3\xa4lo"


def test_bytes_go_by_key_and_by_selection_and_come_back() -> None:
    edit = Edit(b"Hello")
    edit.move(1)
    assert edit.delete() and bytes(edit.held) == b"Hllo"
    assert edit.rub_out() and bytes(edit.held) == b"llo"
    assert not edit.rub_out()
    assert edit.delete((0, 2)) and bytes(edit.held) == b"o"
    assert edit.delete() and not edit.delete() and bytes(edit.held) == b""
    for expected in (b"o", b"llo", b"Hllo", b"Hello"):
        assert edit.undo() and bytes(edit.held) == expected
    assert not edit.undo()


def test_a_half_typed_byte_is_taken_back_by_rubbing_it_out() -> None:
    edit = Edit(b"Hello")
    edit.type("f")
    assert edit.rub_out() and bytes(edit.held) == b"Hello"


def test_no_more_than_so_many_bytes() -> None:
    edit = Edit(bytes(LONGEST))
    edit.as_text = edit.inserting = True
    assert not edit.type("x")


@given(st.binary(max_size=8), st.lists(st.sampled_from(["x", "4", "delete", "rub", "left", "right", "text", "insert"])))
def test_whatever_is_typed_can_be_taken_back(held: bytes, keys: list[str]) -> None:
    edit, changes = Edit(held), 0
    for key in keys:
        if key in ("left", "right"):
            edit.move(edit.cursor + (1 if key == "right" else -1))
        elif key == "text":
            edit.as_text, edit.low = not edit.as_text, False
        elif key == "insert":
            edit.inserting, edit.low = not edit.inserting, False
        elif key == "rub" and edit.low:
            changes -= edit.rub_out()
        else:
            changes += {"delete": edit.delete, "rub": edit.rub_out}.get(key, lambda key=key: edit.type(key))()
        assert 0 <= edit.cursor <= len(edit.held)
    for _ in range(changes):
        assert edit.undo()
    assert bytes(edit.held) == held


# On the screen


async def held_one(app: StagedApp, pilot: Pilot[None], text: str = "Hello") -> None:
    """Let the wire hold what the client says, and go to it."""
    app.seen.lab.wire.intercept("->")
    await enter(pilot, text)
    await until(pilot, lambda: app.seen.wire.held.held, "something is held")
    app.seen.panes.go("wire")
    await until(pilot, lambda: app.seen.wire.held.has_focus, "the held segments have the focus")


@played()
async def test_i_holds_what_matches_and_a_lets_it_go(app: StagedApp, pilot: Pilot[None]) -> None:
    await pilot.press("escape", "i")
    await until(pilot, lambda: isinstance(app.focused, Input) and app.focused is not app.seen.console.prompt)
    await pilot.press(*"-> 'Hello'", "enter")
    await until(pilot, lambda: app.seen.lab.state.intercept == "-> 'Hello'", "the filter")
    await pilot.press("colon")
    await enter(pilot, "Hello")
    await until(pilot, lambda: app.seen.wire.held.held, "something is held")
    assert "hold: -> 'Hello', 1 held" in str(app.seen.query_one("StatusLine").render())
    assert app.focused is app.seen.console.prompt  # traffic steals no focus
    app.seen.panes.go("wire")
    await until(pilot, lambda: app.seen.wire.held.has_focus)
    await until(pilot, lambda: "held → 5 bytes" in str(app.seen.inspector.bytes.border_title), "its bytes")
    await pilot.press("a")
    await until(pilot, lambda: "b'Hello'" in app.transcript.splitlines(), "the echo")
    await until(pilot, lambda: not app.seen.wire.held.held and app.seen.panes.pane_of(app.focused) == "wire")


@played()
async def test_e_edits_and_esc_leaves_it_as_it_was(app: StagedApp, pilot: Pilot[None]) -> None:
    await held_one(app, pilot)
    await pilot.press("e")
    await until(pilot, lambda: app.seen.intercepts.editor is not None and app.seen.intercepts.editor.has_focus)
    await pilot.press("4", "a", "escape")
    await until(pilot, lambda: app.seen.intercepts.editor is None and app.seen.wire.held.has_focus)
    assert app.seen.wire.held.held[0].payload == b"Hello"
    await pilot.press("e")
    await until(pilot, lambda: app.seen.intercepts.editor is not None and app.seen.intercepts.editor.has_focus)
    await pilot.press("4", "a", "tab", "ctrl+t", "q", "?", "enter")
    await until(pilot, lambda: app.seen.wire.held.held[0].payload == b"Jq?ello", "edited")
    assert app.seen.wire.held.held[0].edited
    await until(pilot, lambda: app.seen.wire.held.has_focus)
    await pilot.press("A")
    await until(pilot, lambda: "b'Jq?ello'" in app.transcript, "the echo of what left")
    await until(pilot, lambda: any(each.original is not None for each in app.seen.lab.capture.segments), "it crossed")
    (left,) = [each for each in app.seen.lab.capture.segments if each.original is not None]
    assert bytes(left.original or b"") == b"Hello" and bytes(left.data) == b"Jq?ello"


@played()
async def test_d_drops_and_elsewhere_e_and_d_are_what_they_always_are(app: StagedApp, pilot: Pilot[None]) -> None:
    await held_one(app, pilot)
    await pilot.press("d")
    await until(pilot, lambda: not app.seen.wire.held.held, "dropped")
    app.seen.lab.wire.intercept("")
    await until(pilot, lambda: any(s.words == "dropped: by hand" for s in app.seen.lab.capture.segments))
    await until(pilot, lambda: app.seen.wire.highlighted is not None and app.seen.wire.highlighted.dropped)
    dropped = app.seen.wire.highlighted
    assert dropped is not None
    assert what(dropped, None) == "dropped: by hand · Hello"
    title = "→ 5 bytes, dropped by the wire"
    await until(pilot, lambda: title in str(app.seen.inspector.bytes.border_title))
    assert app.seen.inspector.bytes.source.length == 5
    app.seen.panes.go("wire")
    await until(pilot, lambda: app.seen.panes.pane_of(app.focused) == "wire")
    await pilot.press("d")
    await until(pilot, lambda: app.seen.panes.reader is not None, "then and now")
    await pilot.press("escape")
    await until(pilot, lambda: app.seen.panes.pane_of(app.focused) == "wire")
    await pilot.press("e")
    await until(pilot, lambda: app.seen.query(ExperimentPane), "the experiments")


@played()
async def test_r_replays_in_a_new_flow(app: StagedApp, pilot: Pilot[None]) -> None:
    app.seen.lab.set_model("threading")
    await enter(pilot, "Hello")
    await until(pilot, lambda: app.seen.lab.state.accounts.to_client == 5)
    app.seen.panes.go("wire")
    await until(pilot, lambda: app.seen.panes.pane_of(app.focused) == "wire")
    await until(pilot, lambda: app.seen.wire._list.rows.count == 3)
    app.seen.wire.go_to(2)
    await pilot.press("r")
    await until(pilot, lambda: isinstance(app.screen, Chooser), "in which flow")
    await pilot.press("enter")
    await until(pilot, lambda: "5 bytes came back" in app.transcript, "the outcome")

    def again() -> list[Segment]:
        return [s for s in app.seen.lab.capture.segments if s.flow.number == 2 and s.kind is Kind.DATA]

    await until(pilot, lambda: len(again()) >= 2, "both have crossed")
    assert [(s.direction, bytes(s.data)) for s in again()[:2]] == [
        (Direction.TO_SERVER, b"Hello"),
        (Direction.TO_CLIENT, b"Hello"),
    ]


async def answered_once(app: StagedApp, pilot: Pilot[None]) -> None:
    """The first client was answered; the cursor is on the answer."""
    app.seen.lab.set_model("threading")
    await enter(pilot, "Hello")
    await until(pilot, lambda: app.seen.lab.state.accounts.to_client == 5)
    app.seen.panes.go("wire")
    await until(pilot, lambda: app.seen.panes.pane_of(app.focused) == "wire")
    await until(pilot, lambda: app.seen.wire._list.rows.count == 3)
    app.seen.wire.go_to(3)


def toasts(app: StagedApp) -> str:
    return " ".join(each.message for each in app._notifications)


@played()
async def test_an_answer_of_a_closed_flow_is_replayed_to_an_open_one_or_says_why_not(
    app: StagedApp, pilot: Pilot[None]
) -> None:
    await answered_once(app, pilot)
    app.seen.lab.sessions[0].disconnect()
    await until(pilot, lambda: all(flow.closed for flow in app.seen.lab.flows))
    await pilot.press("r")
    await until(pilot, lambda: "Connect a client" in toasts(app), "why not, beside the wire")
    other = app.seen.lab.connect()
    await until(pilot, lambda: any(flow.closed is None for flow in app.seen.lab.flows))
    app.seen.wire.go_to(3)
    await pilot.press("r")
    await until(pilot, lambda: isinstance(app.screen, Chooser), "in which flow")
    await pilot.press("enter")
    await until(pilot, lambda: app.seen.lab.state.accounts.to_client == 10)
    assert other.recv(8192) == b"Hello"


@played()
async def test_bytes_of_a_closed_flow_are_offered_a_new_one_alone(app: StagedApp, pilot: Pilot[None]) -> None:
    await answered_once(app, pilot)
    app.seen.lab.sessions[0].disconnect()
    await until(pilot, lambda: all(flow.closed for flow in app.seen.lab.flows))
    app.seen.wire.go_to(2)
    await pilot.press("r")
    await until(pilot, lambda: isinstance(app.screen, Chooser), "in which flow")
    assert app.screen.query_one(OptionList).option_count == 1
    await pilot.press("enter")
    await until(pilot, lambda: "5 bytes came back" in app.transcript, "the outcome")


@played()
async def test_down_goes_on_to_what_is_held_and_up_comes_back(app: StagedApp, pilot: Pilot[None]) -> None:
    await held_one(app, pilot)
    await pilot.press("up")
    await until(pilot, lambda: not app.seen.wire.held.has_focus and app.seen.panes.pane_of(app.focused) == "wire")
    await pilot.press("down")
    await until(pilot, lambda: app.seen.wire.held.has_focus)


async def editing(pilot: Pilot[None]) -> None:
    app = await serving(pilot)
    await held_one(app, pilot)
    await until(pilot, lambda: app.seen.console.query_one("#explained").has_class("-waiting"), "it is said to wait")
    await settled(pilot)
    await pilot.press("e")
    await until(pilot, lambda: app.seen.intercepts.editor is not None and app.seen.intercepts.editor.has_focus)
    await pilot.press("right", "4", "5", "tab", "ctrl+t", "X", "Y", "tab", "7")
    await pilot.pause()


@sizes
@pytest.mark.usefixtures("staged_times")
def test_a_held_segment_being_edited(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(StagedApp(), terminal_size=size, run_before=editing)


@played(first="udp")
async def test_a_dropped_datagram_did_not_leave_and_the_next_held_one_is_looked_at(
    app: StagedApp, pilot: Pilot[None]
) -> None:
    app.seen.lab.wire.intercept("->")
    await enter(pilot, "send(b'one')")
    await enter(pilot, "send(b'two')")
    await until(pilot, lambda: len(app.seen.wire.held.held) == 2)
    await pilot.press("escape")
    await until(pilot, lambda: app.seen.wire.held.has_focus)
    await pilot.press("d")
    bytes_pane = app.seen.inspector.bytes
    await until(pilot, lambda: len(app.seen.wire.held.held) == 1 and app.seen.wire.highlighted is not None)
    await settled(pilot)
    assert str(bytes_pane.border_title) == "bytes ── held → 3 bytes, not delivered yet"
    await pilot.press("A")
    await until(pilot, lambda: not app.seen.wire.held.held and not app.seen.wire.held.has_focus)
    app.seen.wire.go_to(1)
    await until(pilot, lambda: "→ 3 bytes, dropped by the wire" in str(bytes_pane.border_title))


@played(first="wsgi")
async def test_what_waits_says_how_to_leave_also_of_a_long_call(app: StagedApp, pilot: Pilot[None]) -> None:
    app.seen.lab.wire.intercept("'GET'")
    await enter(pilot, "x" * 60)
    await until(pilot, lambda: "held on the wire" in app.seen.console.waiting)
    waiting = app.seen.console.waiting
    assert waiting.endswith("… · held on the wire · ctrl+c abandons") and len(waiting) <= 2 * 43
    await pilot.press("escape")
