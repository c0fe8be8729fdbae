"""Toxiproxy's HTTP API over the proxies: paths and methods, JSON in and out.

What HTTP allows is `netlab.hardening.http`'s business: bounds, deadlines, and that no other site's page gets in.
"""

from __future__ import annotations

import json
import logging
import tempfile
from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from urllib.parse import unquote, urlsplit

from netlab import __version__
from netlab.api.control.control_refused import ControlRefused
from netlab.api.control.proxies import Proxies, Proxy
from netlab.api.wire_errors import WireError
from netlab.hardening.events import Refused
from netlab.hardening.http import HTTPHandler, HTTPServer
from netlab.hardening.server import BoundedThreadingMixIn

log = logging.getLogger(__name__)
CAPTURE = "application/x-pcapng"


class Asked:
    """One request: the proxies, the names in its path, and its body, which is read when it is needed."""

    def __init__(self, proxies: Proxies, names: list[str], body: bytes) -> None:
        self.proxies, self.names, self._body = proxies, names, body

    @property
    def proxy(self) -> Proxy:
        """The proxy that the path names."""
        return self.proxies.find(self.names[0])

    @property
    def value(self) -> object:
        """The body's JSON."""
        try:
            found: object = json.loads(self._body)
        except (ValueError, RecursionError):
            raise ControlRefused(400, "bad request body: it is not JSON") from None
        return found

    @property
    def body(self) -> Mapping[str, object]:
        """The body's JSON, which has to be an object."""
        found = self.value
        if not isinstance(found, dict):
            raise ControlRefused(400, "bad request body: it is no JSON object")
        return found


Action = Callable[[Asked], object]
"""What a method does with a path; it returns what becomes JSON, or None for an empty body."""
_NAME = "{}"
ROUTES: Mapping[str, Mapping[str, tuple[int, Action]]] = {
    "/version": {"GET": (200, lambda asked: {"version": f"netlab-{__version__}"})},
    "/reset": {"POST": (204, lambda asked: asked.proxies.reset())},
    "/populate": {
        "POST": (201, lambda asked: {"proxies": [each.as_json() for each in asked.proxies.populate(asked.value)]})
    },
    "/proxies": {
        "GET": (200, lambda asked: {name: proxy.as_json() for name, proxy in asked.proxies.all.items()}),
        "POST": (201, lambda asked: asked.proxies.create(asked.body).as_json()),
    },
    "/proxies/{}": {
        "GET": (200, lambda asked: asked.proxy.as_json()),
        "POST": (200, lambda asked: asked.proxies.change(asked.names[0], asked.body).as_json()),
        "PATCH": (200, lambda asked: asked.proxies.change(asked.names[0], asked.body).as_json()),
        "DELETE": (204, lambda asked: asked.proxies.remove(asked.names[0])),
    },
    "/proxies/{}/capture": {"GET": (200, lambda asked: _capture(asked.proxy))},
    "/proxies/{}/toxics": {
        "GET": (200, lambda asked: [toxic.as_json() for toxic in asked.proxy.toxics.values()]),
        "POST": (200, lambda asked: asked.proxy.add(asked.body).as_json()),
    },
    "/proxies/{}/toxics/{}": {
        "GET": (200, lambda asked: asked.proxy.toxic(asked.names[1]).as_json()),
        "POST": (200, lambda asked: asked.proxy.change(asked.names[1], asked.body).as_json()),
        "PATCH": (200, lambda asked: asked.proxy.change(asked.names[1], asked.body).as_json()),
        "DELETE": (204, lambda asked: asked.proxy.remove(asked.names[1])),
    },
}
"""Toxiproxy's paths, and one more: what has crossed a proxy, as a pcapng file."""


class ControlHandler(HTTPHandler):
    """Carries out one request."""

    server: ControlServer
    for_any_page = ()

    def answer(self, body: bytes) -> None:
        """Find what the path and the method mean, do it, and answer in JSON."""
        try:
            methods, names = _route(urlsplit(self.path).path)
            if self.command not in methods:
                raise ControlRefused(405, f"the methods here are {', '.join(methods)}")
            status, action = methods[self.command]
            with self.server.proxies.lock:
                found = action(Asked(self.server.proxies, names, body))
        except ControlRefused as refused:
            self._refuse(refused.status, str(refused))
        except WireError as error:
            self._refuse(500, str(error))
        else:
            kind, text = ("application/json", _as_json(found)) if not isinstance(found, bytes) else (CAPTURE, found)
            self.reply(status, HTTPStatus(status).phrase, kind, text)

    def _refuse(self, status: int, reason: str) -> None:
        self.reply_error(status, reason)
        raise Refused(f"{reason} ({status}{self.asked(' to ')})") from None

    def reply_error(self, status: int, reason: str, **headers: str) -> None:
        """An error, as toxiproxy writes it."""
        text = _as_json({"error": reason, "status": status})
        self.reply(status, HTTPStatus(status).phrase, "application/json", text, **headers)


def _route(path: str) -> tuple[Mapping[str, tuple[int, Action]], list[str]]:
    """The methods of a path, and the names in it. Raises `ControlRefused`."""
    parts = path.rstrip("/").split("/")
    for pattern, methods in ROUTES.items():
        wanted = pattern.split("/")
        if len(wanted) == len(parts) and all(want in (_NAME, part) for want, part in zip(wanted, parts, strict=True)):
            return methods, [unquote(part) for want, part in zip(wanted, parts, strict=True) if want == _NAME]
    raise ControlRefused(404, "there is no such path; netlab has toxiproxy's proxies, toxics, populate, reset, version")


def _as_json(value: object) -> bytes:
    return b"" if value is None else json.dumps(value).encode() + b"\n"


def _capture(proxy: Proxy) -> bytes:
    with tempfile.TemporaryDirectory(prefix="netlab-capture-") as folder:
        return proxy.wire.save(Path(folder, "capture.pcapng")).path.read_bytes()


class ControlServer(BoundedThreadingMixIn, HTTPServer):
    """Listens for clients of the API."""

    handler = ControlHandler
    most_clients = 20

    def __init__(self, address: tuple[str, int], proxies: Proxies) -> None:
        self.proxies = proxies
        super().__init__(address)
