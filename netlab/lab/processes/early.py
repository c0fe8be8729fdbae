"""The children of a lab, started before the lab exists: they start up while the app imports what it draws with.

This module imports little. The lab takes the children over, with all messages that they have sent by then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from netlab.capture.model import Endpoint
from netlab.lab.processes import child, message_fields, private_folder
from netlab.lab.processes.child import Child, Message
from netlab.lab.processes.lab_settings import LabSettings
from netlab.lab.processes.private_folder import PrivateFolder
from netlab.lab.processes.setup import CAPTURE_LIMIT, SEED, TAB_IDLE, Setup
from netlab.lab.topic_options import Options
from netlab.topics.contract import Topic

if TYPE_CHECKING:
    from netlab.lab.processes.server_plan import ServerPlan


class EarlyChildren:
    """A topic's server and a wire before it, as the settings have them. Raises `OSError` where they cannot be started.

    Of a topic that needs certificates nothing is started, because they may have to be made.
    """

    def __init__(self, topic: Topic, settings: LabSettings | None = None) -> None:
        settings = settings or LabSettings()
        setup, port, model = settings.setup(topic), settings.port_of(topic), settings.model
        self._made_for = setup, port, TAB_IDLE, model, dict(settings.options)
        self.folder: PrivateFolder | None = None
        self._children: dict[tuple[str, ...], Child] = {}
        self._aimed = False
        self._wire: Endpoint | None = None
        if topic.certificates:
            return
        self.folder = PrivateFolder(CAPTURE_LIMIT)
        words = setup.wire_arguments(Endpoint(setup.host, port), self.folder.capture(1))
        wire = self._start(["wire", *words])
        wire.attach(self._wire_said, _over)
        if setup.faults:  # before it is aimed, so that no client gets through without them
            wire.request({"request": "faults", "specs": list(setup.faults), "seed": SEED})
        options = Options(topic, settings.options)
        words = setup.server_arguments(model or topic.models[0], options, TAB_IDLE)
        server = self._start(["serve", *words], options.server_environment())

        def aim(message: Message) -> None:
            if message.get("event") == "listening":
                at = message_fields.endpoint(message)
                self._aimed = wire.request({"request": "target", "host": at.host, "port": at.port})

        server.attach(aim, _over)

    @property
    def serving(self) -> Endpoint | None:
        """Where clients are served, as soon as they are."""
        return self._wire if self._aimed else None

    def fits(
        self,
        setup: Setup,
        port: int,
        idle: float | None,
        model: str | None,
        options: Mapping[str, object],
        server: ServerPlan | None = None,
    ) -> bool:
        """Whether a lab with these settings can have them. If not, they are ended: they would hold its port."""
        fits = self._made_for == (setup, port, idle, model, dict(options)) and server is None
        if not fits:
            self.close()
        return fits

    def take(self, arguments: Sequence[str]) -> Child | None:
        """The child that was started with these arguments, once."""
        return self._children.pop(tuple(arguments), None)

    def take_folder(self) -> PrivateFolder | None:
        """The folder that the wire writes to, once."""
        taken, self.folder = self.folder, None
        return taken

    def close(self) -> None:
        """End the children that no lab took over."""
        child.stop(*self._children.values())
        self._children.clear()
        if self.folder is not None:
            self.folder.remove()
            self.folder = None

    def _start(self, arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> Child:
        started = self._children[tuple(arguments)] = Child(arguments, environment, keep=True)
        return started

    def _wire_said(self, message: Message) -> None:
        if message.get("event") == "listening":
            self._wire = message_fields.endpoint(message)


def _over() -> None:
    """A child ended; the lab that takes it over finds out."""


def abandon() -> None:
    """End the children of all labs and remove their folders, for a process that ends now, whatever its threads do."""
    child.abandon_all()
    private_folder.remove_all()
