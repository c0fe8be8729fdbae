"""Messages from elsewhere: from Python alone."""

from __future__ import annotations

from netlab.topics.outside import Called, none, program


def outside(called: Called) -> list[tuple[str, str]]:
    """Send the same object with the standard library's own client."""
    sent = called.arguments[0] if called.name == "send" and called.arguments else "Hello"
    return [
        ("Python", program(
            "from multiprocessing.connection import Client",
            "",
            "authkey = b'peekaboo'  # yours, where you set another one",
            f"with Client({tuple(called.address)!r}, authkey=authkey) as c:",
            f"    c.send({sent!r})",
            "    print(c.recv())",
        )),
        none("nc", "both sides first prove that they know the authkey; then objects cross as pickles"),
    ]  # fmt: skip
