"""What a sampler looks at, and what it asks of a lab for that."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from netlab.capture.model import Endpoint, Transport


@dataclass(frozen=True, slots=True)
class Subject:
    """A server: its address, where its clients connect at the wire, and the process that the lab started, if any.

    ``reports`` says that it reports itself which clients it has accepted.
    """

    server: Endpoint
    transport: Transport
    wire: Endpoint | None = None
    pid: int | None = None
    reports: bool = False


class WireFlow(Protocol):
    """An open flow of the wire. `netlab.lab.processes.flow_table.FlowRecord` is one."""

    @property
    def number(self) -> int:
        """The wire's number of it."""

    @property
    def client(self) -> Endpoint:
        """Its client's address."""

    @property
    def upstream(self) -> Endpoint:
        """The wire's own address towards the server."""

    @property
    def opened(self) -> int:
        """When it began, in nanoseconds since the epoch."""

    @property
    def accepted(self) -> int | None:
        """When the server accepted it, if that is known."""


class WireFlows(Protocol):
    """The wire's flows. `netlab.lab.processes.flow_table.FlowTable` has them. Any thread may ask."""

    @property
    def any_open(self) -> bool:
        """Whether one is open."""

    def open_flows(self, clients: Iterable[Endpoint]) -> Sequence[WireFlow]:
        """The open ones of these clients."""

    def undecided(self, most: int) -> Sequence[WireFlow]:
        """The first open ones of which it is not known whether they were accepted."""

    def knows(self, upstream: Endpoint) -> bool:
        """Whether the wire has, or had, this address towards the server."""

    def accepted_between(self, number: int, after: int, by: int) -> None:
        """A flow was accepted between two looks, in nanoseconds since the epoch."""


class Measures(Protocol):
    """What the wire says of flows."""

    def __call__(self, flows: Sequence[int]) -> Mapping[int, tuple[int, int]]:
        """By number, as of the last call: bytes that crossed before the capture began, and bytes that wait."""
