"""The tabs in the order of the bar, their numbers, and their titles, shortened to fit. It knows no widget."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence

from rich.cells import cell_len

from netlab.topics.contract import Topic
from netlab.topics.discovery import Broken

AROUND = 2
"""Cells beside each title."""

ANY_WIDTH = 1 << 20
"""For titles that are not shortened."""

KEPT = 6
"""Cells that the titles of topics keep as long as those of attachments are whole."""

SHORTEST = 3
"""Cells that a title keeps: its digit and the sign that it was cut."""


class TabOrder:
    """The tabs' topics, in the order of the bar. The numbers of attachments follow those of the topics."""

    def __init__(self, topics: Iterable[Topic | Broken]) -> None:
        self.topics = list(topics)

    def named(self, name: str) -> Topic | Broken | None:
        """The topic of that name."""
        return next((topic for topic in self.topics if topic.name == name), None)

    def number(self, topic: Topic | Broken) -> int:
        """The number of a topic's tab, from 1."""
        return self._numbered.index(topic) + 1

    def numbered(self, number: int) -> Topic | Broken | None:
        """The topic of the tab with that number."""
        return self._numbered[number - 1] if 0 < number <= len(self.topics) else None

    def beside(self, topic: Topic | Broken, opened: Container[str]) -> Topic | Broken:
        """The tab to show when this one goes: the nearest of those that are ``opened``, else the nearest."""
        index = self.topics.index(topic)
        nearest = sorted(self.topics, key=lambda other: abs(self.topics.index(other) - index))[1:]
        return next((other for other in nearest if other.name in opened), nearest[0])

    def free_name(self, name: str) -> str:
        """The name, or the same with a number if a tab has it already."""
        tries = (name, *(f"{name}-{number}" for number in range(2, len(self.topics) + 3)))
        return next(each for each in tries if self.named(each) is None)

    def titles(self, width: int) -> list[str]:
        """The titles with their numbers, in ``width`` cells."""
        titles = [tab_title(self.number(topic), topic) for topic in self.topics]
        return fitting(titles, width, [isinstance(topic, Topic) and topic.attached for topic in self.topics])

    @property
    def _numbered(self) -> list[Topic | Broken]:
        return sorted(self.topics, key=lambda topic: isinstance(topic, Topic) and topic.attached)


def fitting(titles: Sequence[str], width: int, kept: Sequence[bool] = ()) -> list[str]:
    """The titles in ``width`` cells; the longest are cut first, and end with "…" then. ``kept`` ones are cut last."""
    lengths = [cell_len(title) for title in titles]
    for longest, spared in ((KEPT, kept), (SHORTEST, ())):
        cut = [index for index in range(len(titles)) if not (spared and spared[index])]
        while sum(lengths) + AROUND * len(titles) > width and max((lengths[i] for i in cut), default=0) > longest:
            lengths[max(cut, key=lambda index: (lengths[index], -index))] -= 1
    pairs = zip(titles, lengths, strict=True)
    return [title if cell_len(title) <= length else f"{title[: length - 1].rstrip()}…" for title, length in pairs]


def tab_title(number: int, topic: Topic | Broken) -> str:
    """The title of a topic's tab, with its number."""
    return f"{number} {topic.name} ✗" if isinstance(topic, Broken) else f"{number} {topic.title}"
