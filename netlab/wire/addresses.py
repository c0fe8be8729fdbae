"""Several addresses: which of them lead back to the wire itself, and how they are named."""

from __future__ import annotations

from netlab.capture.model import Endpoint
from netlab.names import Addresses


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
