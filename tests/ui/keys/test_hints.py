"""No hint promises a key that does something else where the person is, and each footer names its pane's own keys."""

from __future__ import annotations

import asyncio
import pkgutil
import re
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from textual.app import App
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import Input, Static

import netlab.ui
from netlab.ui.capture_app import InspectApp, open_capture
from netlab.ui.keys.commands import readable
from netlab.ui.keys.footer import MOST, KeyFooter, chosen
from netlab.ui.keys.help import Help
from netlab.ui.keys.hints import hint
from netlab.ui.keys.pane_keys import pane_keys
from netlab.ui.reader.reader import ReaderPane
from netlab.ui.tab.arrangement.pane_bar import PaneBar
from tests.support.screen.staging import StagedApp, enter, played
from tests.support.waiting import PATIENCE, until
from tests.ui.test_capture_app import write_capture

Promises = dict[str, set[str]]
"""What a hint says that a key does: the actions that the key may then have."""

LEAVING = frozenset({"dismiss", "leave", "close", "cancel", "back"})
"""What esc may do, and nothing else."""

_NAMED = re.compile(
    r"(?:^|[^\w\s] *|\s{2,}|\b(?:and|or|then) )(esc|enter|tab|del|bksp|space|⇧tab|(?:ctrl\+|\^)[a-z])\b"
)
"""Where a text names a key that has a name of its own."""


@pytest.fixture(autouse=True)
def promises(monkeypatch: pytest.MonkeyPatch) -> Promises:
    """Every promise that any part of the screen makes by `hint`, as it makes it."""
    made: Promises = {}

    def recorded(widget: Widget, *wanted: tuple[str, str]) -> str:
        for action, words in wanted:
            if words != "{}":
                made.setdefault(words.removeprefix("{}").lstrip(": "), set()).add(action)
        return hint(widget, *wanted)

    for module in pkgutil.walk_packages(netlab.ui.__path__, "netlab.ui."):
        if vars(import_module(module.name)).get("hint") is hint and module.name != hint.__module__:
            monkeypatch.setattr(f"{module.name}.hint", recorded)
    return made


def in_sight(app: App[None]) -> Iterator[Widget]:
    """Every widget in sight, on whichever screen is on top."""
    for widget in app.screen.walk_children(Widget):
        if widget.region.area and all(node.display for node in widget.ancestors_with_self if isinstance(node, Widget)):
            yield widget


def said(app: App[None]) -> Iterator[str]:
    """Titles of all widgets in sight, and all that stands in small texts: no lesson, no help, no code."""
    for widget in in_sight(app):
        yield from (str(text) for text in (widget.border_title, widget.border_subtitle) if text)
        if isinstance(widget, Static) and not any(isinstance(n, Help | ReaderPane) for n in widget.ancestors):
            yield str(widget.content)


def broken(app: App[None], promises: Promises) -> list[str]:
    """The hints on the screen that are not true now."""
    acts = {readable(key): each.binding.action for key, each in app.screen.active_bindings.items() if each.enabled}
    letters = {} if isinstance(app.focused, Input) else acts
    wrong = [text for text in said(app) for key, words in hints_in(text, promises)
             if key != "esc" and letters.get(key, "") not in promises[words]]  # fmt: skip
    for text in said(app):
        for key in (found[1].replace("ctrl+", "^") for found in _NAMED.finditer(text)):
            leaves = acts.get(key, "").partition("(")[0] in LEAVING
            wrong += [text] if key not in acts or (key == "esc" and not leaves) else []
    return [f"{app.focused}: {text}" for text in wrong]


def hints_in(text: str, promises: Promises) -> Iterator[tuple[str, str]]:
    """Each key that a text names, and what it is said to do."""
    if promises:
        words = "|".join(map(re.escape, sorted(promises, key=len, reverse=True)))
        key = r"(?:^|(?<=[\s,(]))(\S|\^\S|⇧\S+|f\d+|esc|enter|tab|del|bksp|space|home|end|pgup|pgdn)"
        yield from re.findall(rf"{key}:? ({words})(?=[,. ─]|$)", text)


def kept(app: App[None], promises: Promises, words: str) -> bool:
    """Whether a promise is made somewhere on the screen."""
    return any(found == words for text in said(app) for _, found in hints_in(text, promises))


async def focused(app: App[None], pilot: Pilot[None], widget: Widget) -> None:
    """Put the focus there, and wait until the titles have followed."""
    widget.focus()
    await until(pilot, lambda: app.focused is widget, "the focus")
    await pilot.pause()
    await pilot.pause()


async def true(app: App[None], pilot: Pilot[None], promises: Promises) -> None:
    """Wait until no hint on the screen is wrong."""
    deadline = time.monotonic() + PATIENCE
    while wrong := broken(app, promises):
        assert time.monotonic() < deadline, wrong
        await pilot.pause(0.01)


@pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=["120x40", "80x24"])
def test_hints_are_true_wherever_the_focus_is(size: tuple[int, int], promises: Promises) -> None:
    @played(size)
    async def play(app: StagedApp, pilot: Pilot[None]) -> None:
        seen = app.seen
        await enter(pilot, "Hello")
        await until(pilot, lambda: seen.inspector.bytes.source.length == 5, "its bytes")
        seen.lab.wire.intercept("->")
        await enter(pilot, "held")
        await until(pilot, lambda: seen.wire.held.held, "something is held")
        await focused(app, pilot, seen.wire._list)
        places = {}
        for widget in list(app.screen.focus_chain):
            await focused(app, pilot, widget)
            await true(app, pilot, promises)
            places[seen.panes.pane_of(widget), type(widget).__name__] = {w for w in promises if kept(app, promises, w)}
        assert places["wire", "HeldList"] >= {"releases", "all", "edits", "drops", "replays"}
        assert not places["wire", "SegmentList"] & {"edits", "drops"}
        assert not places["console", "PromptInput"], "letters are typed there"
        for bar in app.query(PaneBar) if size[0] < 100 else ():
            for widget, first in ((seen.console.prompt, True), (seen.console.transcript, False)):
                await focused(app, pilot, widget)
                assert ("esc, then tab" in str(bar.render())) is first

    play()


def test_the_plaintexts_key_is_named_only_where_it_turns_it_over(promises: Promises) -> None:
    @played()
    async def play(app: StagedApp, pilot: Pilot[None]) -> None:
        await turns_over(app, pilot, promises)

    play()


async def turns_over(app: StagedApp, pilot: Pilot[None], promises: Promises) -> None:
    await pilot.press("escape", "7")
    await until(pilot, lambda: app.tab is not None and app.seen.topic.name == "tls", "the tab")
    await until(pilot, lambda: app.focused is app.seen.console.prompt, "the console")
    await enter(pilot, "Hello")
    await until(pilot, lambda: "b'Hello'" in app.transcript.splitlines(), "the echo")
    fields = app.seen.inspector.fields
    await until(pilot, lambda: "plaintext known" in str(fields.border_title), "it is known")
    await focused(app, pilot, app.seen.wire._list)
    assert not kept(app, promises, "shows the plaintext") and not broken(app, promises)
    await focused(app, pilot, app.seen.inspector.bytes)
    await until(pilot, lambda: kept(app, promises, "shows the plaintext"), "the key is named")
    await pilot.press("p")
    await until(pilot, lambda: kept(app, promises, "shows the encrypted bytes"), "turned over")
    await true(app, pilot, promises)


@played()
async def test_experiments_name_their_keys_only_while_they_act(app: StagedApp, pilot: Pilot[None]) -> None:
    await pilot.press("escape", "e")
    await until(pilot, lambda: app.seen.panes.pane_of(app.focused) == "experiment", "the experiments")
    pane = app.seen.experiments_and_lanes.experiment
    assert pane is not None
    await until(pilot, lambda: "with the digit" in pane.text and "esc closes" in str(pane.border_title), "its keys")
    await focused(app, pilot, app.seen.console.prompt)
    await until(pilot, lambda: "with the digit" not in pane.text, "no keys where digits are typed")
    assert "esc" not in str(pane.border_title)


SCENES = {
    "source": "v", "hardening": "v v", "find": "v slash", "lesson": "l", "lanes": "p", "frozen": "p space",
    "views": "V", "maps": "V x", "slices": "V x x",
    "picture": "P", "find in it": "P slash",
    "experiments": "e", "a question": "e 1", "models": "m", "copies": "c", "leaving": "q", "faults": "f", "load": "W",
    "help": "question_mark", "jump": "ctrl+o", "filter": "slash", "hold": "i",
}  # fmt: skip
"""What is typed in the wire, by what is then to be seen; esc leaves it."""


async def turned(app: StagedApp, pilot: Pilot[None], *keys: str) -> None:
    """Type, each key once the one before has done all that it does."""
    for key in keys:
        await pilot.press(key)
        await until(pilot, lambda: not app._turn and not app.waiting_keys, "its turn is over")
    await pilot.pause()


async def all_true(app: App[None], pilot: Pilot[None], promises: Promises) -> set[str]:
    """No hint is wrong, wherever in this pane, or on this screen above the panes, the focus is; the classes there."""
    chain = app.screen.focus_chain if len(app.screen_stack) > 1 else [app.focused]
    there: set[str] = set()
    for widget in (None, *chain):
        if widget is not None:
            await focused(app, pilot, widget)
        await true(app, pilot, promises)
        nodes = widget.ancestors_with_self if widget is not None else [app.screen]
        there.update(kind.__name__ for node in nodes for kind in type(node).__mro__)
    return there


@pytest.mark.parametrize("size", [(120, 40), (60, 20)], ids=["120x40", "60x20"])
def test_hints_are_true_in_every_place_that_binds_keys(size: tuple[int, int], promises: Promises) -> None:
    @played(size)
    async def play(app: StagedApp, pilot: Pilot[None]) -> None:
        seen, there = app.seen, set[str]()
        await enter(pilot, "Hello")
        await until(pilot, lambda: seen.inspector.bytes.source.length == 5, "its bytes")
        for keys in SCENES.values():
            seen.panes.go("wire")
            await until(pilot, lambda: seen.panes.pane_of(app.focused) == "wire", "the wire")
            await turned(app, pilot, *keys.split())
            there |= await all_true(app, pilot, promises)
            for _ in range(3):
                await turned(app, pilot, "escape")
            assert len(app.screen_stack) == 1
        await enter_load(app, pilot)
        there |= await all_true(app, pilot, promises)
        for widget in (
            seen.wire._list,
            seen.console.transcript,
            seen.log_pane,
            seen.inspector.bytes,
            seen.inspector.fields,
        ):
            await focused(app, pilot, widget)
            there |= await all_true(app, pilot, promises)
        seen.lab.wire.intercept("->")
        await focused(app, pilot, seen.console.prompt)
        await enter(pilot, "held")
        await until(pilot, lambda: seen.wire.held.held, "something is held")
        await focused(app, pilot, seen.wire.held)
        there |= await all_true(app, pilot, promises)
        await turned(app, pilot, "e")
        there |= await all_true(app, pilot, promises)
        assert there >= pane_keys().keys() - app_of_a_file(), "a place that binds keys was not looked at"

    play()


async def enter_load(app: StagedApp, pilot: Pilot[None]) -> None:
    """Put a load on the server, and wait for its end in the load pane."""
    await focused(app, pilot, app.seen.console.prompt)
    await enter(pilot, ":load --clients 1 --rate 20 --for 0.1s")
    await until(pilot, lambda: app.seen.panes.pane_of(app.focused) == "load", "its pane")
    await until(pilot, lambda: not app.seen.live.loading, "its end")


def app_of_a_file() -> set[str]:
    """Places of `netlab inspect` alone."""
    return {InspectApp.__name__}


def test_hints_are_true_where_a_file_is_shown(tmp_path: Path, promises: Promises) -> None:
    async def run() -> None:
        with open_capture(write_capture(tmp_path / "lab.pcapng")) as capture:
            app = InspectApp(capture)
            async with app.run_test(size=(80, 24)) as pilot:
                await pilot.pause()
                for widget in list(app.screen.focus_chain):
                    await focused(app, pilot, widget)
                    await true(app, pilot, promises)
                for key in ("question_mark", "d", "slash", "P"):
                    await pilot.press(key)
                    await pilot.pause()
                    await true(app, pilot, promises)
                    await pilot.press("escape")
                    await pilot.pause()

    asyncio.run(run())


TRUE = "space continues", "frozen ── space continues, tab: next pane", "esc closes", "in white space continues"
FALSE = "z continues", "enter adds", "x finds", "ctrl+x cuts", "del takes away"


def test_a_wrong_hint_is_seen(promises: Promises) -> None:
    @played()
    async def play(app: StagedApp, pilot: Pilot[None]) -> None:
        promises["finds"] = {"find"}
        await turned(app, pilot, "escape", "p", "space")
        await true(app, pilot, promises)
        for text in (*TRUE, *FALSE):
            app.query_one("#lanes").border_title = text
            assert bool(broken(app, promises)) is (text in FALSE), text

    play()


OWN = {
    "SegmentList": ["space mark", "z freeze", "/ filter", "i intercept", "r replay"],
    "HexView": ["⇧→ select", "/ search", "o go to", "u unpack", "t stream"],
    "ServerLog": ["/ find"],
    "Transcript": ["/ find"],
    "HeldList": ["a release", "e edit", "d drop"],
}
"""What a pane's footer has to name, by the widget that has the focus."""


@played()
async def test_each_footer_names_its_panes_own_keys_and_at_most_eight(app: StagedApp, pilot: Pilot[None]) -> None:
    seen = app.seen
    await enter(pilot, "Hello")
    await until(pilot, lambda: seen.inspector.bytes.source.length == 5, "its bytes")
    seen.lab.wire.intercept("->")
    await enter(pilot, "held")
    await until(pilot, lambda: seen.wire.held.held, "something is held")
    for widget in (seen.wire.held, seen.inspector.bytes, seen.log_pane, seen.console.transcript, seen.wire._list):
        if widget is not seen.wire.held and seen.wire.held.held:
            seen.lab.wire.intercept("")
            seen.lab.wire.release()
            await until(pilot, lambda: not seen.wire.held.held, "nothing is held")
            await until(
                pilot, lambda: not any(each.busy for each in seen.lab.sessions), "no call waits to be abandoned"
            )
        await focused(app, pilot, widget)
        own = OWN[type(widget).__name__]
        await until(pilot, lambda own=own: all(key in app.query_one(KeyFooter).render().plain for key in own), str(own))
        active = {key: each.binding for key, each in app.screen.active_bindings.items() if each.enabled}
        assert len(chosen(active)) <= MOST


@pytest.mark.parametrize(
    ("key", "shown"),
    [("ctrl+o", "^o"), ("shift+left", "⇧←"), ("shift+pageup", "⇧pgup"), ("shift+tab", "⇧tab"), ("question_mark", "?")],
)
def test_a_key_reads_the_same_wherever_it_is_named(key: str, shown: str) -> None:
    assert readable(key) == shown
