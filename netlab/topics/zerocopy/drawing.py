"""A client's work as text: a bar of what has arrived, and the ways of receiving side by side.

Pure: numbers in, lines out; shapes and figures, no colours.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from itertools import accumulate

from netlab.topics.zerocopy.compare import Comparison
from netlab.topics.zerocopy.transfer import Transfer
from netlab.topics.zerocopy.ways import INTO_VIEWS, QUADRATIC

_NAME = 20
_LABEL = 8
_BARS = (16, 12, 8, 6, 4)
"""Cells of a bar; the widest that fits is used."""
PER_UNIT = 2
"""Cells of a bar that stand for one payload, or for the least time of any way."""


def amount(count: float) -> str:
    """Bytes in few characters: ``39.2 MiB``."""
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.1f} {unit}" if unit != "B" and count < 100 else f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.2f} GiB"


def milliseconds(seconds: float) -> str:
    """A time in seven characters if they are enough: ``0.28 ms``, ``13.6 ms``."""
    value = seconds * 1000
    return f"{value:.2f} ms" if value < 10 else f"{value:.1f} ms" if value < 1000 else f"{value:.0f} ms"


def arrival_bar(arrivals: Sequence[int], size: int, width: int) -> str:
    """What has arrived of ``size`` bytes: the pieces to scale, in turn ``█`` and ``▒``, what is missing as ``·``.

    Where pieces are shorter than a cell, the cell shows the piece at its middle.
    """
    ends = list(accumulate(arrivals))
    cells, piece = [], 0
    for cell in range(width):
        middle = (cell + 0.5) * size / width
        while piece < len(ends) and ends[piece] <= middle:
            piece += 1
        cells.append("·" if piece == len(ends) else "█▒"[piece % 2])
    return "".join(cells)


def arrived_lines(transfer: Transfer, width: int) -> list[str]:
    """The transfer that runs, or ran last."""
    arrivals = list(transfer.arrivals)
    filled = sum(arrivals)
    percent = 100 * filled // max(transfer.size, 1)
    rate = f"{amount(filled / transfer.seconds)}/s" if transfer.seconds else "arriving"
    head = f"{transfer.way}: {amount(filled)} of {amount(transfer.size)}, {percent} %, {rate}"
    bars = [head, arrival_bar(arrivals, transfer.size, width), _pieces(arrivals, width)]
    return [*bars, *_newest_piece(transfer, arrivals, width), memory_line(transfer)]


def _pieces(arrivals: Sequence[int], width: int) -> str:
    """How many pieces came, and the sizes of the newest: as many as fit, none of them cut."""
    line = f"{len(arrivals):,} piece{'s' * (len(arrivals) != 1)} █▒, the newest first:"
    for number, size in enumerate(arrivals[:-9:-1], 1):
        more = " …" if number < len(arrivals) else ""
        if len(line) + len(f" {size:,}{more}") > width:
            return f"{line} …"[:width]
        line += f" {size:,}"
    return f"{line} …" if len(arrivals) > 8 and len(line) + 2 <= width else line[:width]


def _newest_piece(transfer: Transfer, arrivals: Sequence[int], width: int) -> list[str]:
    """The last call as Python has it: the view that it was given, what it returned, and where those bytes lie."""
    if not arrivals or not transfer.address or transfer.way not in INTO_VIEWS:
        return []
    at = sum(arrivals[:-1])
    call = f"recv_into(view[{at}:]) filled {arrivals[-1]:,}"
    place = f"{call} bytes at {transfer.address + at:#x}"
    return [place if len(place) <= width else _cut(call, width)]


def memory_line(transfer: Transfer) -> str:
    """Where the payload lies, and whether it moved."""
    if transfer.failure:
        return transfer.failure
    if not transfer.address:
        return "no buffer yet: the pieces lie one by one in a list" if transfer.filled else "the buffer is being made"
    if transfer.moves:
        times = f"moved {transfer.moves:,} time{'s' * (transfer.moves != 1)}"
        times += ": each += makes a new object" if transfer.way in QUADRATIC else ", when its length changed"
        return f"memory at {transfer.address:#x}, {times}"
    return f"memory at {transfer.address:#x}, the same since the first byte"


def bar(value: float, cells: int) -> str:
    """``value`` units as a bar; ``▶`` at its end: it goes on beyond the scale."""
    if not cells:
        return ""
    length = max(round(value * PER_UNIT), 1)
    return "█" * length if length <= cells else "█" * (cells - 1) + "▶"


def table(transfers: Sequence[Transfer], width: int) -> list[str]:
    """The ways side by side: processor time, time, copies, peak memory, each as a bar where there is room for bars."""
    cells = next((each for each in _BARS if _NAME + 4 * (_LABEL + 2 + each) <= width), 0)
    column = _LABEL + bool(cells) + cells
    titles = [title.ljust(column) for title in ("  cpu", "  time", "  copied", "  peak")]
    lines = [" ".join(["way".ljust(_NAME), *titles]).rstrip()[:width]]
    least = min((each.processor for each in transfers if not each.failure), default=1.0) or 1.0
    fastest = min((each.seconds for each in transfers if not each.failure), default=1.0) or 1.0
    for each in transfers:
        if each.failure:
            lines.append(_cut(f"{each.way:<{_NAME}} {each.failure}", width))
            continue
        size = max(each.size, 1)
        figures = (
            (milliseconds(each.processor), each.processor / least),
            (milliseconds(each.seconds), each.seconds / fastest),
            (f"{each.copied / size:.2f} ×", each.copied / size),
            (f"{each.peak / size:.2f} ×", each.peak / size),
        )
        columns = [f"{text:>{_LABEL}} {bar(units, cells)}".ljust(column) for text, units in figures]
        lines.append(" ".join([f"{each.way:<{_NAME}}", *columns]).rstrip())
    return lines


def _cut(line: str, width: int) -> str:
    return line if len(line) <= width else line[: width - 1] + "…"


def legend(compared: Comparison, width: int) -> list[str]:
    """How to read the table."""
    lines = [f"{'█' * PER_UNIT} is one payload ({amount(compared[0].size)}), or the least time; ▶: beyond the scale"]
    if any(each.failure for each in compared):
        lines.append("tutorial_…: as they stand; concatenate and slice: the same, repaired")
    return lines + textwrap.wrap(compared.in_the_way(), width)
