"""A recipe's code as it is read: highlighted, the running model's class marked, searched. It knows no lab."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator

from textual.content import Content
from textual.widgets import Static

from netlab.ui.widgets.find_bar import next_match


def class_of(source: str, model: str) -> range:
    """The lines (from 0) of the class that serves as ``model``, as the recipe's table ``MODELS`` says; else none."""
    try:
        body = ast.parse(source).body
    except SyntaxError:
        return range(0)
    name = next((name for node in body for key, name in _models(node) if key == model), "")
    for node in body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            return range(node.lineno - 1, node.end_lineno or node.lineno)
    return range(0)


def _models(node: ast.stmt) -> Iterator[tuple[str, str]]:
    """The entries of a top-level ``MODELS = {"single": SingleServer, …}``, with or without a type."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
    if any(isinstance(t, ast.Name) and t.id == "MODELS" for t in targets) and isinstance(value, ast.Dict):
        for key, item in zip(value.keys, value.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(item, ast.Name):
                yield str(key.value), item.id


class SourceText(Static):
    """Python code. ``running`` are the lines of the class that runs, ``found`` those that the search found.

    ``show_line`` brings a line and a column of it into view.
    """

    def __init__(self, source: str, model: str, show_line: Callable[[int, int], None]) -> None:
        super().__init__(markup=False)
        self.source = source
        self._model = model
        self._show_line = show_line
        self._lines: list[Content] = []
        self._sought: re.Pattern[str] | None = None
        self._match: int | None = None
        self.found: list[int] = []
        self.running = class_of(source, model)

    def on_mount(self) -> None:
        """Highlight it."""
        from textual.highlight import highlight  # late: it loads pygments

        self._lines = highlight(self.source, language="python").split("\n")
        self._draw()

    def run_by(self, model: str) -> None:
        """Mark the class of another model."""
        running = class_of(self.source, model)
        if running != self.running:
            self.running = running
            self._draw()

    def look_for(self, text: str) -> int:
        """Mark the text; the number of lines that have it."""
        sought = self._sought = re.compile(re.escape(text), re.IGNORECASE) if text else None
        self._match = None
        lines = self.source.split("\n") if sought is not None else []
        self.found = [number for number, line in enumerate(lines) if sought and sought.search(line)]
        self._draw()
        return len(self.found)

    def show_match(self, step: int) -> None:
        """Go to one of them."""
        if self.found:
            top = self.screen.find_widget(self).clip.y - self.region.y
            self._match = next_match(self.found, top if self._match is None else self._match, step)
            line = self.source.split("\n")[self._match]
            found = self._sought.search(line) if self._sought is not None else None
            self._draw()
            self._show_line(self._match, found.end() if found else 0)

    def _draw(self) -> None:
        self.update(Content("\n").join([self._drawn(number) for number in range(len(self._lines))]))

    def _drawn(self, number: int) -> Content:
        line = self._lines[number]
        mark = " "
        if number in self.running:
            mark = "▸" if number == self.running.start else "│"
        for found in self._sought.finditer(line.plain) if self._sought is not None else ():
            line = line.stylize("reverse", found.start(), found.end())
        if number == self._match:
            mark = "»"
        return Content.assemble((mark, "bold $text-accent"), " ", line)
