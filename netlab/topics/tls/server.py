"""An echo server behind TLS. The certificate says who the server is; the key to it never leaves its file."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from socketserver import BaseRequestHandler

from netlab.hardening.command import main
from netlab.hardening.events import name
from netlab.hardening.server import BoundedThreadingMixIn, HardenedServer
from netlab.hardening.tls import Encrypted
from netlab.topics.tls.contexts import VERIFY, server_context

log = logging.getLogger(__name__)
CERTIFICATES = Path(__file__).parent / "certs"


class EchoHandler(BaseRequestHandler):
    """Serves one client. The handshake is made here, so that a client that is slow at it keeps no other waiting."""

    server: Server

    def handle(self) -> None:
        """Shake hands, then send back what comes, until the client's close_notify."""
        wrap = self.server.context.wrap_socket
        plain = self.request
        tls = wrap(plain, server_side=True, do_handshake_on_connect=False, suppress_ragged_eofs=False)
        with Encrypted(tls, self.server.patience) as client:
            client.shake_hands(self.server.first_deadline())
            log.info("%s shook hands: %s", name(self.client_address), client.agreed())
            while chunk := client.recv(8192):
                client.sendall(chunk)


class Server(HardenedServer):
    """One client at a time; the others wait in the accept queue."""

    handler = EchoHandler

    def __init__(
        self,
        address: tuple[str, int],
        *,
        timeout: float = 30.0,
        certificates: Path = CERTIFICATES,
        client_certs: str = "none",
        present: str = "good",
    ) -> None:
        self.context = server_context(certificates, client_certs, present)
        super().__init__(address, timeout=timeout)


class ThreadingServer(BoundedThreadingMixIn, Server):
    """A thread for each client."""


MODELS = {"threading": ThreadingServer, "single": Server}

if __name__ == "__main__":
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument("--certificates", type=Path, default=CERTIFICATES, help="their folder")
    options.add_argument("--client-certs", choices=VERIFY, default="none", help="whether clients must prove themselves")
    options.add_argument("--present", default="good", help="the certificate to show: good, or one of gallery/")
    main(MODELS, port=20443, options=options)
