"""What can be seen of TLS: certificates that are refused and why, a flipped bit, plain text, and what the wire sees."""

from __future__ import annotations

import ssl

from netlab.capture.model import Direction
from netlab.topics.experiment import Bench, Experiment, Peer, Trial, carried, payload

RECORD = 5 + len("Hello") + 1 + 16
"""Bytes of a TLS 1.3 record: its header, what it carries, the content type, the tag (RFC 8446, 5.2)."""


def _refused(trial: Trial, bench: Bench, code: int, because: str, **options: str) -> Peer:
    """Connect, and see that the client refuses, with that code of OpenSSL's x509_vfy.h."""
    peer = bench.begin_connect(**options)
    peer.wait()
    trial.expect(f"the client refuses: {because}",
                 lambda: isinstance(peer.outcome, ssl.SSLCertVerificationError) and peer.outcome.verify_code == code,
                 found=lambda: peer.outcome)  # fmt: skip
    trial.expect("it told the server so with an alert, and closed",
                 lambda: any("refused: TLS: " in line for line in bench.log()), found=lambda: bench.log())  # fmt: skip
    return peer


def _expired(trial: Trial) -> None:
    bench = trial.lab(present="expired")
    trial.step("The server presents a certificate that was valid until yesterday. Connect.")
    _refused(trial, bench, 10, "certificate has expired")
    bench = trial.lab(present="not-yet-valid")
    trial.step("The server presents one whose validity begins in ten years.")
    _refused(trial, bench, 9, "certificate is not yet valid")


def _wrong_host(trial: Trial) -> None:
    bench = trial.lab(present="wrong-host")
    trial.step("The server presents a certificate for wrong.example. The client asked for localhost.")
    _refused(trial, bench, 62, "certificate is not valid for 'localhost'", server_name="localhost")
    trial.step("A client that asks for wrong.example connects to the same server.")
    other = bench.connect(server_name="wrong.example")
    trial.expect("it accepts the certificate, and its Hello comes back", lambda: _echo(other) == b"Hello")


def _unknown_ca(trial: Trial) -> None:
    bench = trial.lab(present="unknown-ca")
    trial.step("The server presents a valid certificate for localhost, signed by a CA that the client does not know.")
    _refused(trial, bench, 20, "unable to get local issuer certificate")
    bench = trial.lab(present="missing-intermediate")
    trial.step("Our own CA vouches for this one, but through an intermediate certificate that the server leaves out.")
    _refused(trial, bench, 20, "with the same words: it cannot tell the two cases apart")


def _self_signed(trial: Trial) -> None:
    bench = trial.lab(present="self-signed")
    trial.step("The server presents a certificate for localhost, signed with its own key.")
    _refused(trial, bench, 18, "self-signed certificate")
    sent = payload(bench.segments(), Direction.TO_CLIENT)
    trial.expect("the server's certificate had arrived by then", lambda: len(sent) > 500)
    trial.expect("but the handshake was never completed, and none of our data was sent",
                 lambda: not any("shook hands" in line for line in bench.log()))  # fmt: skip


def _no_client_certificate(trial: Trial) -> None:
    bench = trial.lab(client_certs="require")
    trial.step("The server requires client certificates. A client without one connects, with TLS 1.3.")
    peer = bench.begin_connect(client_cert="no", tls_version="1.3")
    outcome = peer.wait()
    trial.expect("the client sees the handshake succeed", lambda: not isinstance(outcome, Exception),
                 found=lambda: outcome)  # fmt: skip
    peer.begin("recv")
    trial.expect("its first recv() raises an error: certificate required",
                 lambda: "CERTIFICATE_REQUIRED" in str(peer.outcome), found=lambda: peer.outcome)  # fmt: skip
    trial.step("The same with TLS 1.2.")
    older = bench.begin_connect(client_cert="no", tls_version="1.2")
    older.wait()
    trial.expect("here the handshake itself fails", lambda: isinstance(older.outcome, ssl.SSLError),
                 found=lambda: older.outcome)  # fmt: skip
    trial.step("A client with a certificate of the lab's authority.")
    proven = bench.connect(client_cert="yes")
    trial.expect("its Hello comes back, and the server knows its name",
                 lambda: _echo(proven) == b"Hello" and any("client 'netlab client'" in line for line in bench.log()),
                 found=lambda: bench.log())  # fmt: skip


def _flipped_bit(trial: Trial) -> None:
    bench = trial.lab()
    peer = bench.connect()
    trial.step("First send Hello and read the echo.")
    echo = _echo(peer)
    trial.expect("it comes back", lambda: echo == b"Hello", found=lambda: echo)
    trial.step("Send it again. On the wire one bit of the record is flipped, byte 10, within the ciphertext.")
    bench.fault("corrupt bit 0 byte 10 ->")
    peer.call("send", b"Hello")
    peer.begin("recv")
    trial.expect("the server ends the connection: bad record MAC",
                 lambda: any("BAD_RECORD_MAC" in line for line in bench.log()), found=lambda: bench.log())  # fmt: skip
    trial.expect("an alert tells the client so",
                 lambda: isinstance(peer.outcome, ssl.SSLError) and "BAD_RECORD_MAC" in str(peer.outcome),
                 found=lambda: peer.outcome)  # fmt: skip


def _plain_text(trial: Trial) -> None:
    bench = trial.lab()
    trial.step("Connect with a plain socket and send: Hello, is anybody there?")
    sock = bench.dial()
    sock.sendall(b"Hello, is anybody there?\r\n")
    trial.expect("the server takes it for a TLS record with a wrong version",
                 lambda: any("WRONG_VERSION_NUMBER" in line for line in bench.log()),
                 found=lambda: bench.log())  # fmt: skip
    trial.step("Ask in HTTP: GET / HTTP/1.1")
    asking = bench.dial()
    asking.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    trial.expect("the server recognizes the mistake: an HTTP request",
                 lambda: any("HTTP_REQUEST" in line for line in bench.log()), found=lambda: bench.log())  # fmt: skip
    trial.expect("nobody got an echo", lambda: b"Hello" not in payload(bench.segments(), Direction.TO_CLIENT))
    trial.step("A client that speaks TLS connects.")
    trial.expect("it is served as always", lambda: _echo(bench.connect()) == b"Hello")


def _truncated(trial: Trial) -> None:
    bench = trial.lab()
    trial.step("A client reads the echo of its Hello, and closes as TLS requires: close_notify, then a FIN.")
    whole = bench.connect()
    echo = _echo(whole)
    whole.close()
    trial.expect("the server knows that this was all",
                 lambda: echo == b"Hello" and any(line.startswith("closed ") for line in bench.log()),
                 found=lambda: bench.log())  # fmt: skip
    trial.step("Another client reads its echo and asks for more. On the wire somebody ends the connection, with a FIN.")
    peer = bench.connect()
    _echo(peer)
    bench.fault("cut <-")
    peer.call("send", b"more")
    peer.begin("recv")
    trial.expect("recv() does not return b'', as on a plain socket: it raises SSLEOFError",
                 lambda: isinstance(peer.outcome, ssl.SSLEOFError), found=lambda: peer.outcome)  # fmt: skip
    trial.expect("the server's side was ended, too, and its log says that close_notify was missing",
                 lambda: any("without close_notify" in line for line in bench.log()),
                 found=lambda: bench.log())  # fmt: skip


def _wire_sees(trial: Trial) -> None:
    bench = trial.lab()
    trial.step("Connect with TLS 1.3, send Hello, read the echo.")
    peer = bench.connect(tls_version="1.3")
    echo = _echo(peer)
    trial.expect("the client reads Hello", lambda: echo == b"Hello", found=lambda: echo)
    trial.expect("the wire does not: Hello is in none of the bytes, in either direction",
                 lambda: b"Hello" not in _crossed(bench, peer) and len(_crossed(bench, peer)) > 1000)  # fmt: skip
    trial.expect(f"what it sees are {RECORD} bytes: a header of 5, Hello's own 5, one for its type, a tag of 16",
                 lambda: carried(bench.segments(), Direction.TO_SERVER)[-1].length == RECORD)  # fmt: skip
    trial.expect("it also sees which host the client asked for: localhost is not encrypted",
                 lambda: b"localhost" in payload(bench.segments(), Direction.TO_SERVER, peer.local))  # fmt: skip
    trial.expect("but not who answered: the certificate is encrypted",
                 lambda: b"netlab lab CA" not in _crossed(bench, peer))  # fmt: skip
    trial.step("The same with TLS 1.2.")
    older = bench.connect(tls_version="1.2")
    trial.expect("here the certificate is not encrypted: the wire reads who signed it, netlab lab CA",
                 lambda: b"netlab lab CA" in _crossed(bench, older))  # fmt: skip


def _echo(peer: Peer) -> object:
    peer.call("send", b"Hello")
    return peer.call("recv")


def _crossed(bench: Bench, peer: Peer) -> bytes:
    return b"".join(payload(bench.segments(), direction, peer.local) for direction in Direction)


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
)
