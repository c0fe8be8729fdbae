"""The tutorial's two ways of receiving a payload, as they stand, under a socket that counts."""

import socket
from typing import Any

from netlab.topics.zerocopy.counting import CountingSocket
from netlab.topics.zerocopy.transfer import Transfer


def tutorial_concatenate(connected: socket.socket, transfer: Transfer) -> memoryview:
    """The first one adds bytes to text: a `TypeError` since Python 3."""
    sock = CountingSocket(connected, transfer)

    def read(size: int) -> Any:
        ret: Any = ""
        remain = size
        while True:
            data = sock.recv(remain)
            ret += data
            if len(data) == remain:
                break
            remain -= len(data)
        return ret

    return memoryview(read(transfer.size))


def tutorial_slices(connected: socket.socket, transfer: Transfer) -> memoryview:
    """The second one works. It copies twice, and would never end after an early close."""
    sock = CountingSocket(connected, transfer)

    def read(size: int) -> memoryview:
        ret = memoryview(bytearray(size))
        transfer.hold(len(transfer.place(ret)))  # ours: so that it can be seen while it fills
        remain = size
        while True:
            data = sock.recv(remain)
            length = len(data)
            ret[size - remain : size - remain + length] = data
            if len(data) == remain:
                break
            remain -= len(data)
        return ret

    filled = read(transfer.size)
    transfer.copied += len(filled)  # the slice assignments
    return filled
