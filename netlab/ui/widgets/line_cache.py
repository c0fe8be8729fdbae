"""Paints plain rows at a third of the cost of Textual's own way.

Textual looks up borders, padding, outline, tint and hatch for each line that it paints, and assumes that a line is as
wide as the widget with its scrollbar, so that each line is cut. The rows of a hex view have none of these and are as
wide as they say.
"""

from __future__ import annotations

from textual._styles_cache import StylesCache
from textual.filter import ANSIToTruecolor
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget


class LineCache(StylesCache):
    """Caches the rows of one widget; set it as the widget's ``_styles_cache``.

    For widgets whose ``render_line`` returns strips as wide as the content, in true colours, as styles from CSS are.
    Textual still paints a border above or below, and any widget with a border or padding at its sides. If Textual stops
    using `Widget._styles_cache`, everything is painted as usual.
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
        """Remove all lines."""
        super().clear()
        self._rows.clear()

    def render_widget(self, widget: Widget, crop: Region) -> list[Strip]:
        """The lines of the widget within ``crop``."""
        if widget.gutter.width:  # such as the editor of held bytes
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
