"""A picture of each topic's fields, with one of them selected and so its bytes; each looked at before it was kept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from textual.pilot import Pilot

from netlab.capture.model import Direction
from netlab.topics.discovery import find_topics, topic_named
from netlab.ui.bytes.fields.field_tree import FieldTree
from tests.support.dissection_text import read
from tests.support.folders import DISSECT_SAMPLES
from tests.support.screen.panes_app import HandMade, PanesApp

SELECTED = {
    "tcp": ("lines", "line 2"),
    "udp": ("answer", "time"),
    "wsgi": ("form", "name"),
    "xmlrpc": ("call", "param 1"),
    "multiprocessing": ("from-3.12-to-client", "digest name"),
    "hmac": ("to-client", "payload"),
    "tls": ("1.2-refused-to-server", "server_name"),
    "zerocopy": ("partial-content", "length"),
}
"""Of each topic a sample, and the field to select in it."""


def shown(topic: str) -> PanesApp:
    """The panes over the sample's bytes."""
    direction, data, _ = read((DISSECT_SAMPLES / f"{topic}-{SELECTED[topic][0]}.txt").read_text(encoding="utf-8"))
    found = topic_named(topic)
    capture = HandMade(found.transport)
    flow = capture.open()
    capture.add(flow, Direction(direction), data)
    app = PanesApp(capture, found.dissector())
    app.theme = "textual-dark"
    return app


def selecting(name: str) -> Callable[[Pilot[None]], Awaitable[None]]:
    """Go down in the fields until the one of that name is selected."""

    async def script(pilot: Pilot[None]) -> None:
        app = pilot.app
        assert isinstance(app, PanesApp)
        app.wire.go_to(2)
        await pilot.press("enter", "tab")
        fields = app.query_one(FieldTree)
        assert fields.has_focus
        for _ in range(60):
            await pilot.press("down")
            if (field := fields.cursor_node.data if fields.cursor_node else None) and field.name == name:
                break
        await pilot.pause()
        assert field is not None
        assert (field.name, (field.start, field.end)) == (name, app.inspector.bytes.selection)

    return script


def test_there_is_one_of_each_topic() -> None:
    assert {topic.name for topic in find_topics() if topic.package.startswith("netlab.")} == set(SELECTED)


@pytest.mark.parametrize("topic", SELECTED)
@pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=["120x40", "80x24"])
def test_a_selected_field(snap_compare: Callable[..., bool], topic: str, size: tuple[int, int]) -> None:
    assert snap_compare(shown(topic), terminal_size=size, run_before=selecting(SELECTED[topic][1]))
