"""Addresses as a program writes them."""

from __future__ import annotations

from netlab.api.wire_errors import WireError
from netlab.capture.model import Endpoint
from netlab.names import parse_address

Address = str | int | tuple[str, int]
"""``"127.0.0.1:6379"``, ``"[::1]:6379"``, ``("127.0.0.1", 6379)``, or a port on 127.0.0.1."""


def endpoint(address: Address, what: str) -> Endpoint:
    """The same as a pair; ``what`` names the argument. Raises `WireError`."""
    text = str(Endpoint(*address)) if isinstance(address, tuple) and len(address) == 2 else str(address)
    try:
        return parse_address(text)
    except ValueError as error:
        raise WireError(f"{what}: {error}", f'as in {what}="127.0.0.1:6379" or {what}=("127.0.0.1", 6379)') from None


def server(address: Address) -> Endpoint:
    """The address of a server, which is never port 0. Raises `WireError`."""
    found = endpoint(address, "to")
    if not found.port:
        raise WireError("to: no server listens on port 0", 'as in to="127.0.0.1:6379"')
    return found
