"""HTTP's picture as it looks: calls, a fault, a page beside the tutorial's, and a request that nobody answered."""

from __future__ import annotations

import html
from collections.abc import Callable
from xmlrpc.client import Fault, dumps

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from netlab.topics.wsgi.app import HELLO
from netlab.topics.wsgi.experiments import SCRIPT
from netlab.topics.wsgi.picture import draw
from netlab.ui.picture.picture_view import PictureView
from tests.support.seen import DOWN, OPEN, RST_BACK, UP, Cross, flow_of
from tests.support.waiting import until


def message(start: str, kind: str, body: str) -> bytes:
    data = body.encode()
    return f"{start}\r\nContent-Type: {kind}\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data


CALL, OK = "POST /RPC2 HTTP/1.1", "HTTP/1.1 200 OK"
FORM = "application/x-www-form-urlencoded"
FLOW = (
    OPEN,
    (UP, message("POST /hello HTTP/1.1", FORM, "name=%3Cscript%3Ealert(1)%3C/script%3E")),
    Cross(DOWN, message(OK, "text/html", HELLO.format(name=html.escape(SCRIPT))), after_ms=2.5),
    (UP, message(CALL, "text/xml", dumps(("spam", [1, 2.5, {"a": b"\xff"}]), "set"))),
    (DOWN, message(OK, "text/xml", dumps((True,), methodresponse=True))),
    (UP, message(CALL, "text/xml", dumps(("ham",), "get"))),
    (DOWN, message(OK, "text/xml", dumps(Fault(404, "nothing is stored under 'ham'"), methodresponse=True))),
    (UP, b"GET /slow HTTP/1.1\r\n\r\n"),
    Cross(RST_BACK.way, kind=RST_BACK.kind, after_ms=900),
)


class PictureApp(App[None]):
    """The picture, and nothing else."""

    def compose(self) -> ComposeResult:
        """The rows."""
        yield PictureView()

    def on_mount(self) -> None:
        """Draw the flow for the columns that there are, with the page unfolded."""
        self.theme = "textual-dark"
        self.call_after_refresh(self._show)

    def _show(self) -> None:
        view = self.query_one(PictureView)
        for _ in range(2):  # once its numbers are shown, there is less room, and the pane draws it again
            picture = draw(flow_of("wsgi", *FLOW), view.rows.room(0))
            assert picture is not None
            view.show(picture, fresh=True)
        view.focus()


async def unfolding(pilot: Pilot[None]) -> None:
    """Unfold the first exchange, and in it both pages."""
    view = pilot.app.query_one(PictureView)
    await until(pilot, lambda: view.highlighted is not None and view.has_focus, "the picture")
    await pilot.press("space")
    (at,) = [number for number, row in enumerate(view.rows.picture.rows[0].details) if row.text.startswith("both")]
    await pilot.press(*["down"] * (at + 1), "space")
    assert view.highlighted is view.rows.picture.rows[0].details[at]
    await pilot.pause()


@pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=["120x40", "80x24"])
def test_http_as_a_picture(snap_compare: Callable[..., bool], size: tuple[int, int]) -> None:
    assert snap_compare(PictureApp(), terminal_size=size, run_before=unfolding)
