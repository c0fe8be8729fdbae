"""What stands under the client's buffer: a bar of what has arrived, and what each way of receiving costs."""

from __future__ import annotations

from typing import ClassVar

from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from netlab.topics.zerocopy.client import Client
from netlab.topics.zerocopy.drawing import arrived_lines, legend, table


class Panel(VerticalScroll):
    """Follows one client; see `netlab.topics.contract`."""

    DEFAULT_CSS: ClassVar[str] = """
    Panel {
        border-top: solid $foreground 30%; border-title-color: $foreground; scrollbar-size-vertical: 1;
        background: $background;
        &:focus { border-top: heavy $accent; border-title-style: bold; }
        & > Static { width: 1fr; height: auto; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self.border_title = "reader"
        self._text = Static("", markup=False)
        self._drawn: list[str] = []

    def compose(self) -> list[Static]:
        """One text."""
        return [self._text]

    def look(self, client: object) -> None:
        """Draw what has changed."""
        if not isinstance(client, Client) or not client.transfer.size:
            lines = ["nothing received yet: type 16 MiB, or compare('1 MiB')"]
        else:
            lines = self._lines(client)
        if lines != self._drawn:
            grown = len(lines) != len(self._drawn)
            self._drawn = lines
            self._text.update(Content("\n".join(lines)), layout=grown)

    def _lines(self, client: Client) -> list[str]:
        width = max(self.scrollable_content_region.width, 30)
        lines = arrived_lines(client.transfer, width)
        if compared := client.compared:
            side_by_side = [*table(list(compared), width), *legend(compared, width)]
            one_of_them = client.transfer is compared.now
            lines = [*side_by_side, *lines] if one_of_them else [*lines, *side_by_side]  # the newest comes first
        return lines
