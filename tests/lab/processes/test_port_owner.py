from __future__ import annotations

import os
import socket
import sys

import pytest

from netlab.capture.model import Transport
from netlab.lab.processes.port_owner import port_owner

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")


@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_it_names_who_listens(family: socket.AddressFamily, host: str) -> None:
    with socket.socket(family) as listener:
        listener.bind((host, 0))
        port = listener.getsockname()[1]
        assert port_owner(port) is None
        listener.listen()
        holder = port_owner(port)
        assert holder is not None
        assert holder.pid == os.getpid()
        assert holder.name


def test_it_names_who_is_bound_for_datagrams() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as bound:
        bound.bind(("127.0.0.1", 0))
        holder = port_owner(bound.getsockname()[1], Transport.UDP)
        assert holder is not None
        assert holder.pid == os.getpid()
