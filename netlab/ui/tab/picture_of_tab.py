"""A tab's picture: opens its pane, and lets it follow the wire. It imports the pane late."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from netlab.capture.model import Flow, Segment
from netlab.dissect.reading.meanings import How, Meanings
from netlab.lab.client.facts.flow_facts import known_of
from netlab.ui.tab.panes import LabPanes

if TYPE_CHECKING:
    from netlab.ui.picture.drawn_flow import FlowFacts
    from netlab.ui.picture.picture_pane import PicturePane


class TabPicture:
    """The picture pane of one tab."""

    def __init__(self, tab: LabPanes, how: Callable[[], How]) -> None:
        """``how`` says how the wire's flows are read."""
        self._tab, self._how = tab, how

    @property
    def _pane(self) -> PicturePane | None:
        return self._tab.panes.picture_slot.wanted

    def toggle(self) -> None:
        """Show the picture of the selected segment's flow; if it is seen already, close it."""
        from netlab.ui.picture.picture_pane import PicturePane

        panes = self._tab.panes
        if self._pane is not None and self._pane.region.area:
            panes.put_away(panes.picture_slot)
            return
        if self._pane is None:
            panes.picture_slot.put(PicturePane(self._facts))
            self.highlighted(self._tab.wire.highlighted)
        panes.go("picture")

    def highlighted(self, segment: Segment | None) -> None:
        """The wire's cursor is on a segment."""
        if self._pane is not None:
            self._pane.follow(segment, self._tab.wire.capture, self._how())

    def look(self) -> None:
        """Draw what is new."""
        pane = self._tab.panes.picture_slot.pane
        if pane is not None:
            pane.look()

    def _facts(self, flow: Flow) -> FlowFacts:
        from netlab.ui.picture.drawn_flow import FlowFacts

        lab = self._tab.lab
        known = {**lab.facts(flow.client), **known_of(lab.sessions, flow)}
        how, plaintexts, capture = self._how(), self._tab.inspector.plaintexts, self._tab.wire.capture
        encrypted = isinstance(how, Meanings) and how.of(flow).protocol.name == "tls"
        if plaintexts is None or capture is None or not encrypted:
            return FlowFacts(known)
        return FlowFacts(known, partial(plaintexts.opened, flow, capture))
