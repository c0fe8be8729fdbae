"""Scrolling to where there is no scrollbar yet."""

from __future__ import annotations

from textual.scroll_view import ScrollView


def scroll_at_once(view: ScrollView, y: int) -> None:
    """Scroll to a line, also where the lines have just become too many.

    Textual 8.2.8 shows the scrollbar with the next layout. Until then it scrolls only by force, and the bar is not told
    (`ScrollView.watch_scroll_y`).
    """
    view.scroll_to(y=y, animate=False, force=True)
    if not view.show_vertical_scrollbar:
        view.call_after_refresh(_place_bar, view)


def _place_bar(view: ScrollView) -> None:
    if view.show_vertical_scrollbar:
        view.vertical_scrollbar.position = view.scroll_y
