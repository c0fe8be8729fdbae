"""The encrypted echo from elsewhere, verified against the lab's own authority."""

from __future__ import annotations

import shlex
from pathlib import Path

from netlab.topics.outside import Called, none, printf, program


def outside(called: Called) -> list[tuple[str, str]]:
    """Shake hands, with the client's certificate as the server may want one, and send the bytes of the call."""
    host, port = called.address
    folder = called.certificates or Path("certs")
    ca, cert, key = (str(folder / name) for name in ("ca_cert.pem", "client_cert.pem", "client_key.pem"))
    openssl = shlex.join([
        "openssl", "s_client", "-connect", str(called.address), "-servername", "localhost", "-verify_hostname",
        "localhost", "-verify_return_error", "-CAfile", ca, "-cert", cert, "-key", key, "-quiet", "-no_ign_eof",
    ])  # fmt: skip
    return [
        ("openssl s_client", f"({printf(called.payload)}; sleep 1) | {openssl}"),
        ("Python", program(
            "import socket, ssl",
            "",
            f"context = ssl.create_default_context(cafile={ca!r})",
            f"context.load_cert_chain({cert!r}, {key!r})",
            f"with socket.create_connection(({host!r}, {port}), timeout=5) as plain:",
            "    with context.wrap_socket(plain, server_hostname='localhost') as s:",
            "        print(s.version(), s.cipher())",
            f"        s.sendall({called.payload!r})",
            "        print(s.recv(8192))",
        )),
        none("nc", "it does not encrypt; what it sends is no handshake, and the server hangs up"),
    ]  # fmt: skip
