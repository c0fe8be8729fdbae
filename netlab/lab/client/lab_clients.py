"""The clients of a lab: how they are opened and found, and what they connect to."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from inspect import signature
from pathlib import Path

from netlab.capture.model import Endpoint, Transport
from netlab.lab.client.facts.client_facts import ClientFacts
from netlab.lab.client.operations import Operation, is_remote, operations_of
from netlab.lab.client.repl import ClientTarget
from netlab.lab.client.session import Session
from netlab.lab.client.sessions import Sessions
from netlab.lab.processes.live_capture import LiveCapture
from netlab.lab.processes.supervisor import Supervisor
from netlab.lab.standing.standings import Standings
from netlab.lab.topic_options import Options
from netlab.topics.contract import Topic

CALL_TIMEOUT = 60.0
"""Seconds: long enough for a call that waits in the accept queue to be seen waiting."""


class LabClients:
    """The part of a `netlab.lab.lab.Lab` that concerns its clients."""

    topic: Topic
    options: Options
    timeout: float | None
    _supervisor: Supervisor
    _sessions: Sessions
    _live_capture: LiveCapture
    _certificates: Callable[[], Path]
    _client_facts: ClientFacts

    @property
    def sessions(self) -> tuple[Session, ...]:
        """The clients, by number."""
        return self._sessions.all

    @property
    def current(self) -> Session | None:
        """The console's current client."""
        return self._sessions.current

    @property
    def operations(self) -> Mapping[str, Operation]:
        """The operations of the topic's client, by name. Imports the recipe."""
        return operations_of(self.topic.client_class())

    def connect(self, name: str | None = None) -> Session:
        """Open a client and connect it. If that fails, the client is closed and its exception raised."""
        session = self.open(name)
        try:
            session.connect()
        except BaseException:
            session.close()
            raise
        return session

    @property
    def remote(self) -> bool:
        """Whether servers of this topic list their operations. Imports the recipe."""
        return is_remote(self.topic.client_class())

    @property
    def server_reports(self) -> bool:
        """Whether the server reports which clients it has accepted; if not, the kernel is asked."""
        return self._supervisor.server_reports

    def watch(self, clients: Collection[Endpoint]) -> None:
        """Let the state's ``sockets`` have the flows of these clients, and of no others; at most 128 of them."""
        self._supervisor.sampler.watch(frozenset(clients))

    def watch_standing(self, who: str, on: bool) -> None:
        """Let `standing` be known while somebody looks, or no more. To be said again now and then."""
        self._supervisor.standing.want(who, on)

    @property
    def standing(self) -> Standings | None:
        """Where the server's threads, processes and tasks stand in its code, and for which clients; None if unknown."""
        return self._supervisor.standing.latest

    def name_of(self, client: Endpoint) -> str:
        """The name of the lab's client that has this address, else the address."""
        return next((each.name for each in self.sessions if client in each.addresses()), str(client))

    def learn(self, name: str = "") -> None:
        """Let the current client, or a new one, ask its server about an operation; see `Session.learn`."""
        (self.current or self.open()).learn(name)

    def open(self, name: str | None = None, *, target: Callable[[], ClientTarget] | None = None) -> Session:
        """Open a client that connects when it is first used, to ``target`` or to the lab."""
        self._supervisor.refuse_if_closed()
        return self._sessions.open(name, target)

    def use(self, which: int | str) -> Session:
        """Make a client, given by number or name, the console's current one."""
        return self._sessions.use(which)

    def find(self, which: int | str) -> Session:
        """A client by its number or name."""
        return self._sessions.find(which)

    def target(self, address: Endpoint) -> ClientTarget:
        """What a client that connects to this address is made with."""
        keywords = _client_keywords(self.topic, self.options, self.timeout, self._live_capture)
        if self.topic.certificates:
            keywords["certificates"] = self._certificates()
        state, options = self._supervisor.state, self.options
        return ClientTarget(
            address, state.model, keywords, options.secrets, newline=options.newline, facts=self._client_facts
        )

    def facts(self, client: Endpoint) -> Mapping[str, object]:
        """What the lab knows of a client's flow beyond its bytes: for pictures, which show none of it.

        ``server`` are the server's secrets, by option name; ``client`` the client's, unless it is from outside.
        """
        secrets = self._client_facts.find(client)
        own = {"client": secrets} if secrets is not None else {}
        return own if self.topic.attached else {"server": self.options.server_secrets(), **own}


def _client_keywords(
    topic: Topic, options: Options, timeout: float | None, live_capture: LiveCapture
) -> dict[str, object]:
    """A client's keyword arguments."""
    if timeout is None and topic.transport is Transport.TCP:
        timeout = CALL_TIMEOUT
    keywords = options.client_keywords()
    if timeout is not None:  # a datagram client has a default of its own: when it asks again
        keywords["timeout"] = timeout
    if "keylog" in signature(topic.client_class()).parameters:
        keywords["keylog"] = live_capture.keylog
    return keywords
