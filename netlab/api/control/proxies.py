"""The proxies of the control API: wires with names, that clients make, change, disable and remove.

It knows no HTTP. Safe from several threads: one request is carried out after the other.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from ipaddress import ip_address

from netlab.api.address_arguments import endpoint, server
from netlab.api.control.control_refused import ControlRefused
from netlab.api.control.toxics import Toxic, toxic_of
from netlab.api.public_wire import Wire
from netlab.api.wire_errors import WireError
from netlab.capture.model import Endpoint
from netlab.lab.wire_control import MOST_FAULTS

MOST_PROXIES = 64
LONGEST_NAME = 100
LIMIT = 16 << 20
"""Bytes that a proxy's capture keeps, unless the command line says otherwise."""
Body = Mapping[str, object]


class Proxy:
    """One wire with a name. It listens as long as it is enabled, and keeps its port."""

    def __init__(self, name: str, wire: Wire) -> None:
        self.name, self.wire, self.enabled = name, wire, True
        self.toxics: dict[str, Toxic] = {}
        wire.start()
        self.own = wire.faults

    def as_json(self) -> dict[str, object]:
        """What the API answers."""
        return {
            "name": self.name,
            "listen": str(self.wire.address),
            "upstream": str(self.wire.to),
            "enabled": self.enabled,
            "toxics": [toxic.as_json() for toxic in self.toxics.values()],
        }

    def enable(self, enabled: bool) -> None:
        """Take clients, or refuse them and reset those that are there."""
        if enabled:
            self.wire.up()
        elif self.enabled:
            self.wire.down()
        self.enabled = enabled

    def set_toxics(self, toxics: Mapping[str, Toxic]) -> None:
        """Let these act, in their order, after the faults that the command line gave. Raises `ControlRefused`."""
        specs = [*self.own, *(spec for toxic in toxics.values() for spec in toxic.faults)]
        if len(specs) > MOST_FAULTS:
            raise ControlRefused(400, f"these toxics are {len(specs)} faults; a wire has at most {MOST_FAULTS}")
        try:
            self.wire.replace(*specs)
        except WireError as error:
            raise ControlRefused(400, str(error)) from None
        self.toxics = dict(toxics)

    def toxic(self, name: str) -> Toxic:
        """The toxic of that name."""
        if name not in self.toxics:
            raise ControlRefused(404, "toxic not found")
        return self.toxics[name]

    def add(self, body: Body) -> Toxic:
        """Add a toxic."""
        toxic = toxic_of(body)
        _check_name(toxic.name)
        if toxic.name in self.toxics:
            raise ControlRefused(409, "toxic already exists")
        self.set_toxics({**self.toxics, toxic.name: toxic})
        return toxic

    def change(self, name: str, body: Body) -> Toxic:
        """Change a toxic's attributes or its toxicity."""
        toxic = toxic_of(body, self.toxic(name))
        self.set_toxics({**self.toxics, name: toxic})
        return toxic

    def remove(self, name: str) -> None:
        """Remove a toxic."""
        self.toxic(name)
        self.set_toxics({each: toxic for each, toxic in self.toxics.items() if each != name})


class Proxies:
    """All proxies, by name. ``hosts`` are where they may listen besides loopback. Methods raise `ControlRefused`.

    ``limit`` is how much the capture of each keeps, in bytes: the newest.
    """

    def __init__(self, hosts: Iterable[str] = (), *, udp: bool = False, seed: int = 1, limit: int = LIMIT) -> None:
        self._hosts, self._udp, self._seed, self._limit = frozenset(hosts), udp, seed, limit
        self.lock = threading.RLock()
        self.all: dict[str, Proxy] = {}

    def find(self, name: str) -> Proxy:
        """The proxy of that name."""
        if name not in self.all:
            raise ControlRefused(404, "proxy not found")
        return self.all[name]

    def create(self, body: Body, faults: Sequence[str] = ()) -> Proxy:
        """Make a proxy, and start it unless it says otherwise."""
        name, enabled = _needed(body, "name"), _flag(body, "enabled", True)
        _check_name(name)
        listen, upstream = self._listen(body.get("listen") or "127.0.0.1:0"), _upstream(_needed(body, "upstream"))
        if name in self.all:
            raise ControlRefused(409, "proxy already exists")
        if len(self.all) >= MOST_PROXIES:
            raise ControlRefused(400, f"there are {MOST_PROXIES} proxies, and that is the most")
        proxy = self._new(name, listen, upstream, faults)
        self.all[name] = proxy
        proxy.enable(enabled)
        return proxy

    def change(self, name: str, body: Body) -> Proxy:
        """Change where a proxy listens or leads, or enable or disable it; what is not given stays."""
        proxy = self.find(name)
        enabled = _flag(body, "enabled", proxy.enabled)
        listen = self._listen(body.get("listen") or str(proxy.wire.address))
        upstream = _upstream(_text(body, "upstream") or str(proxy.wire.to))
        if listen not in (proxy.wire.address, Endpoint(proxy.wire.address.host, 0)):
            proxy = self._moved(proxy, listen, upstream)
        elif upstream != proxy.wire.to:
            proxy.wire.retarget(upstream)
            proxy.wire.drop_flows("the proxy was changed")
        proxy.enable(enabled)
        return proxy

    def _new(self, name: str, listen: Endpoint, upstream: Endpoint, faults: Sequence[str]) -> Proxy:
        wire = Wire(upstream, listen=listen, udp=self._udp, faults=faults, seed=self._seed, limit=self._limit)
        return Proxy(name, wire)

    def _moved(self, old: Proxy, listen: Endpoint, upstream: Endpoint) -> Proxy:
        """The same at another address. If that cannot be had, the old one stays."""
        new = self._new(old.name, listen, upstream, old.wire.faults)
        new.own, new.toxics = old.own, old.toxics
        old.wire.close()
        self.all[old.name] = new
        return new

    def populate(self, entries: object) -> list[Proxy]:
        """Make these proxies; one that is there already is changed, and keeps its toxics."""
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise ControlRefused(400, "the body is a list of proxies")
        for number, entry in enumerate(entries, 1):
            for field in ("name", "upstream"):
                if not entry.get(field):
                    raise ControlRefused(400, f"missing required field: {field} at proxy {number}")
        return [
            self.change(entry["name"], {"enabled": True, **entry}) if entry["name"] in self.all else self.create(entry)
            for entry in entries
        ]

    def remove(self, name: str) -> None:
        """End a proxy."""
        self.find(name).wire.close()
        del self.all[name]

    def reset(self) -> None:
        """Enable all proxies, and remove all toxics."""
        for proxy in self.all.values():
            proxy.set_toxics({})
            proxy.enable(True)

    def close(self) -> None:
        """End all proxies."""
        with self.lock:
            for name in tuple(self.all):
                self.remove(name)

    def _listen(self, value: object) -> Endpoint:
        if not isinstance(value, str):
            raise ControlRefused(400, "listen is a text")
        try:
            found = endpoint(value, "listen")
        except WireError as error:
            raise ControlRefused(400, str(error)) from None
        if found.host == "localhost":  # a name with two addresses, where one is meant
            found = Endpoint("127.0.0.1", found.port)
        if found.host not in self._hosts and not _is_loopback(found.host):
            raise ControlRefused(
                400, f"{found.host} is not loopback; `netlab wire --control … --listen {found.host}:0` allows it"
            )
        return found


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _upstream(text: str) -> Endpoint:
    try:
        return server(text)
    except WireError as error:
        raise ControlRefused(400, str(error)) from None


def _check_name(name: str) -> None:
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise ControlRefused(400, f"a name has at most {LONGEST_NAME} characters, all of them printable")


def _text(body: Body, name: str) -> str:
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise ControlRefused(400, f"{name} is a text")
    return value or ""


def _needed(body: Body, name: str) -> str:
    found = _text(body, name)
    if not found:
        raise ControlRefused(400, f"missing required field: {name}")
    return found


def _flag(body: Body, name: str, otherwise: bool) -> bool:
    value = body.get(name, otherwise)
    if not isinstance(value, bool):
        raise ControlRefused(400, f"{name} is true or false")
    return value
