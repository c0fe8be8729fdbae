"""What the bytes of a tab, or of a file, are read as: recognised, or as the person chooses for a flow or a port."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from textual.app import App
from textual.widget import Widget

from netlab.capture.model import Flow
from netlab.capture.view import CapturedSegments
from netlab.dissect.fields import Dissector
from netlab.dissect.flow import Protocol
from netlab.dissect.reading.choices import Choices
from netlab.dissect.reading.meanings import Meanings
from netlab.dissect.reading.own.own_dissector import OwnDissector
from netlab.dissect.reading.protocol_discovery import protocols
from netlab.folders import protocols_file
from netlab.topics.contract import Topic
from netlab.topics.topic_protocols import flow_of, known_protocols, named, read_whole, topic_protocol
from netlab.ui.widgets.chooser import Chooser, ChooserItem


class DissectAs:
    """The meanings of what is captured. ``topic`` is what a tab's flows are first; without one they are recognised.

    ``changed`` is called when the person has chosen something else.
    """

    def __init__(
        self,
        widget: Widget | App[None],
        changed: Callable[[], None],
        topic: Topic | None = None,
        file: Path | None = None,
    ) -> None:
        """``file`` is a person's own dissector."""
        self._widget, self._changed = widget, changed
        self._own = OwnDissector(file) if file is not None else None
        self._choices = Choices(named, protocols_file())
        self._meanings: Meanings | None = None
        self._topic = topic if topic is not None and not _recognised(topic) else None
        self._always: Protocol | None = None
        self._whole: dict[str, Dissector] | None = None

    def load(self) -> None:
        """Load the topic's dissector. Raises what its module raises."""
        if self._topic is not None:
            dissector = self._topic.dissector()
            self._always = topic_protocol(self._topic)
            self._whole = {self._topic.name: dissector} if flow_of(self._topic) is None else {}

    def meanings(self, capture: CapturedSegments | None) -> Meanings | None:
        """The meanings of a capture's flows."""
        if capture is None:
            self._meanings = None
        elif self._meanings is None or self._meanings.capture is not capture:
            self._choices.forget_flows()
            own = self._own
            always = own.protocol if own is not None and own.certain else self._always
            self._meanings = Meanings(
                capture,
                always=always,
                known=self._known,
                whole=self._read_whole,
                choice=self._choices,
                slow=own is not None,
            )
        return self._meanings

    def _read_whole(self, name: str) -> Dissector | None:
        """The dissector of a topic whose messages explain themselves: this tab's, as it was loaded, or another's."""
        return (self._whole or {}).get(name) or read_whole(name)

    def _known(self) -> tuple[Protocol, ...]:
        return known_protocols() if self._own is None else (self._own.protocol, *known_protocols())

    @property
    def problem(self) -> str:
        """What is wrong with the person's own dissector; empty if nothing is."""
        return self._own.problem if self._own is not None else ""

    def look(self) -> None:
        """Read the person's own dissector again if it was saved."""
        if self._own is not None and self._own.look():
            self._meanings = None
            why = self._own.problem
            words = why or f"{self._own.path.name} was read again"
            self._widget.notify(words, severity="error" if why else "information", markup=False)
            self._changed()

    def ask(self, flow: Flow | None) -> None:
        """Ask as what a flow is to be read."""
        if flow is None or self._meanings is None:
            self._widget.notify("no segment is selected", severity="warning", markup=False)
            return
        now = self._meanings.of(flow).protocol
        usual = f"as {self._topic.title}" if self._topic is not None else "by its first bytes"
        meaning = f"now {now.title}" if not self._choices.name(flow) else "takes your choice back"
        items = [ChooserItem("", usual, meaning)]
        items += [ChooserItem(each.name, each.title) for each in _offered(flow)]
        title = f"read {flow.transport.value} port {flow.server.port} as"
        chooser = Chooser(title, items, self._choices.name(flow), writes=f"flow {flow.number} alone")
        self._widget.app.push_screen(chooser, partial(self._choose, flow))

    def _choose(self, flow: Flow, answer: tuple[str, str] | None) -> None:
        if answer is None or self._meanings is None:
            return
        how, name = answer
        (self._choices.for_flow if how == "w" else self._choices.for_port)(flow, name)
        self._meanings.forget()
        self._changed()


def _recognised(topic: Topic) -> bool:
    """Whether nothing but their content says what a topic's flows are: those of a person's own server."""
    return topic.attached and flow_of(topic) is None


def _offered(flow: Flow) -> list[Protocol]:
    """What a flow can be read as, by title; a topic that is called as its protocol is left out."""
    by_title = {each.title: each for each in reversed((*protocols(), *known_protocols()))}
    fitting = [each for each in by_title.values() if flow.transport in each.transports]
    return sorted(fitting, key=lambda each: (each.name == "text", each.title.lower()))
