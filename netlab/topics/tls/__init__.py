"""TLS: the same echo, private and with proof of who answers."""

from netlab.capture.model import Transport
from netlab.topics.client_call import Call
from netlab.topics.contract import Option, Topic
from netlab.topics.next_steps import NextSteps

PRESENTED = (
    "good",
    "expired",
    "not-yet-valid",
    "wrong-host",
    "self-signed",
    "unknown-ca",
    "weak-key",
    "missing-intermediate",
    "client-only",
)


def _bare(text: str, model: str) -> list[Call]:
    """Send it through the encrypted connection and show what comes back."""
    return [Call("send", (text.encode("utf-8", "surrogateescape"),)), Call("recv", (8192,))]


TOPIC = Topic(
    name="tls",
    title="TLS",
    summary="an echo server behind TLS: certificates, their verdicts, and ciphertext on the wire",
    transport=Transport.TCP,
    port=20443,
    models=("threading", "single"),
    package=__name__,
    variable="s",
    bare=_bare,
    hint="type Hello and press enter; then :present expired",
    then=NextSteps((":present expired", ":connect"), "refused, with the reason"),
    order=7,
    echoes=True,
    unfinished=lambda model: b"\x16\x03\x01\x02\x00\x01",
    certificates=True,
    options=(
        Option(
            "client_certs",
            "none",
            "whether clients must prove who they are",
            choices=("none", "request", "require"),
        ),
        Option(
            "present",
            "good",
            "the certificate that the server presents",
            choices=PRESENTED,
            status="certificate",
        ),
        Option(
            "client_cert",
            "yes",
            "whether the console's client offers its certificate",
            choices=("yes", "no"),
            server=False,
            client=True,
        ),
        Option(
            "ca", "", "the file of the authority that the client trusts (default: the lab's)", server=False, client=True
        ),
        Option("server_name", "localhost", "the host name that the client expects", server=False, client=True),
        Option(
            "tls_version",
            "any",
            "the newest version that the client speaks",
            choices=("any", "1.2", "1.3"),
            server=False,
            client=True,
        ),
    ),
)
