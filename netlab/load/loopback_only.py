"""A load is for a server of this machine, unless somebody asks for more."""

from __future__ import annotations

import socket
from contextlib import closing

from netlab.capture.model import Endpoint, Transport
from netlab.lab.errors import LabError
from netlab.names import family_of, is_loopback, resolve

_CONNECTING = 2.0


def refuse_elsewhere(server: Endpoint) -> tuple[Endpoint, ...]:
    """The addresses of a server that only this machine reaches. Raises `LabError` if one of them is another."""
    found = _resolved(server)
    far = next((each for each in found if not is_loopback(each.host)), None)
    if far is not None:
        named = f"{server} is {far.host}, which" if far.host != server.host else str(far.host)
        raise LabError(
            f"{named} is not a loopback address: a load there is a flood for others",
            "--anywhere allows it, for servers of your own",
        )
    return found


def target_of(server: Endpoint, transport: Transport, *, anywhere: bool = False) -> Endpoint:
    """Where a load goes: the first of the server's addresses that takes a connection. Raises `LabError`."""
    found = _resolved(server) if anywhere else refuse_elsewhere(server)
    if transport is Transport.TCP and len(found) > 1:
        return next((each for each in found if _takes_connections(each)), found[0])
    return found[0]


def _resolved(server: Endpoint) -> tuple[Endpoint, ...]:
    try:
        return resolve(server)
    except OSError as error:
        raise LabError(f"{server}: {error.strerror or error}", "HOST:PORT is the server's address") from None


def _takes_connections(server: Endpoint) -> bool:
    with closing(socket.socket(family_of(server.host))) as probe:
        probe.settimeout(_CONNECTING)
        return probe.connect_ex((server.host, server.port)) == 0
