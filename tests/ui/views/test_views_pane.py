"""The views pane over a real lab: what its keys do can be read in the transcript, and a write is seen at once."""

from __future__ import annotations

from textual.pilot import Pilot
from textual.widgets import OptionList

from netlab.ui.bytes.inspector import Mode
from netlab.ui.views.views_pane import ViewsPane
from netlab.ui.widgets.chooser import Chooser
from tests.support.screen.staging import StagedApp, enter, played
from tests.support.waiting import until


async def lines(app: StagedApp, pilot: Pilot[None], *typed: str) -> None:
    """Type lines, each after the one before it is done."""
    for line in typed:
        await enter(pilot, line)
        await until(pilot, lambda line=line: line in app.transcript, line)
        await until(pilot, lambda: app.seen.lab.current is not None and not app.seen.lab.current.busy, "it is done")


async def opened(app: StagedApp, pilot: Pilot[None], key: str = "V") -> ViewsPane:
    await pilot.press("escape")
    await until(pilot, lambda: app.focused is not app.seen.console.prompt)
    await pilot.press(key)
    await until(pilot, lambda: app.query(ViewsPane) and app.seen.panes.pane_of(app.focused) == "views", "the pane")
    return app.query_one(ViewsPane)


async def shown(app: StagedApp, pilot: Pilot[None], *texts: str) -> None:
    pane = app.query_one(ViewsPane)
    for text in texts:
        await until(pilot, lambda text=text: text in pane.text, f"{text} in the pane")


@played((80, 24), first="zerocopy")
async def test_keys_send_lines_and_a_write_is_seen_in_every_view(app: StagedApp, pilot: Pilot[None]) -> None:
    inspector = app.seen.inspector
    await lines(app, pilot, "a = bytearray(b'aaaaaaaa')", "v = memoryview(a)")
    pane = await opened(app, pilot)
    await until(pilot, lambda: inspector.mode is Mode.VIEW, "its bytes")
    await pilot.press("t")
    await until(pilot, lambda: pane.query_one("Question").has_class("-asking"), "the question")
    await pilot.press("enter")
    await until(pilot, lambda: pane.view is not None and pane.view.name == "w", "the new view is chosen")
    await until(pilot, lambda: ">>> w = v[::2]" in app.transcript)
    second = "w[1] = 97 · 'B', byte 2 at 0x"
    await until(pilot, lambda: inspector.data_inspector.element(2).startswith(second), "the bytes of the view")
    assert inspector.data_inspector.element(1) == "w does not show byte 1"
    await pilot.press("x", "w")
    await until(pilot, lambda: pane.query_one("Question").has_class("-asking"), "the question")
    await pilot.press(*"bb", "enter")
    await shown(app, pilot, "b'babaaaaa'", "b'bbaa'")
    await until(pilot, lambda: ">>> w[0:2] = b'bb'" in app.transcript)
    await pilot.press("r")
    await until(pilot, lambda: pane.view is not None and pane.view.released, "released")
    await until(pilot, lambda: ">>> w.release()" in app.transcript)
    await pilot.press("k", "a")
    await until(pilot, lambda: isinstance(app.screen, Chooser), "the casts")
    options = app.screen.query_one(OptionList)
    (native,) = [o for o in options.options if "'>H'" in str(o.prompt)]
    assert native.disabled
    assert "native single character format" in " ".join(str(native.prompt).split())
    await pilot.press(*["down"] * 3, "enter")
    await until(pilot, lambda: ".cast(" in app.transcript, "the cast")
    await pilot.press("escape")
    await until(pilot, lambda: not app.query(ViewsPane), "closed")
    assert inspector.mode is not Mode.VIEW


@played(first="zerocopy")
async def test_the_panes_forbid_no_resize_and_show_a_segment_as_a_view(app: StagedApp, pilot: Pilot[None]) -> None:
    await lines(app, pilot, "receive(64)")
    pane = await opened(app, pilot)
    await shown(app, pilot, "z.buffer", "1 export: it cannot be resized", "segment(")
    await pilot.press("x")
    await shown(app, pilot, "recv_into(view[0:]) filled 64")
    await pilot.press("x", "x", "r")
    await shown(app, pilot, "released", "0 exports: it can be resized")
    await pilot.press(">")
    await until(pilot, lambda: app.focused is app.seen.console.prompt)
    for number in range(8):  # while all panes look
        await enter(pilot, f"z.owner.extend(b'{number}')")
    size = 64 + sum(len(str(number)) for number in range(8))
    await shown(app, pilot, f"{size} bytes")
    assert "BufferError" not in app.transcript
    inspector = app.seen.inspector
    await until(pilot, lambda: inspector.bytes.source.length == size, "the bytes have grown")
    app.seen.panes.go("views")
    await until(pilot, lambda: app.seen.panes.pane_of(app.focused) == "views", "the focus")
    await pilot.press("down", "down")
    segment = app.seen.wire.highlighted
    assert segment is not None
    name = f"segment({segment.number})"
    await until(pilot, lambda: pane.view is not None and pane.view.name == name, "the segment")
    assert pane.view is not None
    assert (pane.view.kind, pane.view.readonly, pane.view.nbytes) == ("mmap", True, segment.length)
    await until(pilot, lambda: name in str(inspector.bytes.border_title), "its bytes")
    start = inspector.bytes.cursor
    assert inspector.bytes.source.view(start, start + segment.length) == segment.data


@played((80, 24), first="zerocopy")
async def test_the_listing_runs_line_by_line(app: StagedApp, pilot: Pilot[None]) -> None:
    await opened(app, pilot)
    await pilot.press("x", "x", *["space"] * 11)
    await shown(app, pilot, "b'bbaaaa' = a", "c is b'cc', a is b'bbaaaa'", "= a: these are")
    await until(pilot, lambda: "TypeError: 'bytes' object does not support item assignment" in app.transcript)
    assert "gone" not in app.query_one(ViewsPane).text
    await pilot.press(">")
    await until(pilot, lambda: app.focused is app.seen.console.prompt)
    await enter(pilot, ":connect another")
    await shown(app, pilot, "▸ >>> a = bytearray(b'aaaaaa')")
