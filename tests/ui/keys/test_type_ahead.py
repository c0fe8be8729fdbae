"""Each key has its turn: what one opens is there for the next, however fast they come. And each key means one thing."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from pathlib import Path

import pytest
from textual import events
from textual.command import CommandPalette
from textual.pilot import Pilot
from textual.screen import ModalScreen
from textual.widgets import Input, Static

import netlab.ui
from netlab.lab.state import Phase
from netlab.ui.console.prompt import PromptInput
from netlab.ui.faults.fault_form import FaultForm
from netlab.ui.keys.footer import KeyFooter
from netlab.ui.keys.help import Help
from netlab.ui.keys.jump import LETTERS, Jump
from netlab.ui.keys.late_paint import LateModal
from netlab.ui.load.load_form import LoadForm
from netlab.ui.tab.arrangement.slots import Life
from netlab.ui.widgets.chooser import Chooser
from tests.support.screen.staging import StagedApp, enter, played
from tests.support.waiting import until

BURST = 90.0
"""Seconds for a burst that mounts a dozen panes, on however busy a machine."""


def at_once(app: StagedApp, *keys: str) -> None:
    """All of them are there before the first is handled."""
    for key in keys:
        app.simulate_key(key)


async def console_takes(app: StagedApp, pilot: Pilot[None], word: str) -> None:
    """Leave what is open, and have the console echo a word."""
    at_once(app, *["escape"] * 6, "greater_than_sign", "end", "ctrl+u", *word, "enter")
    await until(pilot, lambda: f"send(b'{word}')" in app.transcript, f"the console takes {word}", BURST)


@pytest.mark.parametrize("burst", ["Hello", "lel", "ll", "dd", "vvv", "pp", "ppp", "vlve", "ele", "lpe\\v"])
def test_letters_in_one_burst_find_whole_panes(burst: str) -> None:
    @played()
    async def play(app: StagedApp, pilot: Pilot[None]) -> None:
        at_once(app, "escape", *(key if key != "\\" else "backslash" for key in burst))
        await console_takes(app, pilot, "word")
        panes = app.seen.panes
        await until(pilot, lambda: all(slot.settled for slot in panes._slots), "all panes there or away")
        assert len(app.query("ReaderPane")) <= 1

    play()


@pytest.mark.parametrize("opens", ["colon", "n", "greater_than_sign"])
def test_esc_leaves_a_console_that_has_the_whole_tab(opens: str) -> None:
    @played()
    async def play(app: StagedApp, pilot: Pilot[None]) -> None:
        at_once(app, "escape", "backslash", opens, "escape", "w")
        await until(pilot, lambda: app.focused is app.seen.console.transcript, "letters are commands")
        at_once(app, "backslash")
        await console_takes(app, pilot, "word")

    play()


@pytest.mark.parametrize("behind", ["m", "c", "f", "ctrl+p", "question_mark", "2", "v"])
def test_a_key_right_behind_quit_is_left_out(behind: str) -> None:
    @played()
    async def play(app: StagedApp, pilot: Pilot[None]) -> None:
        at_once(app, "escape", "q", behind)
        await until(pilot, lambda: app._exit, "it leaves")

    play()


@played()
async def test_keys_for_a_tab_wait_until_it_has_its_bench(app: StagedApp, pilot: Pilot[None]) -> None:
    at_once(app, "escape", "2", "escape", "v", "escape", "3", "escape", "l", "escape", "slash", "escape")
    at_once(app, "greater_than_sign", *"Hello")
    await until(pilot, lambda: app.tab is not None and app.tab.topic.name == "wsgi", "the last tab", BURST)
    await until(pilot, lambda: app.seen.console.prompt.value == "Hello", "its console")


@played()
async def test_help_opens_on_five_columns(app: StagedApp, pilot: Pilot[None]) -> None:
    await pilot.resize_terminal(5, 10)
    at_once(app, "escape", "question_mark")
    await until(pilot, lambda: isinstance(app.screen, Help))
    await pilot.press("escape")


@played()
async def test_a_pane_that_is_wanted_twice_and_then_not_is_away(app: StagedApp, pilot: Pilot[None]) -> None:
    slot = app.seen.panes.lanes_slot
    for _ in range(5):  # as clicks would do, which have no turns
        app.seen.actions.toggle_lanes()
    await until(pilot, lambda: slot.life is Life.THERE and slot.settled, "there")
    assert len(app.query("LanesPane")) == 1
    app.seen.actions.toggle_lanes()
    await until(pilot, lambda: slot.life is Life.AWAY and not app.query("LanesPane"), "away")


@pytest.mark.parametrize("pane", ["wire", "bytes", "log", "lanes", "experiment", "reader"])
def test_one_key_leads_to_the_console_from_every_pane(pane: str) -> None:
    @played()
    async def play(app: StagedApp, pilot: Pilot[None]) -> None:
        opens = {"lanes": "p", "experiment": "e", "reader": "l"}.get(pane)
        at_once(app, "escape", *([opens] if opens else []))
        if not opens:
            await until(pilot, lambda: app.seen.panes.pane_of(app.focused) == "wire", "out of the console")
            app.seen.panes.go(pane)
        await until(pilot, lambda: app.seen.panes.pane_of(app.focused) == pane, "the pane")
        await until(pilot, lambda: "> console" in str(app.query_one(KeyFooter).render()), "the footer")
        if pane not in ("wire", "experiment"):
            await pilot.press("enter")
            await pilot.pause()
            assert app.seen.panes.pane_of(app.focused) == pane
        await pilot.press("greater_than_sign")
        await until(pilot, lambda: isinstance(app.focused, PromptInput), "the console")

    play()


@played()
async def test_a_letter_that_is_no_command_says_so(app: StagedApp, pilot: Pilot[None]) -> None:
    at_once(app, "escape", *"ZZZ")
    await until(pilot, lambda: "Z does nothing here" in str(app.query_one(KeyFooter).render()), "the remark")
    at_once(app, "x")
    await until(pilot, lambda: "x does nothing now" in str(app.query_one(KeyFooter).render()), "no client to close")
    await until(pilot, lambda: "> console" in str(app.query_one(KeyFooter).render()), "the keys again")


@played()
async def test_q_asks_when_something_would_be_lost(app: StagedApp, pilot: Pilot[None]) -> None:
    await enter(pilot, "Hello")
    await until(pilot, lambda: app.seen.lab.unsaved >= 3, "segments")
    at_once(app, "escape", "q")
    await until(pilot, lambda: isinstance(app.screen, Chooser), "the question")
    at_once(app, "escape")
    await until(pilot, lambda: len(app.screen_stack) == 1)
    assert not app._exit
    at_once(app, "q", "enter")
    await until(pilot, lambda: app._exit, "it leaves")


def test_a_saved_capture_without_clients_is_nothing_to_lose(tmp_path: Path) -> None:
    @played()
    async def play(app: StagedApp, pilot: Pilot[None]) -> None:
        await enter(pilot, "Hello")
        await until(pilot, lambda: "b'Hello'" in app.transcript.splitlines(), "the echo")
        await enter(pilot, ":close")
        await until(pilot, lambda: app.seen.lab.unsaved == 5, "the server's end has crossed, too")
        await until(pilot, lambda: not app.seen.lab.sessions[0].connected, "closed")
        await enter(pilot, f":save {tmp_path / 'lab.pcapng'}")
        await until(pilot, lambda: not app.seen.lab.unsaved, "saved")
        at_once(app, "escape", "q")
        await until(pilot, lambda: app._exit, "it leaves")

    play()


@played()
async def test_the_jump_mode_goes_to_panes_and_tabs(app: StagedApp, pilot: Pilot[None]) -> None:
    at_once(app, "ctrl+o")
    await until(pilot, lambda: isinstance(app.screen, Jump) and app.screen.query(Static))
    assert len(app.screen.query(Static)) == len(app.seen.panes.order) + len(app.tab_titles) + 1  # how to leave
    here = app.screen
    at_once(app, "1", "space", "tab", "enter", "question_mark", "B")
    await until(
        pilot, lambda: "B does nothing here" in str(app.screen_stack[0].query_one(KeyFooter).render()), "handled"
    )
    assert app.screen is here, "only a letter that is shown, and esc, leave it"
    assert "esc leaves" in {str(label.content) for label in app.screen.query(Static)}
    at_once(app, "escape")
    await until(pilot, lambda: len(app.screen_stack) == 1, "it is left")
    assert isinstance(app.focused, PromptInput), "and nothing else has happened"
    at_once(app, "ctrl+o")
    await until(pilot, lambda: isinstance(app.screen, Jump) and app.screen.query(Static))
    at_once(app, LETTERS[app.seen.panes.order.index("log")])
    await until(pilot, lambda: app.seen.panes.pane_of(app.focused) == "log")
    at_once(app, "ctrl+o", LETTERS[len(app.seen.panes.order) + 1])
    await until(pilot, lambda: app.tab is not None and app.tab.topic.name == "udp", "the second tab")


@played()
async def test_what_is_pasted_outside_the_console_goes_there(app: StagedApp, pilot: Pilot[None]) -> None:
    at_once(app, "escape")
    await until(pilot, lambda: app.seen.panes.pane_of(app.focused) == "wire")
    app.post_message(events.Paste("Hello"))
    await until(pilot, lambda: app.seen.console.prompt.value == "Hello" and isinstance(app.focused, PromptInput))
    assert app.seen.lab.state.phase is Phase.SERVING


MODALS = {
    "m": Chooser, "c": Chooser, "q": Chooser, "f": FaultForm, "question_mark": Help, "ctrl+o": Jump,
    "ctrl+p": CommandPalette, "W": LoadForm,
}  # fmt: skip
"""What stands above the panes, by the key that opens it."""


def test_every_modal_is_among_those_that_a_paste_was_tried_on() -> None:
    found: set[type[object]] = set()
    for module in pkgutil.walk_packages(netlab.ui.__path__, "netlab.ui."):
        kinds = [kind for kind in vars(import_module(module.name)).values() if isinstance(kind, type)]
        found |= {kind for kind in kinds if issubclass(kind, ModalScreen) and kind is not LateModal}
    assert found - {ModalScreen} <= set(MODALS.values())


@pytest.mark.parametrize("opens", MODALS)
def test_a_paste_above_the_panes_is_taken_or_says_where_it_goes(opens: str) -> None:
    @played()
    async def play(app: StagedApp, pilot: Pilot[None]) -> None:
        await enter(pilot, "Hello")
        await until(pilot, lambda: app.seen.lab.unsaved >= 3, "something to lose")
        await pilot.press("escape", opens)
        await until(pilot, lambda: isinstance(app.screen, MODALS[opens]), "it is open")
        await until(pilot, lambda: not app._turn and app.screen.is_mounted, "it is ready")
        app.post_message(events.Paste("Hello"))
        if typed := {"ctrl+p": "Hello", "W": "HelloHello"}.get(opens):
            await until(pilot, lambda: app.screen.query(Input).first().value == typed, "the line that has the focus")
        else:
            await until(pilot, lambda: any("paste again" in each.message for each in app._notifications), "it is said")
        await pilot.press("escape")
        await until(pilot, lambda: len(app.screen_stack) == 1, "it is closed")
        app.post_message(events.Paste("Hello"))
        await until(pilot, lambda: app.seen.console.prompt.value == "Hello", "the console has it")

    play()
