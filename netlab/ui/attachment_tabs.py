"""Adds a tab for an attached server to the running app, and removes it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Container
from typing import Protocol

from textual.app import App
from textual.widgets import TabbedContent, TabPane

from netlab.lab.errors import LabError
from netlab.topics.contract import Topic
from netlab.ui.tab_titles import TabOrder

MOST = 64
"""Attachments that the app has at the same time."""


class Attaching(Protocol):
    """Who knows the attached servers, and makes their labs."""

    def attach(self, text: str, free_name: Callable[[str], str]) -> Topic:
        """The attachment that a command line describes, under a name that no tab has. Raises `LabError`."""

    def detach(self, topic: Topic) -> None:
        """End an attachment's lab; returns when nothing is left of it."""


class AttachmentTabs:
    """The tabs of the attachments that come and go."""

    def __init__(self, app: App[None], order: TabOrder, attaching: Attaching) -> None:
        self._app, self._order, self._attaching = app, order, attaching

    async def add(self, text: str) -> Topic:
        """Attach a server, after all other tabs, and show its tab. Raises `LabError`."""
        attached = sum(isinstance(topic, Topic) and topic.attached for topic in self._order.topics)
        if attached >= MOST:
            raise LabError(f"the app has at most {MOST} attachments", ":detach closes one")
        topic = self._attaching.attach(text, self._order.free_name)
        self._order.topics.append(topic)
        tabs = self._app.query_one(TabbedContent)
        await tabs.add_pane(TabPane(topic.title, id=f"tab-{topic.name}"))
        return topic

    async def remove(self, topic: Topic, opened: Container[str]) -> None:
        """Close an attachment's tab, show one of the ``opened`` ones, and end its lab."""
        tabs = self._app.query_one(TabbedContent)
        tabs.active = f"tab-{self._order.beside(topic, opened).name}"
        self._order.topics.remove(topic)
        await tabs.remove_pane(f"tab-{topic.name}")
        await asyncio.to_thread(self._attaching.detach, topic)
