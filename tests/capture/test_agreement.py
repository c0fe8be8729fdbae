"""netlab's reader, the independent reader and, where it is installed, tshark say the same about the same files."""

from __future__ import annotations

import contextlib
import shutil
import ssl
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from netlab.capture.capture_file import Capture
from netlab.capture.model import Direction
from netlab.capture.savefile import save
from tests.capture.test_formats import LINKED
from tests.support import build, independent
from tests.support.build import ACK, CLIENT, FIN, RST, SERVER, SYN, tcp, udp

with_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
UNTIDY = [
    *build.opened(),
    tcp(CLIENT, SERVER, 101, payload=b"one ", acknowledged=901),
    tcp(CLIENT, SERVER, 110, payload=b"hree ", acknowledged=901),
    tcp(SERVER, CLIENT, 901, payload=b"yes", acknowledged=105),
    tcp(CLIENT, SERVER, 101, payload=b"one two t", acknowledged=904),
    tcp(SERVER, CLIENT, 904, payload=b"!", acknowledged=115),
    tcp(CLIENT, SERVER, 115, payload=b"four", acknowledged=905),
]


def tshark(path: Path, *arguments: str) -> str:
    command = ["tshark", "-n", "-r", str(path), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def read(path: Path) -> Capture:
    capture = Capture.of_file(path)
    capture.grow()
    return capture


def carried(capture: Capture, way: Direction) -> bytes:
    stream = capture.stream(capture.flows[0], way)
    return bytes(stream.view(0, stream.length))


def test_the_independent_reader_agrees(tmp_path: Path) -> None:
    path = tmp_path / "lab.pcapng"
    path.write_bytes(build.capture([*build.echo(), udp(CLIENT, SERVER, b"time?"), *build.opened(first=5, second=6)]))
    capture, (first, second, third) = read(path), independent.conversations(path)

    assert [(str(f.transport.value), tuple(f.client), tuple(f.server)) for f in capture.flows] == [
        (c.transport, c.client, c.server) for c in (first, second, third)
    ]
    assert (bytes(first.to_server.data), first.to_client.fin, first.reset) == (
        carried(capture, Direction.TO_SERVER),
        True,
        False,
    )
    assert second.to_server.datagrams == [b"time?"]


@pytest.mark.parametrize(
    "packets",
    [
        UNTIDY,
        build.opened()[1:],
        [*build.opened(), tcp(CLIENT, SERVER, 102, payload=b"x")],
        [*build.echo(), tcp(CLIENT, SERVER, 107, payload=b"x")],
        [build.ip("::1", "::1", 58, bytes(8))],
        [build.ip("10.0.0.1", "10.0.0.1", 17, bytes(8), total=99)],
    ],
)
def test_the_independent_reader_is_strict(packets: list[bytes]) -> None:
    with pytest.raises(independent.Wrong):
        independent.conversations(build.capture(packets))


def test_the_independent_reader_wants_whole_blocks() -> None:
    whole = build.capture(build.echo())
    for content in (whole[:-1], whole + build.original(b"x"), whole + build.block(99, b""), build.interface() + whole):
        with pytest.raises(independent.Wrong):
            independent.frames(content)


@with_tshark
def test_tshark_follows_the_same_stream(tmp_path: Path) -> None:
    path = tmp_path / "untidy.pcapng"
    path.write_bytes(build.capture(UNTIDY))
    lines = tshark(path, "-q", "-z", "follow,tcp,raw,0").splitlines()[6:-1]
    capture = read(path)

    assert bytes.fromhex("".join(line for line in lines if not line.startswith("\t"))) == b"one two three four"
    assert carried(capture, Direction.TO_SERVER) == b"one two three four"
    assert bytes.fromhex("".join(line for line in lines if line.startswith("\t"))) == b"yes!"
    assert carried(capture, Direction.TO_CLIENT) == b"yes!"


@with_tshark
def test_tshark_finds_the_same_packets_behind_every_link_header(tmp_path: Path) -> None:
    path = tmp_path / "links.pcapng"
    known = [linked for name, linked in LINKED.items() if name != "MPLS"]  # of which tshark reads no file
    interfaces = b"".join(build.interface(link) for link, _ in known)
    packets = (build.enhanced(packet, number=number) for number, (_, packet) in enumerate(known))
    path.write_bytes(build.section() + interfaces + b"".join(packets))
    capture = read(path)

    fields = ("-T", "fields", "-e", "udp.srcport", "-e", "udp.dstport", "-e", "data.data")
    seen = [(s.flow.client.port, s.flow.server.port, bytes(s.data).hex()) for s in capture.segments]
    assert "".join("\t".join(map(str, each)) + "\n" for each in seen) == tshark(path, *fields)
    assert not capture.unread


TALKS = {
    "simultaneous": [tcp(CLIENT, SERVER, 1, SYN), tcp(SERVER, CLIENT, 5, SYN), tcp(CLIENT, SERVER, 1, SYN | ACK)],
    "split": [tcp(CLIENT, SERVER, 1, SYN), tcp(SERVER, CLIENT, 5, SYN), tcp(CLIENT, SERVER, 1, SYN | ACK, b"", 6)],
    "opening with bytes": [tcp(CLIENT, SERVER, 1, SYN, b"Hello"), tcp(SERVER, CLIENT, 5, SYN | ACK, b"Hi", 7)],
    "ports used again": [*build.echo(), *build.opened(first=7000, second=9000)],
    "the other way round": [*build.echo(), *build.opened(SERVER, CLIENT, first=7000, second=9000)],
    "reset with text": [*build.opened(), tcp(SERVER, CLIENT, 901, RST | ACK, b"go away", 101)],
    "ends with bytes": [*build.opened(), tcp(CLIENT, SERVER, 101, FIN | ACK, b"bye", 901)],
    "seen late": [tcp(CLIENT, SERVER, 50, payload=b"late"), tcp(SERVER, CLIENT, 5, payload=b"yes", acknowledged=54)],
}


@with_tshark
@pytest.mark.parametrize("name", TALKS)
def test_tshark_tells_the_same_conversations_apart(tmp_path: Path, name: str) -> None:
    path = tmp_path / "talk.pcapng"
    path.write_bytes(build.capture(TALKS[name]))
    capture = read(path)

    fields = (
        "-T",
        "fields",
        "-e",
        "tcp.stream",
        "-e",
        "tcp.len",
        "-Y",
        "tcp.len > 0 || tcp.flags & 5 || tcp.flags & 0x12 == 2",
    )
    seen = [f"{s.flow.number - 1}\t{s.length}\n" for s in capture.segments]
    assert "".join(seen) == tshark(path, *fields)
    for flow in capture.flows:
        lines = tshark(path, "-q", "-z", f"follow,tcp,raw,{flow.number - 1}").splitlines()[6:-1]
        for way in Direction:
            stream = capture.stream(flow, way)
            theirs = "".join(line.strip() for line in lines if line.startswith("\t") is (way is Direction.TO_CLIENT))
            assert bytes(stream.view(0, stream.length)) == bytes.fromhex(theirs)


def self_signed() -> bytes:
    """A certificate for localhost and its key, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, *plain) + certificate.public_bytes(serialization.Encoding.PEM)


class Conversation:
    """A TLS client and server that talk in memory; every flight between them becomes a packet."""

    def __init__(self, folder: Path) -> None:
        certificate, self.log = folder / "server.pem", folder / "keys.log"
        certificate.write_bytes(self_signed())
        serving, asking = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        serving.load_cert_chain(certificate)
        asking.load_verify_locations(certificate)
        asking.keylog_filename = str(self.log)
        self._inboxes = ssl.MemoryBIO(), ssl.MemoryBIO()  # the client's, the server's
        self.client = asking.wrap_bio(*self._inboxes, server_hostname="localhost")
        self.server = serving.wrap_bio(self._inboxes[1], self._inboxes[0], server_side=True)
        self.packets = build.opened()
        self._sequence = [101, 901]

    def step(self, act: Callable[[], object], *, by_client: bool) -> None:
        """Let one side act, and put what it sends into a packet on its way to the other."""
        with contextlib.suppress(ssl.SSLWantReadError):
            act()
        outbox = self._inboxes[by_client]
        flight = outbox.read()
        outbox.write(flight)
        ends = (CLIENT, SERVER) if by_client else (SERVER, CLIENT)
        side = 0 if by_client else 1
        sequence, acknowledged = self._sequence[side], self._sequence[1 - side]
        self.packets.append(tcp(*ends, sequence, payload=flight, acknowledged=acknowledged))
        self._sequence[side] += len(flight)


@with_tshark
def test_saved_secrets_let_wireshark_decrypt(tmp_path: Path) -> None:
    talk = Conversation(tmp_path)
    for by_client in (True, False, True):
        talk.step(talk.client.do_handshake if by_client else talk.server.do_handshake, by_client=by_client)
    talk.step(lambda: talk.client.write(b"GET /secret HTTP/1.1\r\nHost: localhost\r\n\r\n"), by_client=True)
    (tmp_path / "capture").write_bytes(build.capture(talk.packets))
    length = (tmp_path / "capture").stat().st_size
    save(tmp_path / "capture", length, tmp_path / "shut.pcapng")
    save(tmp_path / "capture", length, tmp_path / "open.pcapng", secrets=talk.log.read_bytes())

    wanted = ("-d", "tcp.port==20000,tls", "-Y", "http.request", "-T", "fields", "-e", "http.request.uri")
    assert tshark(tmp_path / "shut.pcapng", *wanted) == ""
    assert tshark(tmp_path / "open.pcapng", *wanted) == "/secret\n"
    assert tshark(tmp_path / "open.pcapng", "-Y", "_ws.malformed") == ""
