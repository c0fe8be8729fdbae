"""A client that trusts one authority, checks the server's certificate and name, and says why it refuses."""

import argparse
import logging
import socket
import ssl
from functools import partial
from pathlib import Path

from netlab.hardening.connecting import MakeSocket, arguments, connect
from netlab.hardening.tls import say_goodbye
from netlab.topics.tls.contexts import client_context
from netlab.topics.tls.verdicts import NO_TICKET, Agreed, agreed, why_ended, why_refused

LOG = logging.getLogger(__name__)
CERTIFICATES = Path(__file__).parent / "certs"


class Client:
    """A verified connection to an echo server: ``send`` and ``recv`` as on a plain socket, encrypted beneath."""

    def __init__(
        self,
        address: tuple[str, int],
        *,
        timeout: float = 5.0,
        log: logging.Logger = LOG,
        make_socket: MakeSocket = socket.socket,
        certificates: Path = CERTIFICATES,
        ca: str = "",
        client_cert: str = "yes",
        server_name: str = "localhost",
        tls_version: str = "any",
        keylog: Path | None = None,
    ) -> None:
        self._context = client_context(Path(certificates), client_cert == "yes", tls_version, ca)
        if keylog is not None:
            self._context.keylog_filename = str(keylog)
        self._log, self._name, self.timeout = log, server_name, timeout
        self._connect = partial(connect, address, make_socket=make_socket)
        self.socket = self._shake_hands()
        for line in self.handshake().splitlines():
            log.info("%s", line)

    def _shake_hands(self, session: ssl.SSLSession | None = None) -> ssl.SSLSocket:
        plain = self._connect(timeout=self.timeout)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)  # a record leaves at once, as in the server
        try:
            return self._context.wrap_socket(
                plain, server_hostname=self._name, session=session, suppress_ragged_eofs=False
            )
        except OSError as error:
            plain.close()
            if why := why_refused(error):
                self._log.warning("%s", why)
            raise

    def resume(self) -> Agreed:
        """Close, and connect again with the ticket of this session: it stands in for the certificate."""
        session = self.socket.session
        if session is None or not session.id:
            raise ValueError(NO_TICKET)
        self.close()
        self.socket = self._shake_hands(session)
        if not self.socket.session_reused:
            self._log.info("the server did not take the ticket: this was a full handshake")
        return self.handshake()

    def send(self, data: bytes) -> int:
        """Encrypt and send bytes; how many were taken."""
        try:
            return self.socket.send(data)
        except OSError:
            self.recv(1)  # what the server said before it closed, such as why, is raised instead
            raise

    def recv(self, size: int = 8192) -> bytes:
        """Wait for bytes and decrypt them, at most ``size``; ``b''`` once the server has said close_notify."""
        try:
            return self.socket.recv(size)
        except ssl.SSLError as error:
            if why := why_ended(error):
                self._log.warning("%s", why)
            raise

    def handshake(self) -> Agreed:
        """What the handshake agreed on: version, cipher, ALPN, and who the server proved to be."""
        return agreed(self.socket)

    def close(self) -> None:
        """Say close_notify, wait a moment for the server's, and close. Closing twice does nothing."""
        say_goodbye(self.socket)


if __name__ == "__main__":
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument("--certificates", type=Path, default=CERTIFICATES, help="their folder")
    options.add_argument("--ca", default="", metavar="FILE", help="the authority to trust (default: its ca_cert.pem)")
    options.add_argument("--client-cert", choices=("yes", "no"), default="yes", help="whether to offer client_cert.pem")
    options.add_argument("--server-name", default="localhost", help="whom the server must prove to be")
    options.add_argument("--tls-version", choices=("any", "1.2", "1.3"), default="any", help="the newest version")
    server, chosen = arguments(20443, options)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    client = Client(server, **chosen)
    print(client.send(b"Hello"))
    print(client.recv())
    client.close()
