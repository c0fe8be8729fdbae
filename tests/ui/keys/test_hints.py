"""No hint promises a key that does something else where the person is, and each footer names its pane's own keys."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import Input

from netlab.ui.keys.commands import readable
from netlab.ui.keys.footer import MOST, KeyLine, chosen
from netlab.ui.tab.layout import PaneBar
from tests.support.screen.staging import StagedApp, enter, played
from tests.support.waiting import until

PROMISES = {
    "lets go": "want('release')",
    "all": "want('release_all')",
    "edits": "want('edit')",
    "drops": "want('drop')",
    "replays": "want('replay')",
    "follows": "follow",
    "changes it": "filter",
    "plaintext in its place": "plaintext",
    "as it crossed": "plaintext",
    "unpacks a struct format here": "unpack",
    "shows every type, both byte orders": "numbers",
    "next": "find(False)",
    "previous": "find(True)",
    "cancels": "clear",
    "goes on": "freeze",
    "finds": "find",
    "applies": "apply",
    "client.py": "bench('show_source')",
    "scrolls": "scroll_right",
}
"""What a hint says that a key does: the action that the key must then have."""

_HINT = re.compile(rf"(\S+?):? ({'|'.join(map(re.escape, PROMISES))})(?=[,. ─]|$)")


def said(app: StagedApp) -> Iterator[str]:
    """Titles of all widgets in sight, and what stands at the cursor."""
    for widget in app.seen.walk_children(Widget):
        if widget.region.area and all(node.display for node in widget.ancestors_with_self if isinstance(node, Widget)):
            yield from (str(text) for text in (widget.border_title, widget.border_subtitle) if text)
    yield str(app.seen.inspector.at_cursor.content)


def broken(app: StagedApp) -> list[str]:
    """The hints on the screen that are not true now."""
    typing = isinstance(app.focused, Input)
    acts = {} if typing else {readable(k): a.binding.action for k, a in app.screen.active_bindings.items() if a.enabled}
    hints = [(text, *found.groups()) for text in said(app) for found in _HINT.finditer(text)]
    return [f"{app.focused}: {text}" for text, key, words in hints if acts.get(key) != PROMISES[words]]


def kept(app: StagedApp, words: str) -> bool:
    """Whether a promise is made somewhere on the screen."""
    return any(found[2] == words for text in said(app) for found in _HINT.finditer(text))


async def focused(app: StagedApp, pilot: Pilot[None], widget: Widget) -> None:
    """Put the focus there, and wait until the titles have followed."""
    widget.focus()
    await until(pilot, lambda: app.focused is widget, "the focus")
    await pilot.pause()
    await pilot.pause()


@pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=["120x40", "80x24"])
def test_hints_are_true_wherever_the_focus_is(size: tuple[int, int]) -> None:
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
            await until(pilot, lambda: not broken(app), f"true hints in {widget}: {broken(app)}")
            places[seen.panes.pane_of(widget), type(widget).__name__] = {w for w in PROMISES if kept(app, w)}
        assert places["wire", "HeldList"] >= {"lets go", "all", "edits", "drops", "replays"}
        assert not places["wire", "SegmentList"] & {"edits", "drops"}
        assert not places["console", "Prompt"], "letters are typed there"
        for bar in app.query(PaneBar) if size[0] < 100 else ():
            for widget, first in ((seen.console.prompt, True), (seen.console.transcript, False)):
                await focused(app, pilot, widget)
                assert ("esc, then tab" in str(bar.render())) is first

    play()


@played()
async def test_the_plaintexts_key_is_named_only_where_it_turns_it_over(app: StagedApp, pilot: Pilot[None]) -> None:
    await pilot.press("escape", "7")
    await until(pilot, lambda: app.bench is not None and app.seen.topic.name == "tls", "the tab")
    await until(pilot, lambda: app.focused is app.seen.console.prompt, "the console")
    await enter(pilot, "Hello")
    await until(pilot, lambda: "b'Hello'" in app.transcript.splitlines(), "the echo")
    fields = app.seen.inspector.fields
    await until(pilot, lambda: "plaintext known" in str(fields.border_title), "it is known")
    await focused(app, pilot, app.seen.wire._list)
    assert not kept(app, "plaintext in its place") and not broken(app)
    await focused(app, pilot, app.seen.inspector.bytes)
    await until(pilot, lambda: kept(app, "plaintext in its place"), "the key is named")
    await pilot.press("p")
    await until(pilot, lambda: kept(app, "as it crossed") and not broken(app), "turned over")


@played()
async def test_experiments_name_their_keys_only_while_they_act(app: StagedApp, pilot: Pilot[None]) -> None:
    await pilot.press("escape", "e")
    await until(pilot, lambda: app.seen.panes.pane_of(app.focused) == "experiment", "the experiments")
    pane = app.seen.observing.experiment
    assert pane is not None
    await until(pilot, lambda: "or the digit" in pane.text and "esc closes" in str(pane.border_title), "its keys")
    await focused(app, pilot, app.seen.console.prompt)
    await until(pilot, lambda: "or the digit" not in pane.text, "no keys where digits are typed")
    assert "esc" not in str(pane.border_title)


OWN = {
    "SegmentList": ["space mark", "z freeze", "/ filter", "i intercept", "r replay"],
    "ByteView": ["⇧→ select", "/ search", "o go to", "u unpack", "t stream"],
    "ServerLog": ["/ find"],
    "Transcript": ["/ find"],
    "HeldList": ["a let go", "e edit", "d drop"],
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
        footer = app.query_one(KeyLine).render().plain
        assert all(key in footer for key in OWN[type(widget).__name__]), footer
        active = {key: each.binding for key, each in app.screen.active_bindings.items() if each.enabled}
        assert len(chosen(active)) <= MOST
