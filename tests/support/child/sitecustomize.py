"""Loaded by a child process at its start: names of the hosts file ``TEST_HOSTS`` are looked up there, and only there.

A hosts file of its own, for a test that may not mount one over the system's.
"""

import os
import socket
from pathlib import Path

HOSTS: dict[str, list[str]] = {}
for line in Path(os.environ["TEST_HOSTS"]).read_text("ascii").splitlines():
    address, *names = line.split()
    for each in names:
        HOSTS.setdefault(each, []).append(address)

_system = socket.getaddrinfo


def getaddrinfo(host, port, family=0, type=0, proto=0, flags=0):  # type: ignore[no-untyped-def]  # as the original
    found = []
    for address in HOSTS.get(host, [host]):
        found += _system(address, port, family, type, proto, flags)
    return found


socket.getaddrinfo = getaddrinfo
