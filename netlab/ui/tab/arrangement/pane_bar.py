"""The bar between the console and the only pane beside it, on a narrow screen. It knows no pane."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.style import Style
from textual.widgets import Input, Static


class PaneBar(Static):
    """Names the panes if only one fits beside the console, and the keys that show another."""

    DEFAULT_CSS = """
    PaneBar {
        height: 1; display: none; padding: 0 1; background: $panel; text-wrap: nowrap; text-overflow: ellipsis;
        link-style: none; link-color: $foreground;
    }
    """

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._panes = Content()

    def show_names(self, order: Sequence[str], beside: str, warned: int) -> None:
        """Mark the pane that is shown, and the number of unread warnings. In an input, esc comes first."""
        marks = {"log": f" !{warned}"} if warned else {}
        names = [self._named(name, name == beside, marks.get(name, "")) for name in order[1:]]
        self._panes = Content(" ").join(names)
        self.on_resize()

    def on_resize(self) -> None:
        """Say as many hints as have room, each of them whole."""
        first = "esc, then " * isinstance(self.screen.focused, Input)
        keys = [f"{first}tab: next pane", "\\: the whole tab"]
        while keys and self._panes.cell_length + 3 + len("   ".join(keys)) > self.content_size.width:
            del keys[-1]
        self.update(Content.assemble(self._panes, "   ", "   ".join(keys)), layout=False)

    def _named(self, name: str, marked: bool, more: str) -> Content:
        shown = Content.styled(f"▸{name}", "bold reverse") if marked else Content(f" {name}")
        shown += Content.styled(more, "bold $text-warning")
        return shown.stylize(Style.from_meta({"@click": f"app.tab('show_pane', '{name}')"}))
