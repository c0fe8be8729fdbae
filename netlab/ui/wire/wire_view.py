"""The view of a wire: the segments of a capture, what is found out about their meaning, and the flow at the cursor.

`SegmentList` draws the lines; this view gives them what they show. It asks nothing of the wire.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from textual.containers import Vertical
from textual.message import Message

from netlab.capture.model import Endpoint, Segment
from netlab.capture.view import CapturedSegments
from netlab.dissect.reading.meanings import How
from netlab.lab.server_sockets import ServerSockets
from netlab.ui.wire.decrypted_lines import DecryptedLines, Turns
from netlab.ui.wire.flow_line import FlowLine, words
from netlab.ui.wire.segment_list import SegmentList

_OPEN_EVERY = 0.2
"""Seconds between two checks for segments whose meaning is not known yet."""


class WireView(Vertical):
    """The segments of a capture, one per line, newest last; it follows the newest unless the user moves the cursor."""

    @dataclass
    class Decrypted(Message):
        """It was found out what segments mean, which took ``seconds``; ``more``: more is known than before."""

        more: bool
        seconds: float

    def __init__(self, *, id: str | None, live: bool) -> None:
        """``live``: new segments arrive from a wire."""
        super().__init__(id=id)
        self._list = SegmentList(live=live)
        self._flow_line = FlowLine()
        self._how: How = None
        self._turns = Turns()
        self.decrypted: DecryptedLines | None = None
        """Decrypts encrypted segments, if the topic's are."""

    def on_mount(self) -> None:
        """Keep decrypting."""
        self.set_interval(_OPEN_EVERY, self._open)

    # The capture

    @property
    def capture(self) -> CapturedSegments | None:
        """The capture that is shown."""
        return self._list.rows.capture

    @property
    def highlighted(self) -> Segment | None:
        """The segment at the cursor."""
        return self._list.highlighted

    @property
    def following(self) -> bool:
        """Whether the newest segment is followed."""
        return self._list.rows.following

    @property
    def flooded(self) -> bool:
        """Whether segments arrive faster than anyone can read. Afterwards the highlighted segment is posted again."""
        return self._list.flooded

    def show(self, capture: CapturedSegments | None, how: How = None) -> None:
        """Show another capture (None: nothing yet), at its newest segment.

        A line shows the summary of who reads its flow (``how``); otherwise a preview of the text.
        """
        self._how = how
        if self.decrypted is not None:
            self.decrypted.forget()
        self._list.show_opened(self.decrypted)
        self._list.show(capture, how)

    def grow(self) -> None:
        """Show new segments of the capture. It is cheap if there are none."""
        self._list.grow()

    def show_progress(self, words: str, key: tuple[str, str]) -> None:
        """Show in the title how far a file is read, and what a key does about it; nothing if it is read."""
        self._list.title.progress(words, key)

    # What segments mean

    def read_as(self, how: How) -> None:
        """Read the bytes in another way: draw all lines again."""
        self._how = how
        self._list.read_as(how)

    def _open(self) -> None:
        """Find out, in a thread, what segments mean that were drawn without: decrypt them, read their flows on."""
        if self._list.hurried:
            return
        turn = self._turns.next(self.capture, self._how, self.decrypted)
        if turn is None:
            return

        def open() -> None:
            self.post_message(self.Decrypted(*turn()))

        self.run_worker(open, name="open", group="open", thread=True, exit_on_error=False)

    def on_wire_view_decrypted(self, event: Decrypted) -> None:
        """Draw them again."""
        event.stop()
        self._turns.ended(event.seconds)
        if event.more:
            self._list.refresh()

    # Flows and calls

    @property
    def clients_in_view(self) -> frozenset[Endpoint]:
        """The clients whose TCP flows are on the screen."""
        return self._list.clients_in_view

    def show_sockets(self, sockets: ServerSockets | None) -> None:
        """Show what the kernel knows of the flows in view; call it often."""
        flows = sockets.flows if sockets is not None else {}
        self._list.show_unread(flows)
        segment = self.highlighted
        flow = flows.get(segment.flow.client) if segment is not None else None
        said = words(segment.flow.number, flow, sockets) if segment and flow and sockets else ""
        self._flow_line.look(said)

    def pause(self) -> None:
        """Stop following: the user looks at a segment, here or in another pane."""
        self._list.pause()

    def go_to(self, number: int) -> None:
        """Put the cursor on the segment with this number and stop following."""
        self._list.go_to(number)

    def link(self, numbers: Iterable[int]) -> None:
        """Mark the segments with these numbers as those of the selected call."""
        self._list.link(numbers)

    def focus(self, scroll_visible: bool = True) -> Self:
        """Focus the lines."""
        self._list.focus(scroll_visible)
        return self
