"""Scrolling to where there is no scrollbar yet; growing without laying out, and moving without painting, what stays."""

from __future__ import annotations

from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBar


def scroll_at_once(view: ScrollView, y: int) -> None:
    """Scroll to a line, also where the lines have just become too many.

    Textual 8.2.8 shows the scrollbar with the next layout. Until then it scrolls only by force, and the bar is not told
    (`ScrollView.watch_scroll_y`).
    """
    view.scroll_to(y=y, animate=False, force=True)
    if not view.show_vertical_scrollbar:
        view.call_after_refresh(_place_bar, view)


def _place_bar(view: ScrollView, more: int = 10) -> None:
    """Place the bar, once it is shown: another refresh may come before the layout that shows it."""
    if view.show_vertical_scrollbar:
        view.vertical_scrollbar.position = view.scroll_y
    elif more and view.max_scroll_y > 0:
        view.call_after_refresh(_place_bar, view, more - 1)


def set_content_size(view: ScrollView, size: Size) -> None:
    """Other content size. The whole screen is laid out anew only where the scrollbar comes or goes.

    `ScrollView.virtual_size` always does so, which costs tens of milliseconds and, twenty times a second under a flood,
    keeps keys waiting.
    """
    before = view.virtual_size
    bar = view.show_vertical_scrollbar
    if size == before:
        return
    stays = view.styles.overflow_y == "scroll" or size.height > view.container_size.height
    if size.width != before.width or not bar or not stays:
        view.virtual_size = size
        return
    view.set_reactive(ScrollView.virtual_size, size)
    view.vertical_scrollbar.window_virtual_size = size.height
    view.scroll_y = view.scroll_y  # which is kept within the size


def move_bar(view: ScrollView, y: float) -> None:
    """Tell the scrollbar where the view is; it is painted anew only where its thumb is seen to have moved."""
    bar = view.vertical_scrollbar
    if _thumb(bar, bar.position) == _thumb(bar, y):
        bar.set_reactive(ScrollBar.position, y)
    else:
        bar.position = y


def _thumb(bar: ScrollBar, position: float) -> int:
    """Where the thumb begins, in eighths of a cell, as `ScrollBarRender.render_bar` has it."""
    height, rows, shown = bar.size.height, bar.window_virtual_size, bar.window_size
    if not shown < rows:
        return 0
    return int((height - max(1, height * shown / rows)) * position / (rows - shown) * 8)
