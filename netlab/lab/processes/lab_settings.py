"""How a person asks for a tab's lab when the app starts: the model, where it listens, the topic's options, faults."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from netlab.capture.model import Keep
from netlab.lab.processes.setup import CAPTURE_LIMIT, Setup, lab_certificates
from netlab.topics.contract import Topic


@dataclass(frozen=True, slots=True)
class LabSettings:
    """``port`` None is the topic's, ``model`` None the default one. ``options`` are those that are given.
    ``keylog`` is a file of TLS secrets of clients from outside; ``keep`` is what a full capture keeps."""

    model: str | None = None
    host: str = "127.0.0.1"
    port: int | None = None
    options: Mapping[str, object] = field(default_factory=dict)
    faults: tuple[str, ...] = ()
    certificates: Callable[[], Path] = lab_certificates
    keylog: Path | None = None
    keep: Keep = Keep.OLDEST
    own: Path | None = None
    """A person's own server file, in place of the recipe."""

    def port_of(self, topic: Topic) -> int:
        """Where the wire listens."""
        return topic.port if self.port is None else self.port

    def setup(self, topic: Topic) -> Setup:
        """What does not change while the lab lives."""
        return Setup(topic, self.host, CAPTURE_LIMIT, True, self.certificates, self.faults, self.keep)
