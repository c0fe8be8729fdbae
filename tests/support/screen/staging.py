"""The app on a stage: real labs on free ports, and a formatting that shows the same on any machine."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

from textual.pilot import Pilot

from netlab.capture.model import Endpoint
from netlab.lab.attached import Attached
from netlab.lab.experiments.swim_lanes import SECOND, Board
from netlab.lab.processes.lab_settings import LabSettings
from netlab.lab.server_sockets import ServerSockets
from netlab.lab.state import Phase
from netlab.topics.contract import Topic
from netlab.topics.discovery import Broken, topic_named
from netlab.ui.app import NetlabApp
from netlab.ui.keys.keymap import Config
from netlab.ui.lab_thread import LiveLab
from netlab.ui.tab.tab import TopicTab
from netlab.ui.widgets.formatting import Formatting
from tests.support.waiting import PATIENCE, until

TABS = ("tcp", "udp", "wsgi", "xmlrpc", "multiprocessing", "hmac", "tls", "zerocopy")
"""The tabs on every picture, whatever other topics are installed."""


def tabs(first: str = "tcp") -> list[Topic]:
    """The topics of the tabs; one that has none gets the last."""
    return [topic_named(name) for name in dict.fromkeys((*TABS, first))]


class Stage(Formatting):
    """Shows ports by the part that they play, one time of day, one duration, one process id."""

    version = "1.0"

    def __init__(self) -> None:
        self.labs: dict[str, LiveLab] = {}
        self.shows_sockets = False
        """Whether what the kernel says is shown: it comes and goes, so a picture must wait for it."""
        self._clients: dict[int, int] = {}

    def clock(self, time_ns: int) -> str:
        return "12:00:01"

    def seconds(self, seconds: float) -> str:
        return "3.2 s"

    def endpoint(self, endpoint: Endpoint) -> str:
        return f"{endpoint.host}:{self.port(endpoint.port)}"

    def port(self, port: int) -> int:
        return self._ours(port) or self._clients.get(port, 53422)

    def _ours(self, port: int) -> int:
        """The part that a port of wire or server plays; 0 for another one."""
        for live in list(self.labs.values()):  # threads make and close labs
            state = live.lab.state
            if state.server_address is not None and port == state.server_address.port:
                return 41233
            if port in (state.address and state.address.port, live.topic.port):
                return live.topic.port
        return 0

    def _told(self, match: re.Match[str]) -> str:
        """A client's port by the number of its session, which may learn its port a moment after the server has."""
        port = int(match[0])
        deadline = time.monotonic() + 0.5
        while not self._ours(port) and port not in self._clients:
            sessions = [session for live in list(self.labs.values()) for session in live.lab.sessions]
            connecting = any(session.busy and not session.local for session in sessions)
            known = {at.port: 53421 + session.number for session in sessions if (at := session.local)}
            self._clients = known | self._clients
            if time.monotonic() > deadline + (PATIENCE / 2 if connecting else 0):
                self._clients[port] = 53422
            time.sleep(0.005)
        return str(self.port(port))

    def board(self, board: Board) -> Board:
        """A client comes every half second and is served for two: at once, or under single after the one before it."""
        lanes, free = [], 0
        for index, lane in enumerate(board.lanes):
            opened = index * SECOND // 2
            begins = max(opened, free) if board.title == "single" else opened
            accepted = begins if lane.accepted is not None else None
            closed = begins + 2 * SECOND if lane.closed is not None else None
            free = begins + 2 * SECOND
            lanes.append(replace(lane, opened=opened, began=opened, accepted=accepted, closed=closed, now=""))
        return Board(board.title, tuple(lanes), 5 * SECOND)

    def sockets(self, sockets: ServerSockets | None) -> ServerSockets | None:
        return sockets if self.shows_sockets else None

    def text(self, text: str) -> str:
        text = re.sub(r"(?<=127\.0\.0\.1:)\d+|(?<='127\.0\.0\.1', )\d+", self._told, text)
        text = re.sub(r"(?<=port )[1-9]\d*", "20000", text)
        return re.sub(r"PID \d+ \([^)]*\)", "PID 4242 (python)", text)


class StagedApp(NetlabApp):
    """The app as it is, with labs on free ports, without moving or blinking."""

    def __init__(
        self,
        first: str = "tcp",
        port: int = 0,
        config: Config | None = None,
        more: Sequence[Broken] = (),
        attached: Attached | None = None,
    ) -> None:
        """``attached`` is the server of a further tab, which is the first one shown."""
        self.stage = Stage()
        topics = [*tabs(first), *more] if attached is None else [attached.topic, *tabs()]

        def make_lab(topic: Topic) -> LiveLab:
            own = attached if attached is not None and attached.topic is topic else None
            live = self.stage.labs[topic.name] = LiveLab(topic, LabSettings(port=port), attached=own)
            live.start()
            return live

        first = first if attached is None else attached.topic.name
        super().__init__(topics, first, make_lab=make_lab, config=config, formatting=self.stage)
        self.animation_level = "none"

    async def on_unmount(self) -> None:
        """Leave no child behind."""
        await asyncio.gather(*(asyncio.to_thread(live.close) for live in self.stage.labs.values()))

    @property
    def seen(self) -> TopicTab:
        """The body of the tab that is shown."""
        assert self.tab is not None
        return self.tab

    @property
    def transcript(self) -> str:
        """What stands in the transcript on the screen."""
        return self.seen.console.transcript.text


Played = Callable[[StagedApp, Pilot[None]], Awaitable[None]]


def played(size: tuple[int, int] = (120, 40), **staged: Any) -> Callable[[Played], Callable[[], None]]:
    """Makes a test of a coroutine function that gets a staged app that serves, and its pilot."""

    def decorate(play: Played) -> Callable[[], None]:
        async def run() -> None:
            app = StagedApp(**staged)
            async with app.run_test(size=size) as pilot:
                await serving(pilot)
                await play(app, pilot)

        def test() -> None:
            asyncio.run(run())

        test.__name__, test.__doc__ = play.__name__, play.__doc__
        return test

    return decorate


async def serving(pilot: Pilot[None]) -> StagedApp:
    """Wait until the first tab serves, and its input has the focus."""
    app = pilot.app
    assert isinstance(app, StagedApp)
    await until(pilot, lambda: app.tab is not None, "the tab")
    await until(pilot, lambda: app.seen.lab.state.phase is not Phase.STARTING, "serving")
    await until(pilot, lambda: app.focused is not None and app.focused.id == "prompt", "focus in the console")
    await pilot.pause()
    return app


async def enter(pilot: Pilot[None], line: str) -> None:
    """Enter a line into the console."""
    app = pilot.app
    assert isinstance(app, StagedApp)
    app.seen.console.prompt.value = line
    await pilot.press("enter")
    await pilot.pause()


async def said_hello(app: StagedApp, pilot: Pilot[None]) -> None:
    """Say Hello, and wait until all of it is seen: the answer, the segment that brought it, and that one's bytes."""
    await enter(pilot, "Hello")
    await until(pilot, lambda: "b'Hello'" in app.transcript.splitlines(), "the echo")
    await until(pilot, lambda: app.seen.wire.highlighted is not None and app.seen.wire.highlighted.number == 3, "it")
    await until(pilot, lambda: "#3 " in str(app.seen.inspector.bytes.border_title), "its bytes")


async def settled(pilot: Pilot[None]) -> None:
    """Wait until the lab has told all: nothing new on two looks, nor on the screen, a gauge's period apart."""
    app = pilot.app
    assert isinstance(app, StagedApp)
    lab = app.seen.lab
    await until(pilot, lambda: lab.state.phase is not Phase.SERVING or lab.state.threads is not None, "a gauge")
    before = None
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        now = (lab.state, lab.log.total, len(lab.sessions), app.transcript, app.export_screenshot())
        if now == before:
            break
        before = now
        await pilot.pause(0.3)
    await pilot.pause()
