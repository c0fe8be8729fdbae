"""TLS with the good certificate, with each bad one, and with clients that do not speak it."""

import logging
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
from contextlib import closing, contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netlab.capture.model import Direction, Kind
from netlab.certificates import certs
from netlab.dissect.tls.certificate import read_certificate
from netlab.dissect.tls.chain import examined
from netlab.lab import Lab
from netlab.lab.topic_options import Setting
from netlab.topics.tls import PRESENTED, TOPIC
from netlab.topics.tls.client import Client
from netlab.topics.tls.contexts import server_context
from netlab.topics.tls.dissect import dissect
from netlab.topics.tls.plaintext import open_records
from netlab.topics.tls.server import MODELS
from tests.support.waiting import wait_until

DEADLINE = 10


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return certs.ensure(tmp_path_factory.mktemp("certs"))


@contextmanager
def serving(folder, model="threading", **options):
    server = MODELS[model](("127.0.0.1", 0), certificates=folder, **options)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.server_address
    finally:
        server.shutdown()
        server.server_close()


def connect(address, folder, **options):
    return Client(address, certificates=folder, timeout=DEADLINE, **options)


@pytest.mark.parametrize("model", TOPIC.models)
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_echo_and_what_the_handshake_agreed_on(folder, model, version):
    with serving(folder, model) as address:
        client = connect(address, folder, tls_version=version)
        assert client.send(b"Hello") == 5
        assert client.recv(8192) == b"Hello"
        agreed = client.handshake()
        client.close()
    assert re.match(rf"TLSv{version}, (TLS_AES|ECDHE-)\S+, (128|256) bits, ALPN echo\n", agreed)
    assert "chain: localhost ← netlab lab CA" in agreed
    assert "names: localhost, 127.0.0.1, ::1; localhost is among them" in agreed


def test_a_record_waits_for_no_acknowledgement(folder, monkeypatch):
    at_once = []

    def note(tls):
        at_once.append(tls.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        return ""

    monkeypatch.setattr("netlab.hardening.tls.Encrypted.agreed", lambda self: note(self._tls))
    with serving(folder) as address:
        client = connect(address, folder)
        client.send(b"Hello")
        client.recv()
        note(client.socket)
        client.close()
    assert len(at_once) == 2
    assert all(at_once)


def test_gallery_and_topic_name_the_same_pictures():
    assert set(PRESENTED) == {"good", *(bad.name for bad in certs.GALLERY)}


REASONS = {
    "expired": "validity has ended",
    "not-yet-valid": "has not begun yet",
    "wrong-host": "names another host",
    "self-signed": "nobody but itself",
    "unknown-ca": "that we do not trust",
    "weak-key": "too weak",
    "missing-intermediate": "left out a certificate",
    "client-only": "another purpose",
}


@pytest.mark.parametrize("present", REASONS)
def test_each_bad_certificate_is_refused_with_its_reason(folder, present, caplog):
    caplog.set_level(logging.INFO)
    with serving(folder, present=present) as address, pytest.raises(ssl.SSLCertVerificationError):
        connect(address, folder)
    assert REASONS[present] in caplog.text


FAULTS = {
    "expired": "expired 20",
    "not-yet-valid": "not valid before 20",
    "wrong-host": "for wrong.example, not for localhost",
    "self-signed": "signed by itself",
    "weak-key": "key of only 1,024 bits",
    "client-only": "for use as client only",
}


@pytest.mark.parametrize("present", PRESENTED)
def test_what_can_be_read_against_each_certificate_without_knowing_an_authority(folder, present):
    path = folder / ("server_cert.pem" if present == "good" else f"gallery/{present}_cert.pem")
    pem = path.read_text().partition("-----END")[0] + "-----END CERTIFICATE-----\n"
    certificate = read_certificate(memoryview(ssl.PEM_cert_to_DER_cert(pem)))
    [found] = examined([certificate], time.time_ns(), "localhost", "server")
    assert [fault.startswith(FAULTS.get(present, "")) for fault in found.faults] == [True] * (present in FAULTS)


def test_a_wrong_name_is_refused(folder, caplog):
    with serving(folder) as address, pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        connect(address, folder, server_name="other")
    assert "names another host" in caplog.text


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_no_client_certificate_is_refused_where_one_is_required(folder, version, caplog):
    def talk(**options):
        client = connect(address, folder, tls_version=version, **options)
        client.send(b"Hello")
        return client.recv()

    with serving(folder, client_certs="require") as address:
        assert talk() == b"Hello"
        with pytest.raises(OSError, match=r"CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE|reset|pipe"):
            talk(client_cert="no")


@pytest.mark.parametrize(("direction", "whose"), [("->", "the server"), ("<-", "us")])
def test_a_record_changed_on_its_way_is_refused_and_explained(direction, whose):
    with Lab("tls") as lab, lab.connect() as client:
        client.send(b"Hello")
        client.recv(8192)
        lab.submit(f":fault corrupt byte 7 {direction}")
        client.send(b"Hello")
        with pytest.raises(ssl.SSLError):
            client.recv(8192)
        assert any(f"refused by {whose}: a record" in entry.text for entry in client.transcript)


def test_a_silent_client_is_dropped_and_blocks_nobody(folder, caplog):
    with serving(folder, timeout=0.3) as address, socket.create_connection(address) as mute:
        client = connect(address, folder)
        client.send(b"Hello")
        assert client.recv() == b"Hello"
        mute.settimeout(DEADLINE)
        assert mute.recv(1) == b""
        said = f"127.0.0.1:{mute.getsockname()[1]}: dropped: no whole handshake within 0.3 s"
        wait_until(lambda: said in caplog.messages, said)


@pytest.mark.parametrize("model", TOPIC.models)
def test_plain_text_and_aborted_handshakes_do_not_stop_the_server(folder, model, caplog):
    caplog.set_level(logging.INFO)
    with serving(folder, model) as address:
        for data in (b"GET / HTTP/1.0\r\n\r\n", b"\x00" * 100, b"\x16\x03\x01\x02\x00", b""):
            with socket.create_connection(address) as plain:
                plain.sendall(data)
                plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        with closing(connect(address, folder)) as client:  # open, it would keep a single server from its end
            client.send(b"still here")
            assert client.recv() == b"still here"
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("model", TOPIC.models)
def test_a_session_goes_on_with_its_ticket(folder, model, version):
    with serving(folder, model) as address, closing(connect(address, folder, tls_version=version)) as client:
        assert not client.handshake().resumed
        for _ in range(2):
            client.send(b"Hello")
            assert client.recv() == b"Hello"
            agreed = client.resume()
            assert agreed.resumed
            assert "resumed: a ticket stood in for the certificate" in agreed
            assert "chain: localhost ← netlab lab CA" in agreed
        client.send(b"more")
        assert client.recv() == b"more"


def test_without_a_ticket_nothing_is_closed_and_the_error_says_what_to_do(folder):
    with serving(folder) as address, closing(connect(address, folder, tls_version="1.3")) as client:
        with pytest.raises(ValueError, match="send and recv"):
            client.resume()
        client.send(b"Hello")
        assert client.recv() == b"Hello"
        client.close()
        with pytest.raises(ValueError, match="before you close"):
            client.resume()


def test_a_server_that_does_not_take_the_ticket_shakes_hands_in_full(caplog):
    caplog.set_level(logging.INFO)
    with Lab("tls") as lab, lab.connect() as client:
        client.send(b"Hello")
        client.recv(8192)
        lab.submit(":present client-only")
        lab.submit(":present good")  # a server started again has another key to its tickets
        assert not client.resume().resumed
        assert any("did not take the ticket" in entry.text for entry in client.transcript)
        client.send(b"Hello")
        client.recv(8192)
        lab.submit(":present expired")
        with pytest.raises(ssl.SSLCertVerificationError):
            client.resume()
        assert lab.state.settings == (Setting("certificate", "expired", usual=False),)


def test_a_session_goes_on_in_a_lab_and_both_flows_are_of_its_client():
    with Lab("tls") as lab, lab.connect() as client:
        client.send(b"Hello")
        client.recv(8192)
        client.resume()
        client.send(b"Hello")
        assert client.recv(8192) == b"Hello"
        lab.sync()
        first, second = lab.capture.flows
        assert client.local == second.client
        assert client.attribution.facts(first.client) == client.attribution.facts(second.client) == {"outcome": None}


def alerts(sent, received, keylog):
    """The alerts of each direction, as long as its secrets open all of it."""
    opened = open_records(keylog, memoryview(sent), memoryview(received))
    return [[r.fields[0].value for r in opened[way] if r.name == "alert"] for way in Direction]


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("model", TOPIC.models)
def test_both_sides_end_with_close_notify(version, model):
    with Lab("tls", model=model, options={"tls_version": version}) as lab:
        with lab.connect() as client:
            client.send(b"Hello")
            assert client.recv(8192) == b"Hello"
        wait_until(lambda: any(line.text.startswith("closed ") for line in lab.log.since(0)[0]), "closed")
        lab.sync()
        segments = lab.capture.segments
        streams = [b"".join(bytes(s.data) for s in segments if s.direction is way) for way in Direction]
        assert alerts(*streams, lab.secrets) == [["warning: close_notify"], ["warning: close_notify"]]
        assert [segment.kind for segment in segments][-2:] == [Kind.FIN, Kind.FIN]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_dropped_client_learns_that_it_was_the_end(folder, version):
    context = ssl.create_default_context(cafile=folder / "ca_cert.pem")
    context.maximum_version = version
    with serving(folder, timeout=1) as address, socket.create_connection(address, DEADLINE) as plain:
        tls = context.wrap_socket(plain, server_hostname="localhost", suppress_ragged_eofs=False)
        assert tls.recv(1) == b""


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_a_fin_without_close_notify_is_an_error_on_either_side(folder, version, caplog):
    caplog.set_level(logging.INFO)
    with serving(folder) as address:
        client = connect(address, folder, tls_version=version)
        socket.socket.shutdown(client.socket, socket.SHUT_WR)  # SSLSocket's own would forget that it is one
        wait_until(lambda: "ended without close_notify" in caplog.text, "what the server missed")
        with pytest.raises(ssl.SSLError):
            client.recv()
        client.close()
        client.close()
    with Lab("tls", options={"tls_version": version}) as lab, lab.connect() as client:
        client.send(b"Hello")
        client.recv(8192)
        lab.submit(":fault cut <-")
        client.send(b"more")
        with pytest.raises(ssl.SSLEOFError):
            client.recv(8192)
        assert any("may be cut short" in entry.text for entry in client.transcript)


def test_a_server_that_says_no_goodbye_is_not_waited_for(folder):
    """The peer shakes hands, and is silent from then on."""
    context = server_context(folder, "none", "good")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        held = []

        def shake_hands():
            held.append(context.wrap_socket(listening.accept()[0], server_side=True))

        thread = threading.Thread(target=shake_hands)
        thread.start()
        client = connect(listening.getsockname(), folder)
        thread.join()
        closing = threading.Thread(target=client.close, daemon=True)
        closing.start()
        closing.join(DEADLINE)
        assert not closing.is_alive()
        held[0].close()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_openssl_is_served(folder):
    with serving(folder) as (host, port):
        done = openssl_hello(host, port, folder)
    assert b"Verify return code: 0 (ok)" in done
    assert b"ALPN protocol: echo" in done
    assert re.search(rb"^Hello$", done, re.MULTILINE)


def openssl_hello(host, port, folder):
    """What ``openssl s_client`` prints until it has the echo."""
    command = ["openssl", "s_client", "-connect", f"{host}:{port}", "-CAfile", str(folder / "ca_cert.pem")]
    command += ["-verify_return_error", "-verify_hostname", "localhost", "-alpn", "echo"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
        killer = threading.Timer(DEADLINE, child.kill)
        killer.start()
        child.stdin.write(b"Hello\n")
        child.stdin.flush()
        seen = b""
        while b"\nHello\n" not in seen and (line := child.stdout.readline()):
            seen += line
        child.kill()
        killer.cancel()
    return seen


def flight(folder, version, keylog=None, suite=""):
    """What each side sends in one handshake and echo."""
    context = ssl.create_default_context(cafile=folder / "ca_cert.pem")
    context.maximum_version = version
    if keylog is not None:
        context.keylog_filename = str(keylog)
    if suite:
        context.set_ciphers(suite)
    context.set_alpn_protocols(["echo"])
    into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(into, out, server_hostname="localhost")
    sent = received = b""
    with serving(folder) as address, socket.create_connection(address, DEADLINE) as sock:

        def pump(step):
            nonlocal sent, received
            while True:
                try:
                    result = step()
                except ssl.SSLWantReadError:
                    result = None
                data = out.read()
                sock.sendall(data)
                sent += data
                if result is not None:
                    return
                data = sock.recv(65536)
                received += data
                into.write(data)

        pump(lambda: (tls.do_handshake(), True))
        pump(lambda: tls.write(b"Hello"))
        pump(lambda: tls.read(100))
    return sent, received


def walk(fields):
    for field in fields:
        yield field
        yield from walk(field.children)


def test_the_handshake_is_read_in_clear_and_secrets_stay_closed(folder):
    sent, received = flight(folder, ssl.TLSVersion.TLSv1_2)
    client = list(walk(dissect(memoryview(sent), Direction.TO_SERVER, 0).fields))
    server = list(walk(dissect(memoryview(received), Direction.TO_CLIENT, 0).fields))
    values = {field.name: field.value for field in client}
    assert values["server_name"] == "localhost"
    assert values["application_layer_protocol_negotiation"] == "echo"
    assert "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384" in [
        field.value for field in client if field.name == "cipher suite"
    ]
    assert "CN=localhost ← CN=netlab lab CA" in [field.value for field in server]
    assert all("Hello" not in field.value for field in [*client, *server])
    assert {field.name for field in client if "encrypted" in field.value} == {"handshake", "application_data"}


def test_tls_1_3_shows_its_version_and_hides_its_certificates(folder):
    sent, received = flight(folder, ssl.TLSVersion.TLSv1_3)
    server = list(walk(dissect(memoryview(received), Direction.TO_CLIENT, 0).fields))
    assert [field.value for field in server if field.name == "supported_versions"] == ["TLS 1.3"]
    assert not [field for field in server if field.kind == "X.509"]
    last = dissect(memoryview(sent), Direction.TO_SERVER, 0).fields[-1]
    assert last.end - last.start == 5 + len(b"Hello") + 17


def test_an_alert_has_its_name():
    fields = dissect(memoryview(b"\x15\x03\x03\x00\x02\x02\x30"), Direction.TO_SERVER, 0).fields
    assert fields[0].value == "fatal: unknown_ca"


def test_a_partial_record_says_what_it_waits_for():
    assert dissect(memoryview(b"\x16\x03\x03\x00\x10" + b"x" * 6), Direction.TO_SERVER, 0).needs == 10
    assert dissect(memoryview(b"\x16\x03"), Direction.TO_SERVER, 0).needs == 1


def test_plain_text_is_left_raw_and_said():
    dissection = dissect(memoryview(b"GET / HTTP/1.1\r\n"), Direction.TO_SERVER, 0)
    assert dissection.fields[0].name == "raw"
    assert "plain text" in dissection.problem


@settings(max_examples=300, deadline=None)
@given(
    st.binary(max_size=200),
    st.sampled_from(list(Direction)),
    st.sampled_from([b"", b"\x16\x03\x03\x00\x60\x01\x00\x00\x5c"]),
)
def test_any_bytes_are_fields_or_raw(data, direction, prefix):
    dissection = dissect(memoryview(prefix + data), direction, 0)
    assert all(0 <= field.start <= field.end <= len(prefix + data) for field in walk(dissection.fields))


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("suite", ["", "CHACHA20"])
def test_the_sessions_own_secrets_open_each_record(folder, tmp_path, version, suite):
    sent, received = flight(folder, version, keylog=tmp_path / "keys", suite=suite)
    opened = open_records((tmp_path / "keys").read_text(), memoryview(sent), memoryview(received))
    for direction, stream in ((Direction.TO_SERVER, sent), (Direction.TO_CLIENT, received)):
        said = [record for record in opened[direction] if record.name == "application_data"]
        assert [record.plaintext for record in said] == [b"Hello"]
        assert [field.value for field in said[0].fields] == ["'Hello'"]
        aligned = [len(stream) - record.at >= len(record.plaintext) + 16 for record in opened[direction]]
        assert all(aligned)
        assert said[-1].end == len(stream)
        closed = [f for f in dissect(memoryview(stream), direction, 0).fields if "encrypted" in f.value]
        assert [(record.start, record.end) for record in opened[direction]] == [(f.start, f.end) for f in closed]


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_each_opened_record_says_which_secret_opened_it(folder, tmp_path, version):
    newest = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}[version]
    sent, received = flight(folder, newest, keylog=tmp_path / "keys")
    opened = open_records((tmp_path / "keys").read_text(), memoryview(sent), memoryview(received))
    found = [list(dict.fromkeys(record.secret for record in opened[way])) for way in Direction]
    names = ["handshake traffic secret", "application traffic secret 0"]
    names = names if version == "1.3" else ["write key of the master secret"]
    assert found == [[f"{side} {name}" for name in names] for side in ("client", "server")]


def test_a_refused_chain_is_opened_with_the_only_secret_that_there_is(folder, tmp_path):
    """A client that refuses the server has no secret of the application, nor one for what it would have sent."""
    with Lab("tls", options={"present": "expired", "tls_version": "1.3"}) as lab:
        with pytest.raises(ssl.SSLCertVerificationError):
            lab.connect()
        lab.sync()
        streams = [b"".join(bytes(s.data) for s in lab.capture.segments if s.direction is way) for way in Direction]
        opened = open_records(lab.secrets, *map(memoryview, streams))
    fields = [field for record in opened[Direction.TO_CLIENT] for field in walk(record.fields)]
    assert "CN=localhost ← CN=netlab lab CA" in [field.value for field in fields if field.kind == "X.509"]


def test_secrets_of_another_connection_open_nothing(folder, tmp_path):
    flight(folder, ssl.TLSVersion.TLSv1_3, keylog=tmp_path / "keys")
    sent, received = flight(folder, ssl.TLSVersion.TLSv1_3)
    opened = open_records((tmp_path / "keys").read_text(), memoryview(sent), memoryview(received))
    assert opened is None
    hello = open_records("", memoryview(sent[:100]), memoryview(b""))
    assert hello == {Direction.TO_SERVER: [], Direction.TO_CLIENT: []}


def test_the_encrypted_handshake_of_1_3_is_read_once_it_is_open(folder, tmp_path):
    sent, received = flight(folder, ssl.TLSVersion.TLSv1_3, keylog=tmp_path / "keys")
    opened = open_records((tmp_path / "keys").read_text(), memoryview(sent), memoryview(received))
    fields = [field for record in opened[Direction.TO_CLIENT] for field in walk(record.fields)]
    assert "CN=localhost ← CN=netlab lab CA" in [field.value for field in fields if field.kind == "X.509"]
    assert [field.value for field in fields if field.name == "application_layer_protocol_negotiation"] == ["echo"]


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=120), st.binary(max_size=120))
def test_any_streams_open_to_nothing_without_an_exception(sent, received):
    hello = b"\x16\x03\x03\x00\x46\x02\x00\x00\x42\x03\x03" + bytes(32) + b"\x00\x13\x01\x00"
    keylog = f"CLIENT_RANDOM {sent[11:43].hex()} {bytes(48).hex()}"
    open_records(keylog, memoryview(sent), memoryview(hello + received))
