"""Attached servers in the app: their tabs come and go, and what a topic's tab can do works there."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Tab, TabPane

from netlab.capture.model import Endpoint
from netlab.lab.attached import attach
from netlab.lab.errors import LabError
from netlab.lab.state import Phase
from netlab.topics.contract import Topic
from netlab.ui.app import NetlabApp
from netlab.ui.lab_thread import LiveLab
from netlab.ui.tab_titles import TabOrder, fitting
from netlab.ui.widgets.chooser import Chooser
from tests.support.screen.attaching import AttachingApp, greeting_server
from tests.support.screen.staging import enter, serving, settled, tabs
from tests.support.waiting import PATIENCE, until

pytestmark = pytest.mark.usefixtures("staged_times")


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def titles(app: AttachingApp) -> list[str]:
    return [tab.label_text for tab in app.query(Tab).results(Tab)]


def test_tabs_come_and_go_and_no_topic_is_started() -> None:
    async def run() -> None:
        with greeting_server() as there:
            app = AttachingApp(attach(there, name="first"))
            async with app.run_test(size=(120, 40)) as pilot:
                await serving(pilot)
                assert titles(app)[:2] == ["9 first", "1 TCP"]
                await pilot.press("escape", "O")
                await until(pilot, lambda: app.seen.console.prompt.value == ":attach ", "the command")
                await enter(pilot, ":attach nowhere")
                await until(pilot, lambda: "'nowhere' is not HOST:PORT" in app.transcript)
                await enter(pilot, ":attach 127.0.0.1:9 --name second")
                await until(pilot, lambda: app.tab is not None and app.seen.topic.title == "second")
                await until(pilot, lambda: app.seen.lab.state.phase is Phase.SERVING)
                await pilot.pause()
                assert titles(app)[-1] == "10 second"
                threads = {thread.name for thread in threading.enumerate()}
                assert "requests of second" in threads
                await pilot.press("escape", "9")
                await until(pilot, lambda: app.seen.topic.title == "first")
                await pilot.press("escape", "0")
                await until(pilot, lambda: app.seen.topic.title == "second")
                address = app.seen.lab.address
                await enter(pilot, ":detach")
                await until(pilot, lambda: app.tab is not None and app.seen.topic.title == "first")
                await until(pilot, lambda: "second" not in app.stage.labs)
                with pytest.raises(ConnectionRefusedError):
                    socket.create_connection(address, timeout=PATIENCE)
                await until(pilot, lambda: len(titles(app)) == 9)
                assert list(app.stage.labs) == ["first"]

    asyncio.run(run())


def test_what_a_topics_tab_can_do_works_there() -> None:
    async def run() -> None:
        with greeting_server() as there:
            app = AttachingApp(attach(there, name="mail"))
            async with app.run_test(size=(120, 40)) as pilot:
                await serving(pilot)
                await enter(pilot, "hello")
                await until(pilot, lambda: r"HELLO\n" in app.transcript)
                await pilot.press("escape", "e")
                await until(pilot, lambda: any("Experiments say" in note.message for note in app._notifications))
                for action, offered in (("show_then_now", False), ("toggle_lanes", True)):
                    assert app.seen.actions.offers(action) is offered
                await pilot.press("v")
                await until(pilot, lambda: app.seen.panes.reader is not None)
                reader = app.seen.panes.reader
                assert reader is not None
                assert "def receive" in reader.page.text
                await pilot.press("l")
                await until(
                    pilot, lambda: "The server is yours" in reader.page.text or reader is not app.seen.panes.reader
                )
                await pilot.press("c")
                await until(pilot, lambda: isinstance(app.screen, Chooser), "what can be copied")
                await pilot.press("enter")
                await until(pilot, lambda: app.clipboard == str(app.seen.lab.address), "the address")

    asyncio.run(run())


async def one_line(pilot: Pilot[None]) -> None:
    app = await serving(pilot)
    await enter(pilot, ":connect")
    await until(pilot, lambda: "11 bytes wait to be read" in app.transcript)
    await enter(pilot, "hello")
    await until(pilot, lambda: r"HELLO\n" in app.transcript)
    await until(pilot, lambda: app.seen.lab.state.accounts.to_client == 17)
    await until(pilot, lambda: app.seen.lab.state.threads == 1, "what the kernel knows")
    await until(pilot, lambda: app.seen.wire.highlighted is not None and app.seen.wire.highlighted.number == 4)
    await settled(pilot)


def test_a_tab_whose_lab_is_not_made_yet_is_blank() -> None:
    made = threading.Event()

    def make_lab(topic: Topic) -> LiveLab:
        made.wait(PATIENCE)
        raise LabError("nobody is there", "try another port")

    async def run() -> None:
        app = NetlabApp([attach(Endpoint("127.0.0.1", 9), name="mine").topic], "mine", make_lab=make_lab)
        async with app.run_test(size=(80, 24)) as pilot:
            try:
                await pilot.pause()
                pane = app.query_one(TabPane)
                lines = [strip.text.strip() for strip in pane.render_lines(pane.size.region)]
                assert pane.size.height > 10 and not any(lines)
            finally:
                made.set()
            await until(pilot, lambda: app.query(".broken"), "the reason")

    asyncio.run(run())


@pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=["120x40", "80x24"])
def test_attached_and_serving(snap_compare: Callable[..., bool], size: tuple[int, int]) -> None:
    with greeting_server() as there:
        app = AttachingApp(attach(there, name="mail"))
        assert snap_compare(app, terminal_size=size, run_before=one_line)


def test_the_numbers_of_attachments_follow_those_of_the_topics() -> None:
    own = [attach(Endpoint("127.0.0.1", port)).topic for port in (6379, 25)]
    order = TabOrder([own[0], *tabs(), own[1]])
    assert [order.number(topic) for topic in order.topics] == [9, *range(1, 9), 10]
    assert order.numbered(9) is own[0]
    assert order.numbered(11) is order.numbered(0) is None
    assert order.free_name("tcp") == "tcp-2"
    assert order.beside(own[1], {own[0].name}) is own[0]
    assert order.beside(own[0], ()) is order.topics[1]
    assert replace(own[0]) == own[0]


def test_attachments_keep_their_titles_longest() -> None:
    assert fitting(["9 :6379", "5 multiprocessing"], 18, [True, False]) == ["9 :6379", "5 mult…"]
    assert fitting(["9 :6379", "5 multiprocessing"], 14, [True, False]) == ["9 :6…", "5 mu…"]
