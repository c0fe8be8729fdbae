"""``netlab inspect FILE``: a capture file in the lab's panes, read-only."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.filter import LineFilter
from textual.widgets import Static

from netlab.capture.capture_file import Capture
from netlab.capture.model import CaptureError, Flow, Segment, Transport
from netlab.capture.savefile import secrets_in
from netlab.capture.unread import count_of, not_read
from netlab.dissect.decrypted_record import Conversation
from netlab.dissect.text import safe
from netlab.dissect.tls.outside_keys import OutsideKeys
from netlab.topics.contract import Topic
from netlab.topics.decrypting import decrypted_by
from netlab.topics.discovery import topics
from netlab.ui.bytes.bytes_pane import BytesPane
from netlab.ui.bytes.fields.plaintext import Plaintexts, whose_keys
from netlab.ui.bytes.inspector import Inspector
from netlab.ui.keys.footer import KeyFooter
from netlab.ui.keys.help import IN_A_FILE, Help, file_help_lines
from netlab.ui.keys.type_ahead import TypeAhead
from netlab.ui.picture.drawn_flow import FlowFacts
from netlab.ui.picture.picture_pane import PicturePane
from netlab.ui.terminal.screen_check import on_a_screen
from netlab.ui.terminal.terminal_app import TerminalApp, play
from netlab.ui.widgets.closing import PaneClosed
from netlab.ui.widgets.control_filter import CONTROL_FILTER
from netlab.ui.widgets.notices import CSS as NOTICES
from netlab.ui.wire.decrypted_lines import DecryptedLines
from netlab.ui.wire.dissect_as import DissectAs
from netlab.ui.wire.file_reading import FileReading
from netlab.ui.wire.segment_list import SegmentList
from netlab.ui.wire.wire_list import WireList

_FIRST = 2000
"""Packets that are read before the first page is drawn."""
_SAY_EVERY = 0.25
"""Seconds between two reports of how far the reading is: each draws much."""
_CLOSED = "encrypted; the secrets in this file belong to another session"


class InspectApp(TerminalApp, TypeAhead):
    """Wire list, bytes and fields of one capture file."""

    TITLE = "netlab inspect"
    CSS = (
        NOTICES
        + """
    #file { height: auto; max-height: 3; background: $panel; padding: 0 1; }
    WireList { height: 1fr; }
    Inspector, PicturePane { height: 2fr; }
    """
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "question_mark,f1", "help", "help", id="inspect.help", tooltip="What the focused pane shows, and its keys"
        ),
        Binding(
            "d",
            "dissector",
            "dissect as",
            id="inspect.dissector",
            tooltip="Choose how this flow or its port is read",
        ),
        Binding(
            "P",
            "picture",
            "picture",
            id="inspect.picture",
            tooltip="Show what happened in the selected segment's flow, in place of its bytes, or close it",
        ),
        Binding("tab", "app.focus_next", "next pane", id="inspect.next_pane", priority=True),  # else the screen's own
        Binding("q", "quit", "quit", id="inspect.quit", tooltip="Leave"),
    ]

    def __init__(
        self,
        capture: Capture,
        keys: OutsideKeys | None = None,
        name: str = "",
        note: Callable[[], str] = str,
        dissect_file: Path | None = None,
    ) -> None:
        """``name`` is the capture's on the screen (empty: its file's), ``note`` what is to be said of its source.

        ``dissect_file`` is a person's own dissector.
        """
        super().__init__()
        self._called, self._source_note = name or capture.path.name, note
        self._capture = capture
        self._reading = FileReading(capture)
        self._said_at = 0.0
        self._summarised: tuple[int, str] | None = None
        self._dissect_as = DissectAs(self, self._read_again, file=dissect_file)
        self._inside, self._keys = secrets_in(capture.path), keys
        self._openers: dict[str, Plaintexts] = {}

    def compose(self) -> ComposeResult:
        """The file's summary, the panes, the keys."""
        yield Static(id="file", markup=False)
        yield WireList(id="wire")
        yield Inspector(id="bytes")
        yield KeyFooter()

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Keep control sequences in the file from reaching the terminal."""
        return [*super().get_line_filters(), CONTROL_FILTER]

    def on_mount(self) -> None:
        """Show what has been read so far, and continue to read."""
        wire = self.query_one(WireList)
        if self._decrypts:
            wire.decrypted = DecryptedLines(self._conversation, self._secrets)
        self._capture.grow(at_most=_FIRST)
        wire.show(self._capture, self._dissect_as.meanings(self._capture))
        wire.focus()
        wire.go_to(1)
        self._say_how_far()
        self.call_after_refresh(self.set_interval, 1 / 30, self._read_on)  # the first page comes first
        self.set_interval(1 / 5, self._dissect_as.look)
        if self._dissect_as.problem:
            self.notify(self._dissect_as.problem, severity="error", markup=False)

    def _read_on(self) -> None:
        if not self.query(WireList):  # the app is leaving, and its timer fired once more
            return
        if self._capture.cut_short:
            self.exit(
                return_code=1,
                message=f"netlab inspect: {safe(self._called)} was cut short or replaced while it was shown",
            )
            return
        self._reading.go_on()
        self.query_one(WireList).grow()
        for picture in self.query(PicturePane):
            picture.look()
        if not self._reading.running or time.monotonic() > self._said_at + _SAY_EVERY:
            self._say_how_far()

    def _say_how_far(self) -> None:
        self._said_at = time.monotonic()
        self.query_one(WireList).show_progress(self._reading.words, self._reading.key)
        now = self._capture.position, self._source_note()
        if now != self._summarised:
            self._summarised = now
            self._update_summary()

    def on_unmount(self) -> None:
        """End the reading."""
        self._reading.end()

    def on_wire_list_stop_requested(self, event: WireList.StopRequested) -> None:
        """Stop reading; what is read stays."""
        self._reading.stop()

    def on_segment_list_followed(self, event: SegmentList.Followed) -> None:
        """Read on if that was stopped."""
        self._reading.resume()

    def _update_summary(self) -> None:
        capture = self._capture
        gone = capture.let_go
        words = [self._called, count_of(len(capture.segments) - gone, "segment")]
        words += [f"the oldest {gone:,} were let go"] if gone else []
        words.append(count_of(len(capture.flows), "flow"))
        if unread := capture.unread:
            words.append(not_read(unread))
        if note := self._source_note():
            words.append(note)
        if capture.problem:
            words.append(capture.problem)
        if self._inside:
            words.append("with TLS secrets")
        if self._keys is not None:
            words.append(f"TLS secrets from {self._keys.path.name}")
        self.query_one("#file", Static).update(Content(safe("  ·  ".join(words))))

    # The panes

    def on_wire_list_segment_highlighted(self, event: WireList.SegmentHighlighted) -> None:
        """Show its bytes."""
        how = self._dissect_as.meanings(self._capture)
        for picture in self.query(PicturePane):
            picture.follow(event.segment, self._capture, how)
        inspector = self.query_one(Inspector)
        inspector.plaintexts = self._plaintexts(event.segment.flow) if event.segment and self._decrypts else None
        inspector.show_segment(event.segment, self._capture, how)

    def on_wire_list_segment_chosen(self, event: WireList.SegmentChosen) -> None:
        """Go to its bytes."""
        self._close_picture()
        self.query_one(Inspector).focus()

    async def action_picture(self) -> None:
        """Show the picture of the selected segment's flow, or close it."""
        if self.query(PicturePane):
            self._close_picture()
            return
        picture, wire = PicturePane(self._facts), self.query_one(WireList)
        await self.mount(picture, after=wire)
        self.query_one(Inspector).display = False
        picture.follow(wire.highlighted, self._capture, self._dissect_as.meanings(self._capture))
        picture.view.focus()

    def _close_picture(self) -> None:
        self.query_one(Inspector).display = True
        for picture in self.query(PicturePane):
            picture.remove()
            self.query_one(WireList).focus()

    def on_picture_pane_row_highlighted(self, event: PicturePane.RowHighlighted) -> None:
        """Let the wire's cursor follow."""
        self.query_one(WireList).go_to(event.segment)

    def on_picture_pane_segment_wanted(self, event: PicturePane.SegmentWanted) -> None:
        """Go to the segment."""
        self.query_one(WireList).go_to(event.segment)
        self.query_one(WireList).focus()

    def on_pane_closed(self, event: PaneClosed) -> None:
        """Show the bytes again."""
        self._close_picture()

    def on_bytes_pane_pause_requested(self, event: BytesPane.PauseRequested) -> None:
        """Stop following: the user looks at a segment."""
        self.query_one(WireList).pause()

    # What the bytes mean

    def _facts(self, flow: Flow) -> FlowFacts:
        if not self._decrypts or flow.transport is not Transport.TCP:
            return FlowFacts()
        return FlowFacts(begin=partial(self._plaintexts(flow).opened, flow, self._capture))

    @property
    def _decrypts(self) -> bool:
        return bool(self._inside) or self._keys is not None

    def _secrets(self) -> str:
        return self._inside + (self._keys.text if self._keys is not None else "")

    def _topic(self, flow: Flow) -> Topic:
        """The topic that decrypts a flow."""
        meanings = self._dissect_as.meanings(self._capture)
        name = meanings.of(flow).protocol.name if meanings is not None else ""
        return decrypted_by(topics().get(name))

    def _plaintexts(self, flow: Flow) -> Plaintexts:
        """Decrypts a flow with the secrets in the file, or in a file beside it."""
        topic = self._topic(flow)
        whose = "the file's secrets", _CLOSED
        if self._keys is not None and not self._inside:
            whose = whose_keys(self._keys.path.name)
        return self._openers.setdefault(topic.name, Plaintexts(topic.opener, self._secrets, *whose))

    def _conversation(self, segment: Segment) -> Callable[[], Conversation] | None:
        return self._topic(segment.flow).conversation()

    def on_inspector_dissect_as_requested(self, event: Inspector.DissectAsRequested) -> None:
        """Ask as what protocol a flow is read."""
        self._dissect_as.ask(event.flow)

    def action_dissector(self) -> None:
        """Ask as what protocol the selected flow is read."""
        segment = self.query_one(WireList).highlighted
        self._dissect_as.ask(segment.flow if segment is not None else None)

    def _read_again(self) -> None:
        self.query_one(WireList).read_as(self._dissect_as.meanings(self._capture))

    def action_help(self) -> None:
        """Help for the focused pane."""
        inside = self.focused.ancestors_with_self if self.focused is not None else ()
        pane = next((node.id for node in inside if node.id in IN_A_FILE), None) or "wire"
        lines = partial(file_help_lines, pane, self.screen.active_bindings)
        self.push_screen(Help(lines, f"help: a capture file, {pane}"))


def open_capture(path: Path) -> Capture:
    """Open the file. Raises `OSError`, or `CaptureError` with a sentence."""
    if path.is_dir():
        raise CaptureError("it is a folder, not a capture file")
    if path.exists() and not path.is_file():
        raise CaptureError("it is a device or a socket, not a capture file")
    return Capture.of_file(path)


def show(
    path: Path,
    keylog: Path | None = None,
    name: str = "",
    note: Callable[[], str] = str,
    *,
    dissect_file: Path | None = None,
) -> int:
    """Show a capture file, read by a person's own dissector if one is given.

    Returns the exit status: 0; 1 if it cannot be read; 2 without a terminal.
    """
    try:
        capture = open_capture(path)
    except (OSError, CaptureError) as problem:
        why = problem.strerror if isinstance(problem, OSError) and problem.strerror else problem
        sys.stderr.write(f"netlab inspect: cannot open {safe(name or str(path))}: {safe(str(why))}\n")
        return 1
    if not on_a_screen():
        sys.stderr.write("netlab inspect: this needs a terminal\n")
        return 2
    with capture:
        keys = OutsideKeys(keylog) if keylog is not None else None
        return play(InspectApp(capture, keys, name, note, dissect_file))
