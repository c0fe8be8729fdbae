"""Addresses as people write them: ``HOST:PORT``, ``[::1]:PORT``, ``PORT``."""

from __future__ import annotations

import socket

from netlab.capture.model import Endpoint


def parse_address(text: str, default_host: str = "127.0.0.1") -> Endpoint:
    """``HOST:PORT``, with IPv6 in brackets, or a port alone. Raises `ValueError` with a sentence."""
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") if colon else default_host
    if not (host.isprintable() and port.isascii() and port.isdigit() and len(port) <= 5 and int(port) <= 65535):
        raise ValueError(f"{text!r} is not HOST:PORT")
    return Endpoint(host or default_host, int(port))


def resolve(address: Endpoint) -> Endpoint:
    """The same with a literal host, the first that the resolver gives. Raises `OSError`."""
    try:
        family_and_more = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise OSError(None, f"{address.host!r} is no host name") from error
    host, port, *_ = family_and_more[0][4]
    return Endpoint(str(host), int(port))


def leads_to(target: Endpoint | None, listener: Endpoint) -> bool:
    """Whether whoever connects to the target reaches the listener; both have literal hosts."""
    if target is None or target.port != listener.port:
        return False
    everywhere = listener.host in ("0.0.0.0", "::")
    return target.host == listener.host or (everywhere and (target.host.startswith("127.") or target.host == "::1"))


def family_of(host: str) -> socket.AddressFamily:
    """The family of a literal address."""
    return socket.AF_INET6 if ":" in host else socket.AF_INET
