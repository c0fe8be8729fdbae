"""What the time server answers, in every model.

``time 17`` is answered by ``17 Mon Nov 17 12:00:00 2025``: the number comes back, so that the client knows which
request is answered. Any other datagram, an empty one too, is answered by the time alone. Anyone can forge a sender's
address, and the answer goes there; so answers are short, and what reads like an answer gets none. Else two time servers
would answer each other without end, once one of them is asked in the other's name.
"""

import logging
import re
import socket
import sys
import time
from typing import Any, NamedTuple

from netlab.hardening.events import name

log = logging.getLogger(__name__)
LONGEST_REQUEST = 8192
TOO_LONG = b"error: too long"
NUMBERED = re.compile(rb"time (\d{1,20})\s*")
ANSWER = re.compile(rb"(\d{1,20} )?\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}|" + TOO_LONG)


class Request(NamedTuple):
    """A datagram, and whether it was longer than what is read of it."""

    message: bytes
    cut: bool = False


def receive(listener: socket.socket) -> tuple[Request, Any]:
    """Wait for a datagram; the second is its sender. The kernel cuts it in silence but for this flag."""
    if sys.platform != "win32":
        message, _, flags, address = listener.recvmsg(LONGEST_REQUEST)
        cut = bool(flags & socket.MSG_TRUNC)
    else:  # no recvmsg: one byte more would show it
        message, address = listener.recvfrom(LONGEST_REQUEST + 1)
        cut = len(message) > LONGEST_REQUEST
    return Request(message, cut), address


def answer(request: Request, address: tuple[Any, ...]) -> bytes | None:
    """What a request is answered with; None if it is an answer itself."""
    peer, message = name(address), request.message
    if ANSWER.fullmatch(message):
        log.warning("%s: an answer, which is not answered", peer)
        return None
    if request.cut or len(message) > LONGEST_REQUEST:
        log.warning("%s: a request of more than %d bytes", peer, LONGEST_REQUEST)
        return TOO_LONG
    numbered = NUMBERED.fullmatch(message)
    log.info("asked by %s%s", peer, f", request {numbered[1].decode()}" if numbered else "")
    now = time.ctime().encode("ascii")
    return numbered[1] + b" " + now if numbered else now


def reply(listener: socket.socket, request: Request, address: tuple[Any, ...]) -> None:
    """Answer a datagram from the socket on which it came. An answer that cannot be sent ends no server."""
    try:
        if (text := answer(request, address)) is not None:
            listener.sendto(text, address)
    except OSError as error:
        log.warning("%s: not answered: %s", name(address), error)


def bind(address: tuple[str, int]) -> socket.socket:
    """A socket for datagrams. Not with SO_REUSEADDR: for UDP it lets a second server take the port of a running one."""
    listener = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        listener.bind(address)
    except BaseException:
        listener.close()
        raise
    return listener
