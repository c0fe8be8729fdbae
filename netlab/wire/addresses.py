"""Addresses as people write them: ``HOST:PORT``, ``[::1]:PORT``, ``PORT``."""

from __future__ import annotations

from netlab.capture.model import Endpoint
from netlab.names import Addresses


def parse_address(text: str, default_host: str = "127.0.0.1") -> Endpoint:
    """``HOST:PORT``, with IPv6 in brackets, or a port alone. Raises `ValueError` with a sentence."""
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") if colon else default_host
    if not (host.isprintable() and port.isascii() and port.isdigit() and len(port) <= 5 and int(port) <= 65535):
        raise ValueError(f"{text!r} is not HOST:PORT")
    return Endpoint(host or default_host, int(port))


def beside(targets: Addresses, listeners: Addresses) -> Addresses:
    """The targets that do not lead to one of the listeners; all have literal hosts."""
    return tuple(target for target in targets if not any(_leads_to(target, listener) for listener in listeners))


def _leads_to(target: Endpoint, listener: Endpoint) -> bool:
    if target.port != listener.port:
        return False
    everywhere = listener.host in ("0.0.0.0", "::")
    return target.host == listener.host or (everywhere and (target.host.startswith("127.") or target.host == "::1"))


def in_words(addresses: Addresses) -> str:
    """``[::1]:80``, ``[::1]:80 or 127.0.0.1:80``."""
    return " or ".join(map(str, addresses))
