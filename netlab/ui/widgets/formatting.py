"""Formats values that depend on this machine and moment: clock, ports, durations, version.

Everything on the screen that would differ from run to run goes through one of these, so that a snapshot can replace it.
It knows no widget.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size

from netlab import __version__
from netlab.capture.model import Endpoint

if TYPE_CHECKING:
    from netlab.lab.experiments.swim_lanes import Board
    from netlab.lab.server_sockets import ServerSockets


class Formatting:
    """Shows everything as it is."""

    version = __version__

    def clock(self, time_ns: int) -> str:
        """The local time of day, ``12:00:01``, of nanoseconds since the epoch."""
        return time.strftime("%H:%M:%S", time.localtime(time_ns // 1_000_000_000))

    def endpoint(self, endpoint: Endpoint) -> str:
        """An address with its port."""
        return str(endpoint)

    def port(self, port: int) -> int:
        """A port's number."""
        return port

    def text(self, text: str) -> str:
        """A sentence of the lab that may contain addresses, ports or process ids."""
        return text

    def seconds(self, seconds: float) -> str:
        """A duration, such as ``3.2 s``."""
        return f"{seconds:.1f} s"

    def board(self, board: Board) -> Board:
        """Swim lanes, whose times depend on the machine."""
        return board

    def sockets(self, sockets: ServerSockets | None) -> ServerSockets | None:
        """What the kernel said last of a server, which changes from one moment to the next."""
        return sockets

    def count(self, what: str, value: int) -> int:
        """A figure of the status line that depends on the machine, such as ``threads``."""
        return value


def size(count: int) -> str:
    """A number of bytes in at most six characters and its unit: ``5 B``, ``1.2 kB``, ``17 MB``."""
    if count < 1000:
        return f"{count} B"
    value = float(count)
    for unit in ("kB", "MB", "GB"):
        value /= 1000
        if value < 999.5:
            return f"{value:.1f} {unit}" if value < 99.95 else f"{value:.0f} {unit}"
    return f"{value / 1000:.1f} TB"


def shortened(text: str, cells: int) -> str:
    """The text; if it is longer than ``cells``, its beginning with "…", cut between words unless a word is long."""
    if cell_len(text) <= cells:
        return text
    cut = set_cell_size(text, max(cells - 1, 0)).rstrip()
    space = cut.rfind(" ")
    whole = text.startswith(f"{cut} ") or space < len(cut) // 2
    return f"{cut if whole else cut[:space].rstrip()}…"
