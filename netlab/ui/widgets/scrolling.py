"""Scrolling before the scrollbar appears, growing without a new layout, moving the scrollbar without repainting it."""

from __future__ import annotations

from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBar


def scroll_at_once(view: ScrollView, y: int) -> None:
    """Scroll to a line, even if the lines have only just outgrown the view.

    Textual 8.2.8 shows the scrollbar at the next layout. Until then it scrolls only with ``force``, and does not update
    the scrollbar (`ScrollView.watch_scroll_y`).
    """
    view.scroll_to(y=y, animate=False, force=True)
    if not view.show_vertical_scrollbar:
        view.call_after_refresh(_place_bar, view)


def _place_bar(view: ScrollView, more: int = 10) -> None:
    """Set the scrollbar's position once it is shown, which may take more than one refresh."""
    if view.show_vertical_scrollbar:
        view.vertical_scrollbar.position = view.scroll_y
    elif more and view.max_scroll_y > 0:
        view.call_after_refresh(_place_bar, view, more - 1)


def set_content_size(view: ScrollView, size: Size) -> None:
    """Set the content size, and lay out the whole screen only if the scrollbar appears or disappears.

    Setting `ScrollView.virtual_size` always does so. That takes tens of milliseconds, and in a flood, twenty times a
    second, keys would have to wait.
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
    view.scroll_y = view.scroll_y  # clamps it to the new size


def move_bar(view: ScrollView, y: float) -> None:
    """Set the scrollbar's position; repaint it only if its thumb visibly moves."""
    bar = view.vertical_scrollbar
    if _thumb(bar, bar.position) == _thumb(bar, y):
        bar.set_reactive(ScrollBar.position, y)
    else:
        bar.position = y


def _thumb(bar: ScrollBar, position: float) -> int:
    """The start of the thumb in eighths of a cell, as in `ScrollBarRender.render_bar`."""
    height, rows, shown = bar.size.height, bar.window_virtual_size, bar.window_size
    if not shown < rows:
        return 0
    return int((height - max(1, height * shown / rows)) * position / (rows - shown) * 8)
