"""The titles of the tabs, shortened to what a narrow screen has room for. It knows no widget."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

AROUND = 2
"""Cells beside each title."""

SHORTEST = 3
"""Cells that a title keeps: its digit and where it is told to go on."""


def fitting(titles: Sequence[str], width: int) -> list[str]:
    """The titles in ``width`` cells: the longest lose their ends first, to "…"."""
    lengths = [cell_len(title) for title in titles]
    while sum(lengths) + AROUND * len(titles) > width and max(lengths, default=0) > SHORTEST:
        lengths[lengths.index(max(lengths))] -= 1
    pairs = zip(titles, lengths, strict=True)
    return [title if cell_len(title) <= length else f"{title[: length - 1].rstrip()}…" for title, length in pairs]
