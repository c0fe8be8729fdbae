"""A person's own server file in a topic's tab: the status line, its code, and its mistake."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from netlab.ui.experiments.experiment_pane import ExperimentPane, Stage
from netlab.ui.reader.reader import ReaderPane
from netlab.ui.tab.status import Banner, StatusLine
from tests.support.screen.staging import StagedApp, enter, played, serving
from tests.support.waiting import until

GOOD = """\
from socketserver import BaseRequestHandler, TCPServer


class Upper(BaseRequestHandler):
    def handle(self):
        while message := self.request.recv(8192):
            self.request.sendall(message.upper())


class Server(TCPServer):
    def __init__(self, address):
        super().__init__(address, Upper)
"""


@pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=["120x40", "80x24"])
def test_own_server_with_an_error(
    snap_compare: Callable[..., bool], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "my_server.py"
    file.write_text(GOOD)
    app = StagedApp()

    async def before(pilot: Pilot[None]) -> None:
        await serving(pilot)
        await enter(pilot, ":server my_server.py")
        status = app.seen.query_one(StatusLine)
        await until(pilot, lambda: "my_server.py" in str(status.render()), "it serves")
        await enter(pilot, "Hello")
        await until(pilot, lambda: "b'HELLO'" in app.transcript, "its answer")
        await pilot.press("escape", "v")
        await until(pilot, lambda: bool(app.query(ReaderPane)), "its code")
        reader = app.query_one(ReaderPane)
        assert "upper())" in reader.page.text
        line = GOOD.split("\n").index("        while message := self.request.recv(8192):")
        await until(
            pilot, lambda: line in reader.marks.lines and reader.marks.lines[line].served, "where its client is"
        )
        file.write_text(GOOD.replace("upper())", "upper()"))
        await until(pilot, lambda: "line 7: '(' was" in str(app.seen.query_one(Banner).render()), "why")
        await until(pilot, lambda: "upper())" not in reader.page.text, "its code as it is now")
        await until(pilot, lambda: not reader.marks.lines, "the code that serves is another one")
        await until(pilot, lambda: "where" not in app.export_screenshot(), "the footer knows it, too")

    assert snap_compare(app, run_before=before, terminal_size=size)


def test_an_experiment_that_needs_models_does_not_seem_to_run_against_a_persons_file(tmp_path: Path) -> None:
    file = tmp_path / "my_server.py"
    file.write_text(GOOD)

    @played()
    async def ask(app: StagedApp, pilot: Pilot[None]) -> None:
        await enter(pilot, f":server {file}")
        await until(pilot, lambda: app.seen.lab.state.own is not None, "it serves")
        app.seen.actions.open_experiment("backlog")
        await until(
            pilot, lambda: app.query(ExperimentPane) and app.query_one(ExperimentPane).has_focus, "its question"
        )
        pane = app.query_one(ExperimentPane)
        await pilot.press("1")
        await until(pilot, lambda: app._notifications, "why it does not run")
        assert pane.stage is Stage.QUESTION and not app.seen.live.running

    ask()


def test_where_no_editor_can_take_the_screen_it_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A test's driver cannot step aside, as that of a browser cannot."""
    monkeypatch.setenv("VISUAL", "true")

    @played()
    async def edit(app: StagedApp, pilot: Pilot[None]) -> None:
        await enter(pilot, f":edit {tmp_path / 'mine'}")
        await until(pilot, lambda: "no editor can be opened from here" in app.transcript, "why not")
        assert "saving it is enough" in app.transcript
        await until(pilot, lambda: app.seen.lab.state.own is not None, "the copy serves")

    edit()
