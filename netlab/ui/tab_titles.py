"""The titles of the tabs, shortened to fit a narrow screen. It knows no widget."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

from netlab.topics.contract import Topic
from netlab.topics.discovery import Broken

AROUND = 2
"""Cells beside each title."""

SHORTEST = 3
"""Cells that a title keeps: its digit and the sign that it was cut."""


def fitting(titles: Sequence[str], width: int) -> list[str]:
    """The titles in ``width`` cells; the longest are cut first, and end with "…" then."""
    lengths = [cell_len(title) for title in titles]
    while sum(lengths) + AROUND * len(titles) > width and max(lengths, default=0) > SHORTEST:
        lengths[lengths.index(max(lengths))] -= 1
    pairs = zip(titles, lengths, strict=True)
    return [title if cell_len(title) <= length else f"{title[: length - 1].rstrip()}…" for title, length in pairs]


def tab_title(number: int, topic: Topic | Broken) -> str:
    """The title of a topic's tab, with its number."""
    return f"{number} {topic.name} ✗" if isinstance(topic, Broken) else f"{number} {topic.title}"
