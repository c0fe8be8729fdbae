"""The experiment on resumption: what a second handshake does without."""

from __future__ import annotations

from netlab.capture.model import Direction, Endpoint
from netlab.dissect.tls.hello import read_hello
from netlab.topics.experiment import Experiment, ExperimentLab, Runner, payload
from netlab.topics.tls.verdicts import Agreed

HELLO_AT = 5 + 4
"""Where the client's first message begins: after the headers of its record and of itself."""
AUTHORITY = b"netlab lab CA"


def _run(runner: Runner) -> None:
    lab = runner.lab()
    runner.step("Connect with TLS 1.3, send Hello, read the echo. With it comes a ticket.")
    peer = lab.connect(tls_version="1.3")
    peer.call("send", b"Hello")
    peer.call("recv")
    first = peer.local
    runner.step("Resume: close, and connect again with that ticket.")
    agreed = peer.call("resume")
    peer.call("send", b"Hello")
    echo = peer.call("recv")
    second = peer.local
    runner.expect("the server takes the ticket, and Hello comes back",
                  lambda: _resumed(agreed) and echo == b"Hello", found=lambda: agreed)  # fmt: skip
    runner.expect("the server's log says so, too", lambda: any("resumed" in line for line in lab.log()),
                  found=lambda: lab.log())  # fmt: skip
    runner.expect("the client's first message held the ticket; anybody on the wire can see that, but not what is in it",
                  lambda: _offers_ticket(lab, second) and not _offers_ticket(lab, first))  # fmt: skip
    runner.expect("the server sent fewer bytes: no certificate, and no signature",
                  lambda: 0 < len(_from_server(lab, second)) < len(_from_server(lab, first)),
                  found=lambda: [len(_from_server(lab, each)) for each in (first, second)])  # fmt: skip
    sizes = [len(_from_server(lab, each)) for each in (first, second)]
    runner.show(f"from the server: {sizes[0]:,} bytes with the full handshake, {sizes[1]:,} bytes with the resumed one")
    runner.step("The same with TLS 1.2, where the wire can read the certificates.")
    older = lab.connect(tls_version="1.2")
    before = older.local
    agreed_now = older.call("resume")
    runner.expect("the first handshake has a certificate, signed by netlab lab CA; the second has none",
                  lambda: _resumed(agreed_now) and AUTHORITY in _from_server(lab, before)
                  and len(_from_server(lab, older.local)) > 0 and AUTHORITY not in _from_server(lab, older.local),
                  found=lambda: agreed_now)  # fmt: skip


def _resumed(agreed: object) -> bool:
    return isinstance(agreed, Agreed) and agreed.resumed


def _offers_ticket(lab: ExperimentLab, client: Endpoint | None) -> bool:
    """Whether a client's hello offers a ticket (RFC 8446, section 4.2.11; RFC 5077, section 3.2)."""
    sent = payload(lab.segments(), Direction.TO_SERVER, client)
    return read_hello(memoryview(sent)[HELLO_AT:], server=False).takes_ticket


def _from_server(lab: ExperimentLab, client: Endpoint | None) -> bytes:
    return payload(lab.segments(), Direction.TO_CLIENT, client)


RESUMPTION = Experiment(
    "resumption",
    "A client has talked to the server, and was given a ticket. It connects again and shows the ticket. What does the "
    "second handshake do without?",
    (
        "Nothing: each connection proves everything again.",
        "The certificate and its signature.",
        "New keys: those of the first connection are used again.",
        "All of it: the client sends its data at once.",
    ),
    1,
    "The ticket stands for a secret that only these two share, since the handshake in which the certificate was "
    "checked. Who uses that secret must be one of them, so neither sends a certificate. That saves most of the bytes, "
    "and the slowest computation, the signature. With TLS 1.3 both still agree on new keys. The price: as long as the "
    "ticket is good, here two hours, the client does not notice that the certificate has expired. A server that was "
    "restarted cannot open its old tickets, and answers with a full handshake.",
    _run,
)
