"""A recipe's code as it is read: highlighted, the running model's class marked, searched. It knows no lab."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from textual.content import Content
from textual.widgets import Static


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
    """Python code. ``running`` are the lines of the class that runs, ``found`` those that the search found."""

    def __init__(self, source: str, model: str = "") -> None:
        super().__init__(markup=False)
        self.source = source
        self._model = model
        self._lines: list[Content] = []
        self._needle = ""
        self.found: Sequence[int] = ()
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

    def search(self, needle: str) -> int:
        """Mark every line that has this text, in whatever case; how many there are."""
        self._needle = needle.lower()
        lines = self.source.lower().split("\n")
        self.found = [n for n, line in enumerate(lines) if self._needle and self._needle in line]
        self._draw()
        return len(self.found)

    def _draw(self) -> None:
        self.update(Content("\n").join([self._drawn(number) for number in range(len(self._lines))]))

    def _drawn(self, number: int) -> Content:
        line = self._lines[number]
        mark = " "
        if number in self.running:
            mark = "▸" if number == self.running.start else "│"
        start = line.plain.lower().find(self._needle) if self._needle else -1
        if start >= 0:
            line = line.stylize("reverse", start, start + len(self._needle))
        return Content.assemble((mark, "bold $text-accent"), " ", line)
