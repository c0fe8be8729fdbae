"""What a command may ask of a lab: the class `Lab` as the commands see it, so that they need not know it."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from netlab.capture.model import Endpoint
from netlab.lab.client.session import Session
from netlab.lab.processes.live_capture import Saved
from netlab.lab.state import LabState
from netlab.lab.topic_options import Options
from netlab.lab.wire_control import Wiring
from netlab.topics.contract import Topic


class Commanded(Protocol):
    """One topic that runs. Each method does what the lab's does, and raises `LabError` where it cannot."""

    topic: Topic
    wire: Wiring
    options: Options

    @property
    def state(self) -> LabState:
        """What is true now."""

    @property
    def current(self) -> Session | None:
        """The client that the console speaks for."""

    def open(self, name: str | None = None) -> Session:
        """A new client that connects when it is first used."""

    def find(self, which: int | str) -> Session:
        """A client by its number or name."""

    def use(self, which: int | str) -> Session:
        """Let the console speak for another client."""

    def start(self) -> None:
        """Serve."""

    def stop(self) -> None:
        """Serve no more."""

    def restart(self) -> None:
        """Stop and start."""

    def set_model(self, name: str) -> None:
        """Serve with another model."""

    def set_port(self, port: int) -> Endpoint:
        """Listen elsewhere."""

    def set_timeout(self, seconds: float) -> None:
        """How long a client's call waits."""

    @property
    def idle(self) -> float | None:
        """How long the server lets a client stall."""

    def set_idle(self, seconds: float) -> None:
        """How long the server lets a client stall from now on."""

    def set_option(self, name: str, text: str) -> None:
        """Set an option of the topic."""

    def save(self, path: str | Path, *, secrets: bool = False) -> Saved:
        """Copy the capture."""

    def clear_capture(self) -> None:
        """Begin the capture anew."""
