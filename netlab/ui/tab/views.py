"""A tab's views: opens their pane, shows what is chosen there in the bytes pane, and runs the lines of its keys.

It imports the pane late, so that the first tab serves earlier.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from netlab.ui.tab.panes import LabPanes

if TYPE_CHECKING:
    from netlab.lab.views.view_table import ViewTable
    from netlab.ui.views.views_pane import ViewsPane


class Views:
    """The views pane of one tab."""

    def __init__(self, tab: LabPanes) -> None:
        self._tab = tab

    @property
    def table(self) -> ViewTable | None:
        """The buffers and views of the current client; None if there is no client."""
        current = self._tab.lab.current
        return current.views if current is not None else None

    def look(self) -> None:
        """Draw the changes, and follow the buffer of the current client."""
        current = self._tab.lab.current
        self._tab.inspector.look(*(current.client, current.views) if current is not None else (None,))
        if (pane := self._tab.panes.views_slot.pane) is not None:
            pane.look()

    def toggle(self) -> None:
        """Show the views, or close them."""
        from netlab.ui.views.views_pane import ViewsPane

        panes = self._tab.panes
        if panes.views_slot.wanted is not None:
            self.close()
        else:
            panes.views_slot.put(ViewsPane(lambda: self.table, self._index))
            panes.go("views")

    def close(self) -> None:
        """Close the pane; the bytes pane shows a segment or the client's buffer again."""
        self._tab.panes.put_away(self._tab.panes.views_slot)
        self._tab.inspector.show_view(None)

    def show(self, chosen: ViewsPane.Chosen) -> None:
        """Show the bytes of what was chosen."""
        from netlab.ui.bytes.viewed_bytes import ViewedBytes

        table, inspector = self.table, self._tab.inspector
        if self._tab.panes.views_slot.wanted is None:
            return
        if table is None or chosen.buffer is None:
            inspector.show_view(None)
        else:
            inspector.show_view(ViewedBytes(table, chosen.buffer, chosen.view), keep=not chosen.another)

    def _index(self) -> tuple[int, ...] | None:
        """The index of the chosen view's element at the cursor of the bytes."""
        inspector = self._tab.inspector
        return inspector.viewed_index
