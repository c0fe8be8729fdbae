"""What a lab knows of its own clients beyond their bytes, by the address from which each connected.

A picture of a flow may compute with it (`netlab.dissect.picture.SeenFlow`); secrets are in it, so it is never shown.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Lock

from netlab.capture.model import Endpoint
from netlab.lab.client.connection import Connection
from netlab.topics.contract import Option

KEPT = 2000
"""Connections that are remembered, also when their client has gone."""

Facts = Mapping[str, object]


class ClientFacts:
    """The secrets that clients were made with. Safe from several threads."""

    def __init__(self, options: Sequence[Option] = ()) -> None:
        """``options`` are the topic's."""
        self._secrets = {option.name: option.default for option in options if option.secret and option.client}
        self._lock = Lock()
        self._connecting: dict[Connection, Facts] = {}
        self._known: OrderedDict[Endpoint, Facts] = OrderedDict()

    @contextmanager
    def of(self, connection: Connection, keywords: Mapping[str, object]) -> Iterator[None]:
        """While the body makes a connection's client with these keyword arguments, and from then on, know them."""
        facts = {name: keywords.get(name, default) for name, default in self._secrets.items()}
        with self._lock:
            self._connecting[connection] = facts
        try:
            yield
        finally:
            with self._lock:
                del self._connecting[connection]
                self._known.update(dict.fromkeys(connection.addresses(), facts))
                while len(self._known) > KEPT:
                    self._known.popitem(last=False)

    def find(self, client: Endpoint) -> Facts | None:
        """The secrets, by option name, of the client that connected from this address; None if it is not the lab's."""
        with self._lock:
            connecting = [facts for each, facts in self._connecting.items() if client in each.addresses()]
            return connecting[-1] if connecting else self._known.get(client)
