"""The command lines of a lab's children."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path

from netlab.capture.model import Endpoint, Keep, Transport
from netlab.lab.errors import LabError
from netlab.lab.processes.private_folder import PrivateFolder
from netlab.lab.topic_options import Options
from netlab.topics.contract import Topic
from netlab.topics.host_names import ALLOW_HOST

CAPTURE_LIMIT = 256 << 20
TAB_IDLE = 600.0
"""Seconds for which a client of a tab may be silent: long enough for a lesson."""
SEED = 1
"""Makes the faults of a lab's wire repeatable unless another seed is asked for."""
_ROOM = 1 << 20


@dataclass(frozen=True, slots=True)
class Setup:
    """What does not change while a lab lives. ``limit`` is the capture's, in bytes; ``keep`` is what it then keeps.

    ``faults`` are those that a new wire begins with.
    """

    topic: Topic
    host: str
    limit: int
    yield_cpu: bool
    certificates: Callable[[], Path]
    faults: tuple[str, ...] = ()
    keep: Keep = Keep.OLDEST

    def server_arguments(self, model: str, options: Options, idle: float | None) -> list[str]:
        """What follows ``netlab serve``; ``idle`` seconds are how long a client may stall, `math.inf` is no limit."""
        loopback = "::1" if ":" in self.host else "127.0.0.1"  # only the wire can be reached from elsewhere
        words = [self.topic.name, "--model", model, "--host", loopback, "--port", "0", *self._child()]
        if idle is not None:
            words += ["--timeout", "none" if idle == math.inf else f"{idle:g}"]
        if self.host != loopback and ALLOW_HOST in self.topic.options:
            words += [ALLOW_HOST.flag, self.host]  # clients call the server by the wire's address
        if self.topic.certificates:
            words += ["--certificates", str(self.certificates())]
        return words + options.server_arguments()

    def wire_arguments(self, listen: Endpoint, file: Path) -> list[str]:
        """What follows ``netlab wire``."""
        words = [
            "--listen",
            str(listen),
            "--write",
            str(file),
            "--limit",
            str(self.limit),
            "--keep",
            self.keep.value,
            "--temporary",
            *self._child(),
        ]
        words += ["--refuse"] * self.topic.attached
        return [*words, "--udp"] if self.topic.transport is Transport.UDP else words

    def _child(self) -> list[str]:
        return ["--supervised", "--yield-cpu"] if self.yield_cpu else ["--supervised"]


@contextlib.contextmanager
def passing_certificates() -> Iterator[Callable[[], Path]]:
    """The lab's certificates if it has some, else temporary ones, made when first asked for."""
    with contextlib.ExitStack() as ending:

        @cache
        def folder() -> Path:
            if import_module("netlab.certificates.certs").exists():
                return lab_certificates()
            private = PrivateFolder(_ROOM)
            ending.callback(private.remove)
            return lab_certificates(private.path / "certs")

        yield folder


def lab_certificates(folder: Path | None = None) -> Path:
    """The folder of the lab's certificates (None: the usual one), made where need be."""
    certs = import_module("netlab.certificates.certs")  # late: it imports cryptography, and one topic needs it
    try:
        folder = certs.ensure(folder)
    except certs.CertificatesFailed as error:
        raise LabError(str(error), "`netlab certs --dir DIR` makes them elsewhere") from None
    assert folder is not None
    return folder
