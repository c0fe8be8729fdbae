"""What a person does with segments on the wire: hold, look, edit, let go, drop, replay. It stands between the panes,
which know no lab, and the lab, which knows no screen."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from netlab.capture.model import Direction, Endpoint, Segment
from netlab.lab.state import HeldSegment, LabState
from netlab.ui.lab_thread import Answer
from netlab.ui.tab.panes import LabPanes
from netlab.ui.widgets.chooser import Choice, Chooser
from netlab.ui.wire.wire_list import WireList

if TYPE_CHECKING:
    from netlab.ui.wire.intercept_editor import ByteEditor

_OFFERED = 12
"""Open flows that are offered to replay a server's bytes in."""
_NOBODY = (
    "The flow is closed and no other is open, so nobody would get these bytes of the server's. "
    "Only a client opens a flow: connect one (:connect), then press r again."
)


class Intercepts:
    """The held segments of one bench, and the editor while there is one."""

    def __init__(self, bench: LabPanes) -> None:
        self._bench, self._lab = bench, bench.lab

    @property
    def editor(self) -> ByteEditor | None:
        """The editor that is there or coming."""
        return self._bench.panes.editor_slot.wanted

    def look(self, state: LabState) -> None:
        """Show what is held now. A segment that is held no more is edited no more."""
        self._bench.wire.show_held(state.held, state.intercept)
        editing = self.editor
        if editing is not None and editing.held.number not in {held.number for held in state.held}:
            self.close()
            self._bench.app.notify(f"held {editing.held.number} is not held any more", markup=False)

    def do(self, event: WireList.Wanted) -> None:
        """What the wire pane asked for."""
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

        self._bench.live.ask(run, answer or self._bench.answer)

    # Editing

    def open(self, held: HeldSegment) -> None:
        """Edit the bytes in the inspector's place."""
        from netlab.ui.wire.intercept_editor import ByteEditor  # late: only who edits needs it

        if self.editor is None:
            self._bench.panes.editor_slot.put(ByteEditor(held))
            self._bench.panes.go("bytes")

    def apply(self, event: ByteEditor.Applied) -> None:
        """Let the wire have the bytes; the segment goes on waiting."""
        self._ask(partial(self._lab.wire.edit, event.held.number, event.payload))
        self.close()

    def close(self) -> None:
        """Show the inspector again, and go back to the held segments."""
        self._bench.panes.put_away(self._bench.panes.editor_slot)

    # Replaying

    def replay(self, segment: Segment) -> None:
        """Ask in which flow, and send the bytes again; those of a dropped segment go for the first time."""
        payload, client = bytes(segment.dropped or segment.data), segment.flow.client
        clients = {str(flow.client): flow.client for flow in reversed(self._lab.flows) if flow.closed is None}
        to_client = segment.direction is Direction.TO_CLIENT
        if to_client and str(client) in clients:
            self._replay(partial(self._lab.wire.replay, payload, client, segment.direction))
            return
        if to_client and not clients:
            self._bench.wire.post_message(WireList.Refused(_NOBODY))
            return
        if to_client:
            title = f"this flow is closed: replay {len(payload)} bytes in which one?"
            choices = self._to_clients(clients.values())
        else:
            title, choices = f"replay {len(payload)} bytes", _to_server(str(client), open_still=str(client) in clients)

        def chosen(answer: tuple[str, str] | None) -> None:
            if answer is not None and answer[1] in clients:
                self._replay(partial(self._lab.wire.replay, payload, clients[answer[1]], segment.direction))
            elif answer is not None:
                self._replay(partial(self._lab.wire.replay_in_new_flow, payload))

        self._bench.app.push_screen(Chooser(title, choices), chosen)

    def _to_clients(self, clients: Iterable[Endpoint]) -> list[Choice]:
        """The open flows by the clients that would get the bytes, the newest first."""
        names = {session.local: session.name for session in self._lab.sessions}
        return [Choice(str(each), names.get(each, "another client"), str(each)) for each in islice(clients, _OFFERED)]

    def _replay(self, request: Callable[[], object]) -> None:
        """Ask for it; why it cannot be is said beside the wire."""

        def answer(text: str | None, error: Exception | None) -> None:
            if error is not None:
                self._bench.wire.post_message(WireList.Refused(str(error)))
            else:
                self._bench.answer(text, None)

        self._ask(request, answer)


def _to_server(client: str, *, open_still: bool) -> list[Choice]:
    """Where a client's bytes can be replayed; a flow that is closed takes no more."""
    new = Choice("new", "in a new flow", "a connection of its own; its answers appear on the wire")
    same = Choice(client, "in the same flow", "as if its client had sent it again; answers go to that client")
    return [new, same] if open_still else [new]
