"""The encrypted echo from elsewhere, verified as the client does it: the same authority, name and version."""

from __future__ import annotations

import ipaddress
import shlex
from dataclasses import dataclass
from pathlib import Path

from netlab.topics.copy_as import CopiedCall, kept_open, none, program

AT_ONCE = 8192


@dataclass(frozen=True, slots=True)
class Terms:
    """What the client agrees to: whom it trusts, what it shows of itself (certificate and key), whom it wants."""

    ca: str
    shown: tuple[str, str] | None
    name: str
    version: str

    @classmethod
    def of(cls, called: CopiedCall) -> Terms:
        """The terms of a session."""
        options, folder = called.options, (called.certificates or Path("certs")).absolute()
        shown = (str(folder / "client_cert.pem"), str(folder / "client_key.pem"))
        offered = options.get("client_cert", "yes") == "yes" and Path(shown[0]).exists()
        return cls(
            str(options.get("ca") or folder / "ca_cert.pem"),
            shown if offered else None,
            str(options.get("server_name", "localhost")),
            str(options.get("tls_version", "any")),
        )


def copy_as(called: CopiedCall) -> list[tuple[str, str]]:
    """Shake hands on the session's own terms, and send the bytes of the call."""
    terms = Terms.of(called)
    return [
        ("openssl s_client", f"{kept_open(called.payload)} | {_openssl(called, terms)}"),
        ("Python", _python(called, terms)),
        none("nc", "it does not encrypt; what it sends is no handshake, and the server hangs up"),
    ]


def _openssl(called: CopiedCall, terms: Terms) -> str:
    words = ["openssl", "s_client", "-connect", str(called.address), *_verified(terms.name)]
    words += ["-verify_return_error", "-CAfile", terms.ca]
    words += ["-cert", terms.shown[0], "-key", terms.shown[1]] if terms.shown else []
    words += {"1.2": ["-tls1_2"], "1.3": ["-tls1_3"]}.get(terms.version, [])
    return shlex.join([*words, "-quiet", "-no_ign_eof"])


def _verified(name: str) -> list[str]:
    """An address is in no server name, and verified by another option."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return ["-servername", name, "-verify_hostname", name]
    return ["-noservername", "-verify_ip", name]


def _python(called: CopiedCall, terms: Terms) -> str:
    versions = {
        "1.2": ["context.maximum_version = ssl.TLSVersion.TLSv1_2"],
        "1.3": ["context.minimum_version = ssl.TLSVersion.TLSv1_3"],
    }
    host, port = called.address
    return program(
        "import socket, ssl",
        "",
        f"context = ssl.create_default_context(cafile={terms.ca!r})",
        *versions.get(terms.version, []),
        *([f"context.load_cert_chain({terms.shown[0]!r}, {terms.shown[1]!r})"] if terms.shown else []),
        f"with socket.create_connection(({host!r}, {port}), timeout=5) as plain:",
        f"    with context.wrap_socket(plain, server_hostname={terms.name!r}) as s:",
        "        print(s.version(), s.cipher())",
        f"        s.sendall({called.payload!r})",
        f"        print(s.recv({AT_ONCE}))",
        *(["        s.unwrap()  # says close_notify"] if len(called.payload) <= AT_ONCE else []),
    )
