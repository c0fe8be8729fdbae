"""Painting rows that need nothing around them, at a third of what Textual's own way costs.

Textual asks for borders, padding, outline, tint and hatch anew for each line that it paints, and takes a line to be as
wide as the widget with its scrollbar, so that each is cut in two. The rows of a byte view have none of the former and
are as wide as they say.
"""

from __future__ import annotations

from textual._styles_cache import StylesCache
from textual.filter import ANSIToTruecolor
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget


class PlainRows(StylesCache):
    """Remembers the rows of one widget, to be set as its ``_styles_cache``.

    For widgets whose ``render_line`` gives strips as wide as the content and in true colours, as styles from CSS are.
    Lines of a border above or below are left to Textual, and so is all of a widget with a border or padding at its
    sides. Where Textual should once not ask `Widget._styles_cache` any more, all is painted as ever.
    """

    def __init__(self) -> None:
        super().__init__()
        self._rows: dict[int, Strip] = {}
        self._row_width = 0

    def set_dirty(self, *regions: Region) -> None:
        """Forget the lines in these regions."""
        super().set_dirty(*regions)
        for region in regions:
            for y in region.line_range:
                self._rows.pop(y, None)

    def clear(self) -> None:
        """Forget all lines."""
        super().clear()
        self._rows.clear()

    def render_widget(self, widget: Widget, crop: Region) -> list[Strip]:
        """The lines of the widget within ``crop``."""
        if widget.gutter.width:  # as the editor of held bytes has
            return super().render_widget(widget, crop)
        top, (width, height) = widget.gutter.top, widget.content_size
        filters = [kept for kept in widget.get_line_filters() if not isinstance(kept, ANSIToTruecolor)]
        background = widget.background_colors[1]
        if width != self._row_width:  # the scrollbar came or went
            self._row_width = width
            self._rows.clear()
        strips: list[Strip] = []
        for y in crop.line_range:
            if not top <= y < top + height:
                strips += super().render_widget(widget, Region(crop.x, y, crop.width, 1))
                continue
            strip = self._rows.get(y)
            if strip is None:
                strip = widget.render_line(y - top)
                for line_filter in filters:
                    strip = strip.apply_filter(line_filter, background)
                self._rows[y] = strip
            strips.append(strip if crop.x == 0 and crop.right >= width else strip.crop(crop.x, crop.right))
        return strips
