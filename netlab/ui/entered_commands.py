"""The console's commands that the app performs: ``:attach``, ``:detach``, ``:edit`` and ``:load``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import App

from netlab.lab.errors import LabError
from netlab.topics.contract import Topic
from netlab.ui.attachment_tabs import Attaching, AttachmentTabs
from netlab.ui.tab.app_commands import AppCommandEntered

if TYPE_CHECKING:
    from netlab.ui.topic_tabs import TopicTabs


class EnteredCommands:
    """Performs these commands on the app's tabs."""

    def __init__(self, app: App[None], tabs: TopicTabs, attaching: Attaching | None) -> None:
        """``attaching`` attaches further servers; None if that is impossible."""
        self._app, self._tabs, self._attaching = app, tabs, attaching

    async def run(self, command: AppCommandEntered) -> None:
        """Perform a command. Raises `LabError`."""
        if command.name == "attach":
            await self._attach(command.rest)
        elif command.name == "detach":
            await self._detach(command.topic)
        elif command.name == "load":
            self._tabs.bodies[command.topic.name].load.command(command.rest)
        else:
            self._edit(command.topic, command.rest)

    @property
    def _attachments(self) -> AttachmentTabs:
        if self._attaching is None:
            raise LabError("nothing can be attached here", "netlab attach HOST:PORT can")
        return AttachmentTabs(self._app, self._tabs.order, self._attaching)

    async def _attach(self, text: str) -> None:
        topic = await self._attachments.add(text)
        self._tabs.added(topic)
        self._tabs.entitle(self._app.size.width)
        self._tabs.show(self._tabs.order.number(topic))

    async def _detach(self, topic: Topic) -> None:
        if not topic.attached:
            raise LabError(f"{topic.title} is no attachment", "s stops its server")
        self._tabs.forget(topic)
        await self._attachments.remove(topic, self._tabs.bodies)
        self._tabs.entitle(self._app.size.width)

    def _edit(self, topic: Topic, folder: str) -> None:
        from netlab.ui.editing import edit_server  # late: few need it

        if topic.attached:
            raise LabError("an attachment's code is not known here", "edit it where it is")
        tab = self._tabs.bodies[topic.name]
        self._app.run_worker(edit_server(self._app, tab, folder), group="edit", exclusive=True)
