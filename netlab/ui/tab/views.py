"""A tab's views: opens their pane, shows what is chosen there in the bytes pane, and runs the lines of its keys.

It imports the pane late, so that the first tab serves earlier.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from netlab.ui.tab.panes import LabPanes

if TYPE_CHECKING:
    from netlab.lab.client.session import Session
    from netlab.ui.views.map_page import ReceivedPiece
    from netlab.ui.views.seen_views import SeenViews
    from netlab.ui.views.views_pane import ViewsPane


class Views:
    """The views pane of one tab."""

    def __init__(self, tab: LabPanes) -> None:
        self._tab = tab
        self._current: Session | None = None
        self._arrived = 0, 0

    def look(self) -> None:
        """Draw the changes, and follow the buffer of the current client."""
        before, current = self._current, self._tab.lab.current
        self._current = current
        self._tab.inspector.look(*(current.client, current.views) if current is not None else (None,))
        if (pane := self._tab.panes.views_slot.pane) is not None:
            if current is not before and before is not None:
                pane.begin_again()
            pane.look()

    def toggle(self) -> None:
        """Show the views; if they have the focus already, close them."""
        from netlab.ui.views.views_pane import ViewsPane

        panes = self._tab.panes
        if panes.views_slot.wanted is None:
            panes.views_slot.put(ViewsPane(self._seen, lambda: self._tab.inspector.viewed_index, self._piece))
            panes.go("views")
        elif panes.pane_of(self._tab.screen.focused) == "views":
            panes.put_away(panes.views_slot)
            self.closed()
        else:
            panes.go("views")

    def closed(self) -> None:
        """The pane closes: the bytes pane shows a segment or the client's buffer again."""
        self._tab.inspector.show_view(None)

    def show(self, chosen: ViewsPane.Chosen) -> None:
        """Show the bytes of what was chosen."""
        from netlab.ui.bytes.viewed_bytes import ViewedBytes

        if self._tab.panes.views_slot.wanted is None:
            return
        if chosen.buffer is None:
            self._tab.inspector.show_view(None)
        else:
            viewed = ViewedBytes(lambda key: self._seen().bytes_of(key), chosen.buffer, chosen.view)
            self._tab.inspector.show_view(viewed, keep=not chosen.another)

    def _seen(self) -> SeenViews:
        from netlab.ui.views.seen_views import SeenViews

        current = self._tab.lab.current
        return SeenViews(current.views if current is not None else None, self._tab.wire.highlighted)

    def _piece(self) -> ReceivedPiece | None:
        """The piece that came last into the client's own buffer."""
        from netlab.ui.views.map_page import ReceivedPiece

        current = self._tab.lab.current
        own = current.views.own if current is not None else None
        arrivals = getattr(current.client, "arrivals", ()) if current is not None else ()
        if own is None or not arrivals:
            return None
        count, before = len(arrivals), self._arrived
        if before[0] != count:
            self._arrived = count, sum(arrivals[: count - 1])
        return ReceivedPiece(own, self._arrived[1], arrivals[count - 1])
