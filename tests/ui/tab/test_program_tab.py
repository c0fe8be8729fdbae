"""A person's own program in a tab: its output is the log, s stops and starts it, a death shows its last words."""

from __future__ import annotations

import asyncio
import socket
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from netlab.lab.attached import Attached, attach_program
from netlab.lab.processes.programs.program import Program
from netlab.lab.state import Phase
from netlab.ui.tab.status import Banner, StatusLine
from tests.support.screen.staging import StagedApp, serving, settled
from tests.support.waiting import PATIENCE, until

SHOP = """\
    #!{python}
    import signal, socket, sys
    if "stubborn" in sys.argv:
        signal.signal(signal.SIGTERM, lambda number, frame: print("not yet"))
    print("the shop opens")
    with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as listener:
        while True:
            client, _ = listener.accept()
            print("a client asks for", client.recv(100).decode())
            client.sendall(b"here you are")
            sys.exit("shop: \\x1b[31mno more tea\\x1b[m")
"""


def shop(folder: Path, *more: str) -> Attached:
    file = folder / "shop"
    file.write_text(textwrap.dedent(SHOP).replace("{python}", sys.executable))
    file.chmod(0o755)
    return attach_program(Program(("./shop", "{port}", *more), None, 300.0, folder))


async def died(pilot: Pilot[None]) -> None:
    app = await serving(pilot)

    def ask() -> bytes:
        with socket.create_connection(app.seen.lab.address, timeout=PATIENCE) as client:
            client.sendall(b"tea")
            return client.recv(100) + client.recv(100)

    assert await asyncio.to_thread(ask) == b"here you are"
    await until(pilot, lambda: app.seen.lab.state.phase is Phase.DEAD, "a death")
    await settled(pilot)
    app.seen.console.transcript.scroll_home(animate=False)  # the banner has taken rows from it at its own time
    await pilot.pause()


@pytest.mark.usefixtures("staged_times")
@pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=["120x40", "80x24"])
def test_a_program_that_died(snap_compare: Callable[..., bool], size: tuple[int, int], tmp_path: Path) -> None:
    assert snap_compare(StagedApp(attached=shop(tmp_path)), terminal_size=size, run_before=died)


def test_keys_stop_it_with_a_countdown_then_at_once_and_start_it(tmp_path: Path) -> None:
    async def run() -> None:
        app = StagedApp(attached=shop(tmp_path, "stubborn"))
        async with app.run_test(size=(120, 40)) as pilot:
            await serving(pilot)
            tab, line = app.seen, app.seen.query_one(StatusLine)
            assert tab.log_pane.border_title == "output of shop"
            await until(pilot, lambda: "the shop opens" in [each.text for each in tab.lab.log], "its output")
            await pilot.press("escape", "m", "e")
            await until(pilot, lambda: len(app._notifications) == 2, "why there are no models and no experiments")
            await pilot.press("s")
            await until(pilot, lambda: "SIGKILL in" in line.render().plain, "a countdown")
            assert tab.actions.label("toggle_server") == "kill"
            await pilot.press("s")
            await until(pilot, lambda: tab.lab.state.phase is Phase.STOPPED, "stopped")
            await pilot.press("s")
            await until(pilot, lambda: tab.lab.state.phase is Phase.SERVING, "serving again")
            assert not tab.query_one(Banner).has_class("-shown")
            await pilot.press("s")
            await until(pilot, lambda: "SIGKILL in" in line.render().plain, "a countdown")
            await pilot.press("s")
            await until(pilot, lambda: tab.lab.state.phase is Phase.STOPPED, "stopped, so that nothing lingers")

    asyncio.run(run())
