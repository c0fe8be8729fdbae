"""What can be seen of TLS: certificates that are refused and why, a flipped bit, plain text, and what the wire sees."""

from __future__ import annotations

import ssl

from netlab.capture.model import Direction
from netlab.topics.experiment import Experiment, ExperimentLab, Peer, Runner, payload
from netlab.topics.peer_event import PeerEventKind
from netlab.topics.tls.resumption import RESUMPTION

RECORD = 5 + len("Hello") + 1 + 16
"""Bytes of a TLS 1.3 record: its header, what it carries, the content type, the tag (RFC 8446, 5.2)."""


def _refused(runner: Runner, lab: ExperimentLab, code: int, because: str, **options: str) -> Peer:
    """Connect, and see that the client refuses, with that code of OpenSSL's x509_vfy.h."""
    peer = lab.begin_connect(**options)
    peer.wait()
    runner.expect(f"the client refuses: {because}",
                 lambda: isinstance(peer.outcome, ssl.SSLCertVerificationError) and peer.outcome.verify_code == code,
                 found=lambda: peer.outcome)  # fmt: skip
    runner.expect("it sent the server an alert, and closed",
                 lambda: any("refused: TLS: " in line for line in lab.log()), found=lambda: lab.log())  # fmt: skip
    return peer


def _expired(runner: Runner) -> None:
    lab = runner.lab(present="expired")
    runner.step("The server presents a certificate that was valid until yesterday. Connect.")
    _refused(runner, lab, 10, "certificate has expired")
    lab = runner.lab(present="not-yet-valid")
    runner.step("The server presents one whose validity begins in ten years.")
    _refused(runner, lab, 9, "certificate is not yet valid")


def _wrong_host(runner: Runner) -> None:
    lab = runner.lab(present="wrong-host")
    runner.step("The server presents a certificate for wrong.example. The client asked for localhost.")
    _refused(runner, lab, 62, "certificate is not valid for 'localhost'", server_name="localhost")
    runner.step("A client that asks for wrong.example connects to the same server.")
    other = lab.connect(server_name="wrong.example")
    runner.expect("it accepts the certificate, and its Hello comes back", lambda: _echo(other) == b"Hello")


def _unknown_ca(runner: Runner) -> None:
    lab = runner.lab(present="unknown-ca")
    runner.step("The server presents a valid certificate for localhost, signed by a CA that the client does not know.")
    _refused(runner, lab, 20, "unable to get local issuer certificate")
    lab = runner.lab(present="missing-intermediate")
    runner.step("Our own CA vouches for this one, but through an intermediate certificate that the server leaves out.")
    _refused(runner, lab, 20, "with the same words: it cannot distinguish the two cases")


def _self_signed(runner: Runner) -> None:
    lab = runner.lab(present="self-signed")
    runner.step("The server presents a certificate for localhost, signed with its own key.")
    _refused(runner, lab, 18, "self-signed certificate")
    sent = payload(lab.segments(), Direction.TO_CLIENT)
    runner.expect("the server's certificate had arrived by then", lambda: len(sent) > 500)
    runner.expect("but the handshake was never completed, and none of our data was sent",
                 lambda: not any("shook hands" in line for line in lab.log()))  # fmt: skip


def _no_client_certificate(runner: Runner) -> None:
    lab = runner.lab(client_certs="require")
    runner.step("The server requires client certificates. A client without one connects, with TLS 1.3.")
    peer = lab.begin_connect(client_cert="no", tls_version="1.3")
    outcome = peer.wait()
    runner.expect("the client sees the handshake succeed", lambda: not isinstance(outcome, Exception),
                 found=lambda: outcome)  # fmt: skip
    peer.begin("recv")
    runner.expect("its first recv() raises an error: certificate required",
                 lambda: "CERTIFICATE_REQUIRED" in str(peer.outcome), found=lambda: peer.outcome)  # fmt: skip
    runner.step("The same with TLS 1.2.")
    older = lab.begin_connect(client_cert="no", tls_version="1.2")
    older.wait()
    runner.expect("here the handshake itself fails", lambda: isinstance(older.outcome, ssl.SSLError),
                 found=lambda: older.outcome)  # fmt: skip
    runner.step("A client with a certificate of the lab's authority.")
    proven = lab.connect(client_cert="yes")
    runner.expect("its Hello comes back, and the server knows its name",
                 lambda: _echo(proven) == b"Hello" and any("client 'netlab client'" in line for line in lab.log()),
                 found=lambda: lab.log())  # fmt: skip


def _flipped_bit(runner: Runner) -> None:
    lab = runner.lab()
    peer = lab.connect()
    runner.step("First send Hello and read the echo.")
    echo = _echo(peer)
    runner.expect("it comes back", lambda: echo == b"Hello", found=lambda: echo)
    runner.step("Send it again. On the wire one bit of the record is flipped, byte 10, within the ciphertext.")
    lab.fault("corrupt bit 0 byte 10 ->")
    peer.call("send", b"Hello")
    peer.begin("recv")
    runner.expect("the server ends the connection: bad record MAC",
                 lambda: any("BAD_RECORD_MAC" in line for line in lab.log()), found=lambda: lab.log())  # fmt: skip
    runner.expect("an alert reports that to the client",
                 lambda: isinstance(peer.outcome, ssl.SSLError) and "BAD_RECORD_MAC" in str(peer.outcome),
                 found=lambda: peer.outcome)  # fmt: skip


def _plain_text(runner: Runner) -> None:
    lab = runner.lab()
    runner.step("Connect with a plain socket and send: Hello, is anybody there?")
    sock = lab.dial()
    sock.sendall(b"Hello, is anybody there?\r\n")
    runner.expect("the server takes it for a TLS record with a wrong version",
                 lambda: any("WRONG_VERSION_NUMBER" in line for line in lab.log()),
                 found=lambda: lab.log())  # fmt: skip
    runner.step("Ask in HTTP: GET / HTTP/1.1")
    asking = lab.dial()
    asking.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    runner.expect("the server recognizes the mistake: an HTTP request",
                 lambda: any("HTTP_REQUEST" in line for line in lab.log()), found=lambda: lab.log())  # fmt: skip
    runner.expect("nobody got an echo", lambda: b"Hello" not in payload(lab.segments(), Direction.TO_CLIENT))
    runner.step("A client that speaks TLS connects.")
    runner.expect("it is served as always", lambda: _echo(lab.connect()) == b"Hello")


def _truncated(runner: Runner) -> None:
    lab = runner.lab()
    runner.step("A client reads the echo of its Hello, and closes as TLS requires: close_notify, then a FIN.")
    whole = lab.connect()
    echo = _echo(whole)
    whole.close()
    runner.expect("the server knows that this was all",
                 lambda: echo == b"Hello" and any(event.what is PeerEventKind.CLOSED for event in lab.events()),
                 found=lambda: lab.log())  # fmt: skip
    runner.step(
        "Another client reads its echo and asks for more. On the wire somebody ends the connection, with a FIN."
    )
    peer = lab.connect()
    _echo(peer)
    lab.fault("cut <-")
    peer.call("send", b"more")
    peer.begin("recv")
    runner.expect("recv() does not return b'', as on a plain socket: it raises SSLEOFError",
                 lambda: isinstance(peer.outcome, ssl.SSLEOFError), found=lambda: peer.outcome)  # fmt: skip
    runner.expect("the server's side was ended, too, and its log says that close_notify was missing",
                 lambda: any("without close_notify" in line for line in lab.log()),
                 found=lambda: lab.log())  # fmt: skip


def _wire_sees(runner: Runner) -> None:
    lab = runner.lab()
    runner.step("Connect with TLS 1.3, send Hello, read the echo.")
    peer = lab.connect(tls_version="1.3")
    echo = _echo(peer)
    runner.expect("the client reads Hello", lambda: echo == b"Hello", found=lambda: echo)
    runner.expect("the wire does not: Hello is in none of the bytes, in either direction",
                 lambda: b"Hello" not in _crossed(lab, peer) and len(_crossed(lab, peer)) > 1000)  # fmt: skip
    runner.expect(f"what it sees are {RECORD} bytes: a header of 5, Hello's own 5, one for its type, a tag of 16",
                 lambda: _last_record(payload(lab.segments(), Direction.TO_SERVER, peer.local)) == RECORD)  # fmt: skip
    runner.expect("it also sees which host the client asked for: localhost is not encrypted",
                 lambda: b"localhost" in payload(lab.segments(), Direction.TO_SERVER, peer.local))  # fmt: skip
    runner.expect("but not who answered: the certificate is encrypted",
                 lambda: b"netlab lab CA" not in _crossed(lab, peer))  # fmt: skip
    runner.step("The same with TLS 1.2.")
    older = lab.connect(tls_version="1.2")
    runner.expect("here the certificate is not encrypted: the wire reads who signed it, netlab lab CA",
                 lambda: b"netlab lab CA" in _crossed(lab, older))  # fmt: skip


def _echo(peer: Peer) -> object:
    peer.call("send", b"Hello")
    return peer.call("recv")


def _last_record(data: bytes) -> int:
    """The length of the last record of a stream, which may have crossed together with others."""
    last = at = 0
    while at < len(data):
        last = 5 + int.from_bytes(data[at + 3 : at + 5], "big")
        at += last
    return last


def _crossed(lab: ExperimentLab, peer: Peer) -> bytes:
    return b"".join(payload(lab.segments(), direction, peer.local) for direction in Direction)


EXPERIMENTS: tuple[Experiment, ...] = (
    Experiment(
        "expired",
        "The server's certificate was good until yesterday. What happens when a client connects?",
        (
            "It connects; one day makes no difference.",
            "It connects, and warns.",
            "The client refuses.",
            "The server refuses to start with it.",
        ),
        2,
        "The signature says: this key belongs to localhost, from this date to that date. Outside of it the authority "
        "vouches for nothing, so that a stolen key is useful only for a while. The client checks, by its own clock; "
        "the server does not check its own certificate. So this failure appears by itself, at midnight.",
        _expired,
    ),
    Experiment(
        "wrong-host",
        "The certificate is valid and signed by an authority that the client trusts, but it names wrong.example. The "
        "client wanted localhost. What then?",
        (
            "The client connects: it trusts everyone whom the authority trusts.",
            "The client refuses: it reached a server, but not the one that it asked for.",
            "The client connects, and calls itself wrong.example.",
        ),
        1,
        "An authority vouches for many names. If the name did not matter, the owner of any certificate could pose as "
        "any host. So the client compares the name that it asked for with those in the certificate. The tutorial's "
        "client checks the chain but not the name, and so accepts evil.example as localhost.",
        _wrong_host,
    ),
    Experiment(
        "unknown-ca",
        "Somebody else's authority signed the certificate: right name, right dates. What does the client say?",
        (
            "It refuses: no authority that it trusts vouches for that.",
            "It connects: it is signed, after all.",
            "It asks the authority, and connects if that says yes.",
        ),
        0,
        "Anybody can create an authority in a minute and sign what they like. So a signature counts only if its "
        "authority is in the client's own list, here ca_cert.pem; the client asks nobody. A server must also send the "
        "certificates between its own and the authority's; if it forgets them, it is refused with the same words.",
        _unknown_ca,
    ),
    Experiment(
        "self-signed",
        "The server made its certificate itself. The connection would be encrypted all the same. Does the client "
        "connect?",
        (
            "Yes: encryption is what matters.",
            "No: it cannot know with whom it would share the keys.",
            "Yes, but without encryption.",
        ),
        1,
        "Encryption keeps others from reading, but does not say who the other side is. Somebody in the middle can make "
        "a certificate of their own and pass everything on. So the client checks before it sends your first byte. If "
        "the certificate itself were in its list, it would accept it.",
        _self_signed,
    ),
    Experiment(
        "no-client-certificate",
        "The server wants its clients to prove who they are. A client without a certificate connects, with TLS 1.3. "
        "When does it learn that it is refused?",
        (
            "When it connects: the handshake fails.",
            "When it first reads.",
            "Never; the server serves it as an unknown client.",
        ),
        1,
        "In TLS 1.3 the client sends the last message of the handshake: its certificate, or none. Then it may send "
        "data at once. The refusal is still on its way, and arrives when the client reads its answer. In TLS 1.2 the "
        "server sends the last message. The tutorial's server says that it requires client certificates, but asks for "
        "none.",
        _no_client_certificate,
    ),
    Experiment(
        "flipped-bit",
        "One bit of an encrypted Hello is flipped on the wire. What does the server read?",
        (
            "Hello with one letter changed.",
            "Five bytes of nonsense.",
            "Hello: TLS corrects the error.",
            "Nothing: it ends the connection.",
        ),
        3,
        "Each record ends with a tag over all of its bits, which only somebody with the key can compute. A record "
        "whose tag does not match was changed. TLS does not ask for it again: TCP has already repaired accidental "
        "losses. Compare hmac/tamper, where nobody noticed.",
        _flipped_bit,
    ),
    Experiment(
        "truncated",
        "In the middle of an answer, somebody on the path ends the connection with a FIN. How does recv() end?",
        (
            "It returns b'', as at the end of any stream.",
            "It raises an error: TLS has an end mark of its own, which did not come.",
            "It waits: the FIN was not encrypted, so it does not count.",
        ),
        1,
        "A FIN is a bit in a TCP header, and anybody on the path can set it. So TLS marks its end with a record that "
        "nobody else can make: the alert close_notify. A FIN without it means that the rest may be missing, and half a "
        "price, list or script can be worse than none. Python hides the difference by default; "
        "wrap_socket(..., suppress_ragged_eofs=False) reveals it. Both sides here send close_notify with unwrap(); "
        "close() alone does not send it.",
        _truncated,
    ),
    Experiment(
        "plain-text",
        "Somebody sends plain text to a TLS port. What does the server do?",
        (
            "It echoes the text, unencrypted.",
            "It takes the first bytes for a record header, and refuses.",
            "It waits until TLS comes.",
        ),
        1,
        "The first byte of TLS is 22, for a handshake, and then comes a version. 'H' is 72, and 'el' is no version. If "
        "the server fell back to plain text, anybody in the middle could turn encryption off; so it closes. The log "
        "names a common mistake: http:// instead of https://.",
        _plain_text,
    ),
    Experiment(
        "wire-sees",
        "A client says Hello through TLS 1.3. What can be read on the wire?",
        (
            "Nothing at all; not even that it is TLS.",
            "Hello, since the wire belongs to the lab.",
            "Not Hello; but which host was asked for, and how long each message is.",
            "Not Hello; but the server's certificate and all of its names.",
        ),
        2,
        "What you send is encrypted with keys that are never sent. The first message stays readable, with the host's "
        "name, so that a server with many names can choose its certificate; so do the length and time of each record. "
        "TLS 1.3 encrypts the certificate, too; TLS 1.2 did not.",
        _wire_sees,
    ),
    RESUMPTION,
)
