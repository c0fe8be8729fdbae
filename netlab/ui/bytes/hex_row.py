"""Paints one row of bytes: the style of each cell, and signs that say the same without colour.

A row is ``offset``, then a sign and two hex digits for each byte, then the text. The sign before a byte is ``[`` where
the selection begins, ``]`` where it ends, ``*`` before a changed byte, ``│`` where a chunk or an element of a view
begins, ``║`` where a row of it does, ``·`` before a byte that the view does not show.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass

from rich.segment import Segment
from rich.style import Style

from netlab.dissect.hexrows import CLASSES, HEX, TEXT, ByteClass
from netlab.lab.views.coverage import Coverage
from netlab.ui.bytes.byte_source import ByteSource
from netlab.ui.bytes.covered import NOT_SHOWN, elements_in, signs, tints
from netlab.ui.bytes.spans import Spans

CLASS_STYLES = tuple(f"bytes--{kind.name.lower()}" for kind in ByteClass)
LAYERS = ("", "chunk", "field-0", "field-1", "field-2", "field", "mark", "match", "selection", "cursor", "uncovered")
"""The layers that may cover a byte, from bottom to top; the last one is in place of chunks and fields."""
LAYER_STYLES = tuple(f"bytes--{name}" for name in LAYERS if name)
_FIELD_TINT, _FIELD, _MARK, _MATCH, _SELECTION, _CURSOR, _UNCOVERED = 2, 5, 6, 7, 8, 9, 10
_TINTS = 3
_ELEMENT_TINTS = (2, 4)
"""Those of a view's elements in turn."""
_STEP = len(ByteClass)
"""A byte's class and layer are one number: the layer times this, plus the class."""
_RUN = re.compile(rb"(.)\1*", re.DOTALL)
_TEXT = str.maketrans(dict(enumerate(TEXT)))


@dataclass(slots=True)
class Overlay:
    """The layers over the bytes. Ranges are (start, end); (0, 0) is none."""

    cursor: int = 0
    selection: tuple[int, int] = (0, 0)
    match: tuple[int, int] = (0, 0)
    field: tuple[int, int] = (0, 0)
    fields: Spans | None = None
    marks: Spans | None = None
    chunks: bool = False
    cover: Coverage | None = None
    """What a view shows of the bytes."""


class RowPainter:
    """Turns rows into segments. ``style_of(component class, partial)`` comes from the widget; results are cached."""

    def __init__(self, style_of: Callable[[str, bool], Style]) -> None:
        self._style_of = style_of
        self._styles: dict[int, Style] = {}
        self._plain: dict[str, Style] = {}

    def forget_styles(self) -> None:
        """Clear the cached styles: the theme changed."""
        self._styles.clear()
        self._plain.clear()

    def _style(self, cell: int) -> Style:
        style = self._styles.get(cell)
        if style is None:
            layer, kind = divmod(cell, _STEP)
            style = self._style_of(CLASS_STYLES[kind], False)
            if layer:
                style += self._style_of(f"bytes--{LAYERS[layer]}", True)
            self._styles[cell] = style
        return style

    def _named(self, name: str) -> Style:
        if name not in self._plain:
            self._plain[name] = self._style_of(name, False)
        return self._plain[name]

    def _layers(self, source: ByteSource, start: int, end: int, over: Overlay, begins: Sequence[int]) -> list[int]:
        layers = [0] * (end - start)
        if over.cover:
            layers = [_UNCOVERED if tint < 0 else _ELEMENT_TINTS[tint] for tint in tints(over.cover, begins)]
        elif over.chunks:
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

    def _signs(
        self, source: ByteSource, start: int, end: int, over: Overlay, begins: Sequence[int], grid: bool
    ) -> dict[int, str]:
        """Signs that stand before a byte, by offset."""
        found = dict.fromkeys(source.starts(start, end), "│") if over.chunks else {}
        if over.cover:
            found = signs(over.cover, start, begins, grid=grid)
        if over.marks:
            found |= {start + i: "*" for i, index in enumerate(over.marks.row(start, end)) if index >= 0}
        first, last = over.selection
        if first < last:
            found |= {at: sign for at, sign in ((last, "]"), (first, "[")) if start <= at <= end}
        return found

    def paint(
        self, source: ByteSource, start: int, per_row: int, digits: int, over: Overlay, label: str = ""
    ) -> list[Segment]:
        """The row that begins at ``start``: at most ``per_row`` bytes are read. ``label`` stands for its offset."""
        row = bytes(source.view(start, start + per_row))
        end = start + len(row)
        begins = elements_in(over.cover, start, end) if over.cover else ()
        layers = self._layers(source, start, end, over, begins)
        cells = bytes(_STEP * layer + kind for layer, kind in zip(layers, row.translate(CLASSES), strict=True))
        before = self._signs(source, start, end, over, begins, bool(label))
        missing = {at - start for low, high in source.gaps(start, end) for at in range(low, high)}
        runs = _Runs()
        runs.add(f"{label or f'{start:0{digits}x}':{digits}} ", self._named("bytes--offset"))
        if before or missing or _CURSOR in layers:
            self._by_byte(runs, row, cells, {at - start: sign for at, sign in before.items()}, missing)
        else:
            self._by_run(runs, row, cells)
        short = per_row - len(row)
        gaps = (per_row - 1) // 8 - max(len(row) - 1, 0) // 8
        runs.add("]" if before.get(end) == "]" else " ", self._named("bytes--sign"))
        runs.add(" " * (3 * short + gaps + 1), self._style(ByteClass.PRINTABLE))
        text = row.decode("latin-1").translate(_TEXT)
        missing |= {index for index, layer in enumerate(layers) if layer == _UNCOVERED}
        if missing:
            text = "".join(" " if at in missing else character for at, character in enumerate(text))
        for run in _RUN.finditer(cells):
            runs.add(text[run.start() : run.end()], self._style(cells[run.start()]))
        return runs.segments()

    def _by_run(self, runs: _Runs, row: bytes, cells: bytes) -> None:
        """The hex digits of a row without signs, in runs of equal style."""
        digits, before = f" {row.hex(' ')}", 0
        for eight in range(0, len(row), 8):
            if eight:
                runs.add(" ", self._between(before, cells[eight]))
            for run in _RUN.finditer(cells, eight, eight + 8):
                cell, begin = cells[run.start()], 3 * run.start()
                if cell // _STEP != before:
                    runs.add(" ", self._style(ByteClass.PRINTABLE))
                    begin += 1
                runs.add(digits[begin : 3 * run.end()], self._style(cell))
                before = cell // _STEP

    def _by_byte(
        self, runs: _Runs, row: bytes, cells: bytes, signs: Mapping[int, str], missing: Container[int]
    ) -> None:
        """The hex digits of any row, byte by byte."""
        before, edge = 0, self._named("bytes--sign")
        for index, value in enumerate(row):
            cell = cells[index]
            layer, style = cell // _STEP, self._style(cell)
            if index and index % 8 == 0:
                runs.add(" ", self._between(before, cell))
            sign = signs.get(index)
            joined = style if layer == before and layer != _CURSOR else self._style(ByteClass.PRINTABLE)
            runs.add(sign or " ", style if sign == NOT_SHOWN else edge if sign else joined)
            runs.add("··" if index in missing else HEX[value], style)
            before = layer

    def _between(self, before: int, cell: int) -> Style:
        """The style of the space between two groups of eight: a layer that continues covers it, too."""
        layer = cell // _STEP
        return self._style(_STEP * layer + ByteClass.PRINTABLE if layer == before else ByteClass.PRINTABLE)


def _lay(layers: list[int], layer: int, span: tuple[int, int], start: int, end: int) -> None:
    """Lay one range over the bytes from ``start`` to ``end``."""
    low, high = max(span[0], start), min(span[1], end)
    if low < high:
        layers[low - start : high - start] = [layer] * (high - low)


def _parity(source: ByteSource, start: int, end: int) -> list[int]:
    """For each byte, whether its chunk has an even or an odd index."""
    chunk, begins = source.run_at(start), set(source.starts(start + 1, end))
    parity = []
    for offset in range(start, end):
        chunk += offset in begins
        parity.append(chunk & 1)
    return parity


class _Runs:
    """Joins text of equal style into as few segments as possible."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._styles: list[Style] = []
        self._style: Style | None = None

    def add(self, text: str, style: Style) -> None:
        if style is self._style:
            self._texts[-1] += text
        else:
            self._style = style
            self._texts.append(text)
            self._styles.append(style)

    def segments(self) -> list[Segment]:
        return list(map(Segment, self._texts, self._styles))
