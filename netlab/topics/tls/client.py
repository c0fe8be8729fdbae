"""A client that trusts one authority, checks the server's certificate and name, and says why it refuses."""

import argparse
import contextlib
import errno
import ipaddress
import logging
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

LOG = logging.getLogger(__name__)
GOODBYE = 1.0
"""Seconds that the server's close_notify is waited for."""
WHY = {
    9: "the certificate's validity has not begun yet",
    10: "the certificate's validity has ended",
    18: "the server's certificate is signed by nobody but itself",
    19: "the chain ends in an authority that is not in ca_cert.pem",
    20: "no certificate that we hold vouches for it: an authority that we do not trust signed it, "
    "or the server left out a certificate in between",
    26: "the certificate is meant for another purpose than being a server",
    62: "the certificate names another host than the one that we asked for",
    64: "the certificate names another address than the one that we asked for",
    66: "the certificate's key is too weak to trust",
}
"""X509_V_ERR_… of OpenSSL's x509_vfy.h, in words."""


ENDED = {
    "CERTIFICATE_REQUIRED": "refused by the server: it wants a certificate of ours (:client-cert yes)",
    "ALERT_BAD_RECORD_MAC": "refused by the server: a record of ours was changed on its way",
    "BAD_RECORD_MAC": "refused by us: a record was changed on its way",
    "ALERT_DECODE_ERROR": "the server missed our close_notify: what we sent may be cut short",
}
"""Why an established connection ended, by what OpenSSL's reason contains."""
TRUNCATED = "it ended with a FIN and without close_notify: what has come may be cut short"


class Agreed(str):
    """What a handshake agreed on, in lines; a prompt shows them as they are."""

    __repr__ = str.__str__


class Client:
    """A verified connection to an echo server: ``send`` and ``recv`` as on a plain socket, encrypted beneath."""

    def __init__(
        self,
        address: tuple[str, int],
        *,
        timeout: float = 5.0,
        log: logging.Logger = LOG,
        make_socket: Callable[[int, int], socket.socket] = socket.socket,
        certificates: Path = Path(__file__).parent / "certs",
        ca: str = "",
        client_cert: str = "yes",
        server_name: str = "localhost",
        tls_version: str = "any",
        keylog: Path | None = None,
    ) -> None:
        self._log = log
        context = make_context(Path(certificates), client_cert == "yes", tls_version, ca)
        if keylog is not None:
            context.keylog_filename = str(keylog)
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        plain = make_socket(family, socket.SOCK_STREAM)
        plain.settimeout(timeout)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)  # a record leaves at once, as in the server
        try:
            plain.connect(address)
            self.socket = context.wrap_socket(plain, server_hostname=server_name, suppress_ragged_eofs=False)
        except ssl.SSLCertVerificationError as error:
            log.warning("refused by us: %s", WHY.get(error.verify_code, error.verify_message))
            plain.close()
            raise
        except OSError as error:
            plain.close()
            if isinstance(error, ssl.SSLError) and error.reason == "SSLV3_ALERT_HANDSHAKE_FAILURE":
                log.warning("refused by the server: it found nothing in common, or wants a certificate of ours")
            raise
        for line in self.handshake().splitlines():
            log.info("%s", line)

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
            why = next((why for name, why in ENDED.items() if name in (error.reason or "")), "")
            if why := TRUNCATED if isinstance(error, ssl.SSLEOFError) else why:
                self._log.warning("%s", why)
            raise

    def handshake(self) -> "Agreed":
        """What the handshake agreed on: version, cipher, ALPN, and who the server proved to be."""
        certificate: dict[str, Any] = self.socket.getpeercert() or {}
        cipher, _, bits = self.socket.cipher() or ("none", "", 0)
        names = ", ".join(brief(kind, value) for kind, value in certificate.get("subjectAltName", ()))
        chain = f"{common_name(certificate.get('subject', ()))} ← {common_name(certificate.get('issuer', ()))}"
        return Agreed(
            f"{self.socket.version()}, {cipher}, {bits} bits, ALPN {self.socket.selected_alpn_protocol()}\n"
            f"chain: {chain}\n"
            f"names: {names}; {self.socket.server_hostname} is among them\n"
            f"valid: {certificate.get('notBefore')} to {certificate.get('notAfter')}"
        )

    def close(self) -> None:
        """Say close_notify, wait a moment for the server's, and close. Closing twice does nothing."""
        if self.socket.fileno() >= 0:
            self.socket.settimeout(min(self.socket.gettimeout() or GOODBYE, GOODBYE))
            with contextlib.suppress(OSError, ValueError):  # the server has gone, or says no goodbye
                self.socket.unwrap()
        self.socket.close()


def make_context(certificates: Path, with_certificate: bool, tls_version: str, ca: str = "") -> ssl.SSLContext:
    """Trust in one authority alone, the lab's or the one of the file ``ca``; name and chain are checked by default."""
    authority = Path(ca) if ca else certificates / "ca_cert.pem"
    if not authority.is_file():  # OpenSSL's own error does not say which file
        raise FileNotFoundError(errno.ENOENT, "there is no authority to trust in", str(authority))
    context = ssl.create_default_context(cafile=authority)
    context.minimum_version = ssl.TLSVersion.TLSv1_3 if tls_version == "1.3" else ssl.TLSVersion.TLSv1_2
    if tls_version == "1.2":
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["echo"])
    if with_certificate and (certificates / "client_cert.pem").exists():
        context.load_cert_chain(certificates / "client_cert.pem", certificates / "client_key.pem")
    return context


def brief(kind: str, name: str) -> str:
    """A name of a certificate, an address as it is written today: ``::1`` where `ssl` says ``0:0:0:0:0:0:0:1``."""
    return str(ipaddress.ip_address(name)) if kind == "IP Address" else name


def common_name(name: tuple[tuple[tuple[str, str], ...], ...]) -> str:
    """The CN of a name as `ssl` gives it: a tuple of tuples of pairs."""
    return next((value for part in name for key, value in part if key == "commonName"), "?")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="says hello behind TLS")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=20443)
    parser.add_argument("--certificates", type=Path, default=Path(__file__).parent / "certs", help="their folder")
    parser.add_argument("--ca", default="", metavar="FILE", help="the authority to trust (default: its ca_cert.pem)")
    parser.add_argument(
        "--client-cert", choices=("yes", "no"), default="yes", help="whether to offer its client_cert.pem"
    )
    parser.add_argument("--server-name", default="localhost", help="whom the server must prove to be")
    parser.add_argument("--tls-version", choices=("any", "1.2", "1.3"), default="any", help="the newest version")
    options = vars(parser.parse_args())
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    client = Client((options.pop("host"), options.pop("port")), **options)
    print(client.send(b"Hello"))
    print(client.recv())
    client.close()
