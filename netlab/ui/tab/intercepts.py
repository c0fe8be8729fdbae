"""Intercepting segments on the wire: hold, inspect, edit, release, drop, replay. It stands between the panes, which
know no lab, and the lab, which knows no screen."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from netlab.capture.model import Direction, Endpoint, Segment
from netlab.lab.state import HeldSegment, LabState
from netlab.ui.lab_thread import Answer
from netlab.ui.tab.panes import LabPanes
from netlab.ui.widgets.chooser import Chooser, ChooserItem
from netlab.ui.wire.wire_list import WireList

if TYPE_CHECKING:
    from netlab.ui.wire.intercepting.intercept_editor import ByteEditor

_OFFERED = 12
"""How many open flows are offered for replaying a server's bytes."""
_NOBODY = (
    "This flow is closed and no other one is open, so nobody would receive the server's bytes. "
    "Connect a client (:connect), then press r again."
)


class Intercepts:
    """The held segments of one tab, and their editor while it is open."""

    def __init__(self, tab: LabPanes) -> None:
        self._tab, self._lab = tab, tab.lab

    @property
    def editor(self) -> ByteEditor | None:
        """The editor, mounted or about to be."""
        return self._tab.panes.editor_slot.wanted

    def look(self, state: LabState) -> None:
        """Show the held segments. If the edited one is no longer held, close the editor."""
        self._tab.wire.show_held(state.held, state.intercept)
        editing = self.editor
        if editing is not None and editing.held.number not in {held.number for held in state.held}:
            self.close()
            self._tab.app.notify(f"segment {editing.held.number} is no longer held", markup=False)

    def do(self, event: WireList.ActionRequested) -> None:
        """Do what the wire pane requests."""
        match event.what:
            case "intercept":
                self._ask(partial(self._lab.wire.intercept, event.text))
            case "release_all":
                self._ask(self._lab.wire.release)
            case "release" if event.held is not None:
                self._ask(partial(self._lab.wire.release, event.held.number))
            case "drop" if event.held is not None:
                self._ask(partial(self._lab.wire.drop, event.held.number))
            case "edit" if event.held is not None:
                self.open(event.held)
            case "replay" if event.segment is not None:
                self.replay(event.segment)

    def _ask(self, request: Callable[[], object], answer: Answer | None = None) -> None:
        def run() -> str | None:
            said = request()
            return None if said is None else str(said)

        self._tab.live.ask(run, answer or self._tab.answer)

    # Editing

    def open(self, held: HeldSegment) -> None:
        """Edit the bytes in place of the inspector."""
        from netlab.ui.wire.intercepting.intercept_editor import ByteEditor  # late: only editing needs it

        if self.editor is None:
            self._tab.panes.editor_slot.put(ByteEditor(held))
            self._tab.panes.go("bytes")

    def apply(self, event: ByteEditor.Applied) -> None:
        """Give the edited bytes to the wire; the segment is still held."""
        self._ask(partial(self._lab.wire.edit, event.held.number, event.payload))
        self.close()

    def close(self) -> None:
        """Show the inspector again, and go back to the held segments."""
        self._tab.panes.put_away(self._tab.panes.editor_slot)

    # Replaying

    def replay(self, segment: Segment) -> None:
        """Ask for a flow, and send the bytes again (or for the first time, if they were dropped)."""
        payload, client = bytes(segment.dropped or segment.data), segment.flow.client
        clients = {str(flow.client): flow.client for flow in reversed(self._lab.flows) if flow.closed is None}
        to_client = segment.direction is Direction.TO_CLIENT
        if to_client and str(client) in clients:
            self._replay(partial(self._lab.wire.replay, payload, client, segment.direction))
            return
        if to_client and not clients:
            self._tab.wire.post_message(WireList.RequestFailed(_NOBODY))
            return
        if to_client:
            title = f"this flow is closed: replay {len(payload)} bytes in which open one?"
            choices = self._to_clients(clients.values())
        else:
            title, choices = f"replay {len(payload)} bytes", _to_server(str(client), open_still=str(client) in clients)

        def chosen(answer: tuple[str, str] | None) -> None:
            if answer is not None and answer[1] in clients:
                self._replay(partial(self._lab.wire.replay, payload, clients[answer[1]], segment.direction))
            elif answer is not None:
                self._replay(partial(self._lab.wire.replay_in_new_flow, payload))

        self._tab.app.push_screen(Chooser(title, choices), chosen)

    def _to_clients(self, clients: Iterable[Endpoint]) -> list[ChooserItem]:
        """The open flows by the clients that would receive the bytes, newest first."""
        names = {session.local: session.name for session in self._lab.sessions}
        return [
            ChooserItem(str(each), names.get(each, "another client"), str(each)) for each in islice(clients, _OFFERED)
        ]

    def _replay(self, request: Callable[[], object]) -> None:
        """Request the replay; if it fails, say why beside the wire."""

        def answer(text: str | None, error: Exception | None) -> None:
            if error is not None:
                self._tab.wire.post_message(WireList.RequestFailed(str(error)))
            else:
                self._tab.answer(text, None)

        self._ask(request, answer)


def _to_server(client: str, *, open_still: bool) -> list[ChooserItem]:
    """Where a client's bytes can be replayed: not in a closed flow."""
    new = ChooserItem("new", "in a new flow", "on a new connection; the answers appear on the wire")
    same = ChooserItem(client, "in the same flow", "as if its client had sent them again; that client gets the answers")
    return [new, same] if open_still else [new]
