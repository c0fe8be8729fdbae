"""An echo server behind TLS.

The certificate says who the server is; the key stays in its file. The handshake runs in the handler, under a time
limit, so a client that stays silent or speaks no TLS keeps nobody else from being accepted.
"""

import argparse
import contextlib
import logging
import socket
import ssl
import sys
import threading
import time
from pathlib import Path
from socketserver import BaseRequestHandler, TCPServer, ThreadingMixIn
from typing import Any

Address = tuple[str, int]
log = logging.getLogger(__name__)

VERIFY = {"none": ssl.CERT_NONE, "request": ssl.CERT_OPTIONAL, "require": ssl.CERT_REQUIRED}


def make_context(certificates: Path, client_certs: str, present: str) -> ssl.SSLContext:
    """What the server shows, and what it asks of its clients. A file that is missing is a `ValueError`."""
    name = "server" if present == "good" else f"gallery/{present}"
    needed = [f"{name}_cert.pem", f"{name}_key.pem", *(["ca_cert.pem"] if client_certs != "none" else [])]
    if missing := [each for each in needed if not (certificates / each).is_file()]:
        raise ValueError(f"{' and '.join(missing)} missing in {certificates}")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["echo"])
    context.verify_mode = VERIFY[client_certs]
    if client_certs != "none":
        context.load_verify_locations(certificates / "ca_cert.pem")
    if present == "weak-key":
        context.set_ciphers("DEFAULT:@SECLEVEL=0")  # else OpenSSL would not even load it: here the client shall refuse
    no_password = ""  # else a key that is protected by one would be asked for on the terminal
    context.load_cert_chain(certificates / needed[0], certificates / needed[1], no_password)
    return context


class EchoHandler(BaseRequestHandler):
    """Shake hands, then send every chunk back until the client closes or stays silent."""

    server: "EchoServer"

    def handle(self) -> None:
        """Serve one client; whatever it does wrong ends this connection and no other."""
        peer = name(self.client_address)
        log.info("accepted %s", peer)
        patience = self.server.patience
        self.request.settimeout(patience)
        why, silent = f"no whole handshake within {patience:g} s", f"silent for {patience:g} s"
        # TLS 1.3 ends with tickets: without this, the first echo would wait until the client acknowledges them, 40 ms
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        try:
            with self.server.context.wrap_socket(self.request, server_side=True, suppress_ragged_eofs=False) as tls:
                log.info("%s shook hands: %s%s", peer, tls.version(), describe_client(tls))
                why = silent
                try:
                    while chunk := tls.recv(8192):  # b"" is a close_notify, and a FIN alone an SSLEOFError
                        why = "it does not read what it is sent"
                        tls.sendall(chunk)
                        why = silent
                finally:
                    say_goodbye(tls)
            log.info("closed %s", peer)
        except TimeoutError:
            log.warning("%s: dropped: %s", peer, why)
        except ssl.SSLEOFError:
            log.warning("%s: dropped: %s", peer, "it ended without close_notify: what it sent may be cut short")
        except ssl.SSLError as error:
            log.warning("%s: refused: %s", peer, f"TLS: {error.reason or error.strerror}")
        except OSError as error:
            log.warning("%s: dropped: %s", peer, error.strerror or error)


def say_goodbye(tls: ssl.SSLSocket) -> None:
    """Send close_notify, so that the client knows that it has all; its own has come, or is not waited for."""
    tls.settimeout(0)
    with contextlib.suppress(OSError, ValueError):  # the client has gone, or TLS itself has failed
        tls.unwrap()


def describe_client(tls: ssl.SSLSocket) -> str:
    """Who the client proved to be, if it was asked."""
    certificate: dict[str, Any] = tls.getpeercert() or {}
    names = dict(pair for part in certificate.get("subject", ()) for pair in part)
    return f", client {names['commonName']!r}" if "commonName" in names else ""


class EchoServer(TCPServer):
    """One client at a time; the others wait in the accept queue."""

    allow_reuse_address = True
    request_queue_size = 5
    starved = False

    def __init__(self, address: Address, context: ssl.SSLContext, timeout: float) -> None:
        self.context = context
        self.patience = timeout
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, EchoHandler)

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a client."""
        try:
            client, address = super().get_request()
        except OSError as error:
            if not self.starved:
                log.warning("nobody can be accepted for now: %s", error.strerror)
            self.starved = True
            time.sleep(0.1)  # else socketserver tries again at once, until there is a file descriptor for the client
            raise
        self.starved = False
        return client, address

    def handle_error(self, request: object, client_address: Any) -> None:
        """A failure in the handler is a line in the log, not a traceback."""
        log.error("%s: %r", name(client_address), sys.exception())


class ThreadingEchoServer(ThreadingMixIn, EchoServer):
    """A thread for each client."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    most_clients = 500

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.places = threading.BoundedSemaphore(self.most_clients)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Start a client's thread; while all places are taken, accept nobody."""
        self.places.acquire()
        try:
            super().process_request(request, client_address)
        except RuntimeError:  # the system has no thread left
            self.places.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a client, in its thread."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.places.release()


def name(address: tuple[Any, ...]) -> str:
    """A peer as it stands in the log."""
    return f"[{address[0]}]:{address[1]}" if ":" in address[0] else f"{address[0]}:{address[1]}"


MODELS: dict[str, type[EchoServer]] = {"threading": ThreadingEchoServer, "single": EchoServer}


def make_server(
    address: Address,
    model: str = "threading",
    *,
    timeout: float = 30.0,
    certificates: Path = Path(__file__).parent / "certs",
    client_certs: str = "none",
    present: str = "good",
) -> EchoServer:
    """A server bound to the address, not yet serving; ``timeout`` in seconds bounds a handshake and every silence."""
    return MODELS[model](address, make_context(Path(certificates), client_certs, present), timeout)


def main() -> None:
    """Serve until Ctrl+C."""
    parser = argparse.ArgumentParser(description="an echo server behind TLS")
    parser.add_argument("--model", choices=MODELS, default="threading")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=20443)
    parser.add_argument("--timeout", type=float, default=30.0, help="seconds that a client may stall")
    parser.add_argument("--certificates", type=Path, default=Path(__file__).parent / "certs", help="their folder")
    parser.add_argument(
        "--client-certs", choices=VERIFY, default="none", help="whether clients must prove who they are"
    )
    parser.add_argument("--present", default="good", help="which certificate to show: good, or one of gallery/")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    try:
        context = make_context(arguments.certificates, arguments.client_certs, arguments.present)
    except ValueError as error:
        parser.error(str(error))
    server = MODELS[arguments.model]((arguments.host, arguments.port), context, arguments.timeout)
    print("listening on", name(server.server_address), flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        server.serve_forever()
    server.server_close()


if __name__ == "__main__":
    main()
