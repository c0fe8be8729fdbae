"""Either end of TLS with care: waits are limited, a close_notify comes last, and what goes wrong says why."""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import Any

from netlab.hardening.clients import UNREAD
from netlab.hardening.events import Refused
from netlab.hardening.patience import Deadline, Patience

GOODBYE = 1.0
"""Seconds that the other side's close_notify is waited for."""


def say_goodbye(tls: ssl.SSLSocket) -> None:
    """Say close_notify, wait a moment for the other side's, and close. The second time nothing happens."""
    if tls.fileno() >= 0:
        tls.settimeout(min(tls.gettimeout() or GOODBYE, GOODBYE))
        with suppress(OSError, ValueError):  # the other side has gone, or says no goodbye
            tls.unwrap()
    tls.close()


class Encrypted:
    """An `ssl.SSLSocket` of a client. Left as a context manager it says close_notify, so that the client has it all."""

    def __init__(self, tls: ssl.SSLSocket, patience: Patience) -> None:
        self._tls = tls
        self._deadline = Deadline(patience)
        # TLS 1.3 ends with tickets: without this, the first echo would wait until the client acknowledges them, 40 ms
        tls.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)

    def shake_hands(self, deadline: Deadline) -> None:
        """Agree on keys; a client that speaks no TLS, or refuses the certificate, ends here."""
        try:
            deadline.limit(self._tls, self._tls.do_handshake)
        except TimeoutError:
            raise TimeoutError(f"no whole handshake within {deadline.seconds:g} s") from None

    def agreed(self) -> str:
        """The version, whether a session goes on, and who the client proved to be if it was asked."""
        certificate: dict[str, Any] = self._tls.getpeercert() or {}
        names = dict(pair for part in certificate.get("subject", ()) for pair in part)
        client = f", client {names['commonName']!r}" if "commonName" in names else ""
        return f"{self._tls.version()}{', resumed' if self._tls.session_reused else ''}{client}"

    def recv(self, size: int) -> bytes:
        """Bytes of the client; ``b""`` after its close_notify. A FIN without one is a `ConnectionError`."""
        self._deadline.renew()
        try:
            return self._deadline.limit(self._tls, partial(self._tls.recv, size))
        except TimeoutError:
            raise TimeoutError(f"silent for {self._deadline.seconds:g} s") from None

    def sendall(self, data: bytes) -> None:
        """Encrypt and send all of it."""
        view = memoryview(data)
        self._deadline.renew()
        try:
            while view:
                view = view[self._deadline.limit(self._tls, partial(self._tls.send, view)) :]
        except TimeoutError:
            raise TimeoutError(UNREAD) from None

    def __enter__(self) -> Encrypted:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._tls:
            self._tls.settimeout(0)  # the client's close_notify has come, or is not waited for
            with suppress(OSError, ValueError):  # the client has gone, or TLS itself has failed
                self._tls.unwrap()
        if isinstance(error, ssl.SSLEOFError):
            raise ConnectionError("it ended without close_notify: what it sent may be cut short") from None
        if isinstance(error, ssl.SSLError):
            raise Refused(f"TLS: {error.reason or error.strerror}") from None
