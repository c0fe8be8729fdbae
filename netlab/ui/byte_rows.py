"""Paints one row of bytes: which style each cell has, and the signs that say the same without colour.

A row is ``offset``, then a sign and two hex digits for each byte, then the text. The sign before a byte is ``[`` where
the selection begins, ``]`` where it ended, ``*`` before a changed byte, ``│`` where a chunk begins.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rich.segment import Segment
from rich.style import Style

from netlab.dissect.hexrows import CLASSES, HEX, TEXT, ByteClass
from netlab.ui.byte_source import ByteSource
from netlab.ui.spans import Spans

CLASS_STYLES = tuple(f"bytes--{kind.name.lower()}" for kind in ByteClass)
LAYERS = ("", "chunk", "field-0", "field-1", "field-2", "field", "mark", "match", "selection", "cursor")
"""What may lie over a byte, from the bottom to the top."""
LAYER_STYLES = tuple(f"bytes--{name}" for name in LAYERS if name)
_CHUNK, _FIELD_TINT, _FIELD, _MARK, _MATCH, _SELECTION, _CURSOR = 1, 2, 5, 6, 7, 8, 9
_TINTS = 3


@dataclass(slots=True)
class Overlay:
    """What lies over the bytes. Ranges are (start, end), empty where nothing is meant."""

    cursor: int = 0
    selection: tuple[int, int] = (0, 0)
    match: tuple[int, int] = (0, 0)
    field: tuple[int, int] = (0, 0)
    fields: Spans | None = None
    marks: Spans | None = None
    chunks: bool = False


class RowPainter:
    """Turns rows into segments; ``style_of(component class, partial)`` comes from the widget and is asked once each."""

    def __init__(self, style_of: Callable[[str, bool], Style]) -> None:
        self._style_of = style_of
        self._styles: dict[tuple[int, int], Style] = {}
        self._plain: dict[str, Style] = {}

    def forget_styles(self) -> None:
        """The theme changed."""
        self._styles.clear()
        self._plain.clear()

    def _style(self, kind: int, layer: int) -> Style:
        key = (kind, layer)
        if key not in self._styles:
            style = self._style_of(CLASS_STYLES[kind], False)
            if layer:
                style += self._style_of(f"bytes--{LAYERS[layer]}", True)
            self._styles[key] = style
        return self._styles[key]

    def _named(self, name: str) -> Style:
        if name not in self._plain:
            self._plain[name] = self._style_of(name, False)
        return self._plain[name]

    def _layers(self, source: ByteSource, start: int, end: int, over: Overlay) -> list[int]:
        layers = [0] * (end - start)
        if over.chunks:
            layers = _parity(source, start, end)
        elif over.fields:
            layers = [_FIELD_TINT + i % _TINTS if i >= 0 else 0 for i in over.fields.row(start, end)]
        _lay(layers, _FIELD, over.field, start, end)
        if over.marks:
            layers = [_MARK if i >= 0 else below for i, below in zip(over.marks.row(start, end), layers, strict=True)]
        _lay(layers, _MATCH, over.match, start, end)
        _lay(layers, _SELECTION, over.selection, start, end)
        if start <= over.cursor < end:
            layers[over.cursor - start] = _CURSOR
        return layers

    def _signs(self, source: ByteSource, start: int, end: int, over: Overlay) -> dict[int, str]:
        """Signs that stand before a byte, by offset."""
        signs = dict.fromkeys(source.starts(start, end), "│") if over.chunks else {}
        if over.marks:
            signs |= {start + i: "*" for i, index in enumerate(over.marks.row(start, end)) if index >= 0}
        first, last = over.selection
        if first < last:
            signs |= {last: "]", first: "["}
        return signs

    def paint(self, source: ByteSource, start: int, per_row: int, digits: int, over: Overlay) -> list[Segment]:
        """The row that begins at ``start``: at most ``per_row`` bytes are read."""
        row = bytes(source.view(start, start + per_row))
        end = start + len(row)
        kinds = row.translate(CLASSES)
        layers = self._layers(source, start, end, over)
        signs = self._signs(source, start, end, over)
        missing = {at - start for low, high in source.gaps(start, end) for at in range(low, high)}
        edge = self._named("bytes--sign")
        runs = _Runs()
        runs.add(f"{start:0{digits}x} ", self._named("bytes--offset"))
        before = 0
        for index, value in enumerate(row):
            layer = layers[index]
            style = self._style(kinds[index], layer)
            if index and index % 8 == 0:
                runs.add(" ", self._style(ByteClass.PRINTABLE, layer if layer == before else 0))
            sign = signs.get(start + index)
            joined = style if layer == before and layer != _CURSOR else self._style(ByteClass.PRINTABLE, 0)
            runs.add(sign or " ", edge if sign else joined)
            runs.add("··" if index in missing else HEX[value], style)
            before = layer
        short = per_row - len(row)
        gaps = (per_row - 1) // 8 - max(len(row) - 1, 0) // 8
        runs.add(signs.get(end, " ") if signs.get(end) == "]" else " ", edge)
        runs.add(" " * (3 * short + gaps + 1), self._style(ByteClass.PRINTABLE, 0))
        for index, value in enumerate(row):
            runs.add(" " if index in missing else TEXT[value], self._style(kinds[index], layers[index]))
        return runs.segments()


def _lay(layers: list[int], layer: int, span: tuple[int, int], start: int, end: int) -> None:
    """Lay one range over the bytes from ``start`` to ``end``."""
    low, high = max(span[0], start), min(span[1], end)
    if low < high:
        layers[low - start : high - start] = [layer] * (high - low)


def _parity(source: ByteSource, start: int, end: int) -> list[int]:
    """For each byte whether it lies in an even or an odd chunk."""
    chunk, begins = source.run_at(start), set(source.starts(start + 1, end))
    parity = []
    for offset in range(start, end):
        chunk += offset in begins
        parity.append(chunk & 1)
    return parity


class _Runs:
    """Text in equal styles, gathered into as few segments as possible."""

    def __init__(self) -> None:
        self._done: list[Segment] = []
        self._parts: list[str] = []
        self._style: Style | None = None

    def add(self, text: str, style: Style) -> None:
        if style is not self._style:
            self._flush()
            self._style = style
        self._parts.append(text)

    def _flush(self) -> None:
        if self._parts:
            self._done.append(Segment("".join(self._parts), self._style))
            self._parts = []

    def segments(self) -> list[Segment]:
        self._flush()
        return self._done
