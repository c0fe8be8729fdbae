"""The handshake from elsewhere."""

from __future__ import annotations

from netlab.topics.copy_as import CopiedCall, none, program


def copy_as(called: CopiedCall) -> list[tuple[str, str]]:
    """Answer the challenge and send the bytes of the call."""
    return [
        ("Python", program(
            "import hmac, socket",
            "",
            f"secret = {called.options.get('secret', b'peekaboo')!r}",
            f"with socket.create_connection({tuple(called.address)!r}, timeout=5) as s:",
            "    challenge = s.recv(32, socket.MSG_WAITALL)",
            "    s.sendall(hmac.digest(secret, challenge, 'sha256'))",
            f"    s.sendall({called.payload!r})",
            "    print(s.recv(8192))",
        )),
        none("nc", "the answer to the challenge must be computed; nc shows the challenge and cannot"),
    ]  # fmt: skip
