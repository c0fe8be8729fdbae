"""The trees agree with Wireshark's, where it knows the protocol: on recorded samples, and on what a lab records now."""

from __future__ import annotations

import re
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from netlab.capture.capture_file import Capture
from netlab.capture.model import Direction
from netlab.certificates import certs
from netlab.dissect.fields import Dissection, Field
from netlab.dissect.tls import tls_names
from netlab.lab import Lab
from netlab.topics.discovery import topic_named
from tests.support.dissection_text import read
from tests.support.folders import DISSECT_SAMPLES, TOPIC_SAMPLES
from tests.support.tshark_documents import compare_documents
from tests.support.wireshark import Pairs, layers, names_of, needs_tshark, one_segment, values, walk

pytestmark = needs_tshark
FOLDERS = (DISSECT_SAMPLES, TOPIC_SAMPLES)
KNOWN = {"tls": "tls", "wsgi": "http", "xmlrpc": "http"}
WITHOUT = ("plain-text", "no-http", "partial", "over-three-records", "malformed", "entities")
"""Samples of what is none of the protocol, of which Wireshark waits for the end, or which it puts together first: our
fields are spans of the bytes as they crossed, so a message in pieces stays in pieces. What is malformed it reads on."""
SAMPLES = [
    path
    for folder in FOLDERS
    for path in sorted(folder.glob("*.txt"))
    if path.stem.partition("-")[0] in KNOWN and not any(word in path.stem for word in WITHOUT)
]


def each(fields: tuple[Field, ...]) -> Iterator[Field]:
    """All fields, from the front."""
    for field in fields:
        yield field
        yield from each(field.children)


class Bytes:
    """Bytes with what our dissector made of them."""

    def __init__(self, topic: str, data: bytes, direction: Direction) -> None:
        self.data, self.direction = data, direction
        self.read: Dissection = topic_named(topic).dissector()(memoryview(data), direction, 0)
        self.fields = list(each(self.read.fields))

    def named(self, *names: str) -> list[Field]:
        return [field for field in self.fields if field.name in names]

    def of(self, field: Field) -> bytes:
        return self.data[field.start : field.end]

    def numbers(self, *names: str, kind: str = "") -> list[int]:
        return [int.from_bytes(self.of(f), "big") for f in self.named(*names) if kind in ("", f.kind)]


def integers(pairs: Pairs, *keys: str) -> list[int]:
    """Numbers as tshark writes them, in hex or not."""
    return [int(value, 0) for value in values(pairs, *keys)]


# TLS


def compare_tls(ours: Bytes, theirs: Pairs) -> None:
    """Records, messages and what the hellos, certificates and alerts say."""
    records = ours.read.fields
    header = [{child.name: ours.of(child) for child in record.children} for record in records]
    kinds, lengths = ([int.from_bytes(h[name], "big") for h in header] for name in ("type", "length"))
    assert kinds == integers(theirs, "tls.record.content_type", "tls.record.opaque_type")
    assert lengths == integers(theirs, "tls.record.length")
    assert [int.from_bytes(h["version"], "big") for h in header] == integers(theirs, "tls.record.version")

    messages = [field for field in ours.fields if field.kind == "message"]
    assert [ours.of(m)[0] for m in messages] == integers(theirs, "tls.handshake.type")
    assert [int.from_bytes(ours.of(m)[1:4], "big") for m in messages] == integers(theirs, "tls.handshake.length")
    compare_hellos(ours, theirs)
    compare_certificates(ours, theirs)
    alerts = [ours.of(field) for field in ours.fields if field.kind == "alert"]
    assert [alert[0] for alert in alerts] == integers(theirs, "tls.alert_message.level")
    assert [alert[1] for alert in alerts] == integers(theirs, "tls.alert_message.desc")


def compare_hellos(ours: Bytes, theirs: Pairs) -> None:
    in_messages = [child for m in ours.fields if m.kind == "message" for child in m.children]
    versions = [int.from_bytes(ours.of(f), "big") for f in in_messages if f.name == "version"]
    assert versions == integers(theirs, "tls.handshake.version")
    assert [ours.of(f).hex(":") for f in ours.named("random")] == values(theirs, "tls.handshake.random")
    sessions = [ours.of(f).hex(":") for f in ours.named("session id") if f.start < f.end]
    assert sessions == values(theirs, "tls.handshake.session_id")
    assert ours.numbers("cipher suite") == integers(theirs, "tls.handshake.ciphersuite")

    extensions = [field for field in ours.fields if field.kind == "extension"]
    kinds = [int.from_bytes(ours.of(e)[:2], "big") for e in extensions]
    assert kinds == integers(theirs, "tls.handshake.extension.type")
    assert [e.end - e.start - 4 for e in extensions] == integers(theirs, "tls.handshake.extension.len")
    said = [e.value for e in extensions if e.name == "server_name" and e.value != "acknowledged"]
    assert said == values(theirs, "tls.handshake.extensions_server_name")
    assert words(extensions, "application_layer_protocol_negotiation") == values(
        theirs, "tls.handshake.extensions_alpn_str"
    )
    for name, table, keys in LISTS:
        numbers = {text: number for number, text in table.items()}
        offered = [pair for pair in walk(theirs) if pair[0].startswith("Extension: ")]  # a signature has one as well
        assert [numbers[word] for word in words(extensions, name)] == integers(offered, *keys), name


LISTS = (
    ("supported_versions", tls_names.VERSIONS, ("tls.handshake.extensions.supported_version",)),
    ("supported_groups", tls_names.GROUPS, ("tls.handshake.extensions_supported_group",)),
    ("signature_algorithms", tls_names.SIGNATURES, ("tls.handshake.sig_hash_alg",)),
    (
        "key_share",
        tls_names.GROUPS,
        ("tls.handshake.extensions_key_share_group", "tls.handshake.extensions_key_share_selected_group"),
    ),
)


def words(extensions: list[Field], name: str) -> list[str]:
    return [word for e in extensions if e.name == name for word in e.value.split(", ")]


def compare_certificates(ours: Bytes, theirs: Pairs) -> None:
    certificates = [field for field in ours.fields if field.kind == "X.509"]
    assert [ours.of(c).hex(":") for c in certificates] == values(theirs, "tls.handshake.certificate")
    inside = [{child.name: child for child in c.children} for c in certificates]
    assert [ours.of(c["serial number"]).hex(":") for c in inside] == values(theirs, "x509af.serialNumber")
    names = [c[name].value.removeprefix("CN=") for c in inside for name in ("issuer", "subject")]
    assert names == values(theirs, "x509sat.uTF8String", "x509sat.printableString")
    moments = [moment for c in inside for moment in c["validity"].value.removesuffix(" UTC").split(" UTC to ")]
    assert moments == [stamp.removesuffix(" (UTC)") for stamp in values(theirs, "x509af.utcTime")]


# HTTP, and what it carries


def compare_http(ours: Bytes, theirs: Pairs) -> None:
    """Start lines, headers, chunks, forms, and XML."""
    for name, key in (("method", "request.method"), ("target", "request.uri"), ("status", "response.code")):
        mine = [f.value for f in ours.fields if f.name == name and f.kind == "text" and is_in_start(ours, f)]
        assert mine == values(theirs, f"http.{key}"), name
    versions = [f.value for f in ours.named("version") if is_in_start(ours, f)]
    assert versions == values(theirs, "http.request.version", "http.response.version")
    lines = [ours.of(f).decode() for head in ours.named("headers") for f in head.children]
    said = values(theirs, "http.request.line", "http.response.line")
    assert [line.removesuffix("\r\n") for line in said] == lines

    chunks = [f for f in ours.fields if f.kind == "chunk"]
    assert [int(ours.of(f).split(b"\r\n")[0].split(b";")[0], 16) for f in chunks] == integers(theirs, "http.chunk_size")
    compare_forms(ours, theirs)
    compare_documents(ours.fields, theirs)


def is_in_start(ours: Bytes, field: Field) -> bool:
    return any(
        line.start <= field.start and field.end <= line.end for line in ours.named("request line", "status line")
    )


def compare_forms(ours: Bytes, theirs: Pairs) -> None:
    query = [f for target in ours.named("target") for f in target.children]
    said = values(theirs, "http.request.uri.query.parameter")
    assert [ours.of(f).decode() for f in query] == said
    form = [(f.name, f.value) for body in ours.named("body") for f in body.children if f.kind == "parameter"]
    keys, contents = values(theirs, "urlencoded-form.key"), values(theirs, "urlencoded-form.value")
    if b"chunked" not in ours.data:
        assert form == list(zip(keys, contents, strict=True))
    parts = [(f.name, ours.of(f.children[-1])) for f in ours.fields if f.kind == "part"]
    heads = values(theirs, "mime_multipart.header.content-disposition")
    named = [re.findall('name="(.*?)"', head)[0] for head in heads]
    bodies = [bytes.fromhex(text.replace(":", "")) for text in values(theirs, "data.data")] if heads else []
    assert parts == list(zip(named, bodies, strict=True))


COMPARE = {"tls": compare_tls, "http": compare_http}


# Recorded


def test_all_that_wireshark_knows_is_compared() -> None:
    assert {path.stem.partition("-")[0] for path in SAMPLES} == set(KNOWN)
    assert len(SAMPLES) > 20


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_recorded_bytes_read_alike(path: Path, tmp_path: Path) -> None:
    topic = path.stem.partition("-")[0]
    direction, data, _ = read(path.read_text(encoding="utf-8"))
    theirs = layers(one_segment(tmp_path / "sample.pcap", data), KNOWN[topic], 20000)
    assert theirs
    COMPARE[KNOWN[topic]](Bytes(topic, data, direction), theirs)


# Recorded now


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certs.ensure(tmp_path_factory.mktemp("certs"))


def compare_file(path: Path, topic: str, port: int) -> set[str]:
    """Compare each direction of each conversation of a file; the names of the fields that were seen."""
    capture = Capture.of_file(path)
    capture.grow()
    seen: set[str] = set()
    for index, flow in enumerate(capture.flows):
        for direction in Direction:
            stream = capture.stream(flow, direction)
            side = "dst" if direction is Direction.TO_SERVER else "src"
            theirs = layers(path, KNOWN[topic], port, f"tcp.stream == {index} && tcp.{side}port == {port}")
            ours = Bytes(topic, bytes(stream.view(0, stream.length)), direction)
            COMPARE[KNOWN[topic]](ours, theirs)
            seen |= {field.name for field in ours.fields}
    capture.close()
    return seen


def test_tls_of_a_lab_reads_alike(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("netlab.lab.lab.lab_certificates", lambda: folder)
    with Lab("tls") as lab:
        for version in ("1.2", "1.3"):
            lab.command(f":tls-version {version}")
            lab.command(":present good")
            session = lab.connect()
            session.send(b"Hello")
            session.recv(8192)
            session.close()
            lab.command(":present expired")
            with pytest.raises(ssl.SSLError):
                lab.connect()
        lab.save(tmp_path / "tls.pcapng")
        port = lab.address.port
    seen = compare_file(tmp_path / "tls.pcapng", "tls", port)
    assert seen >= {"server_hello", "certificate", "server_key_exchange", "key_share", "alert", "ciphertext"}


def test_http_of_a_lab_reads_alike(tmp_path: Path) -> None:
    with Lab("wsgi") as lab:
        session = lab.connect()
        session.get("/hello", name="Guido van Rossum", x=1)
        session.get("/nowhere")
        session.post("/hello", name="Grüße", empty="")
        with socket.create_connection(lab.address) as raw:
            raw.sendall(
                b"POST /hello HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nHello\r\n0\r\n\r\n"
            )
            while raw.recv(8192):
                pass
        lab.save(tmp_path / "http.pcapng")
        port = lab.address.port
    seen = compare_file(tmp_path / "http.pcapng", "wsgi", port)
    assert seen >= {"chunk 1", "last chunk", "name", "status", "body"}


def test_calls_of_a_lab_read_alike(tmp_path: Path) -> None:
    with Lab("xmlrpc") as lab:
        session = lab.connect()
        session.set("spam", [1, -2.5, True, "é<&>", {"a": 1}])
        session.get("spam")
        with pytest.raises(Exception, match="404"):
            session.get("nothing")
        lab.save(tmp_path / "calls.pcapng")
        port = lab.address.port
    seen = compare_file(tmp_path / "calls.pcapng", "xmlrpc", port)
    assert seen >= {"methodCall", "param 2", "fault", "faultCode", "methodResponse"}


# Names


@pytest.fixture(scope="module")
def tables() -> str:
    """All values that Wireshark has names for, of TLS."""
    shown = subprocess.run(["tshark", "-G", "values"], capture_output=True, text=True, check=True, timeout=60).stdout
    return "\n".join(line for line in shown.splitlines() if line.startswith("V\ttls."))


@pytest.mark.parametrize(
    ("field", "ours"),
    [
        ("tls.record.content_type", tls_names.RECORDS),
        ("tls.record.version", tls_names.VERSIONS),
        ("tls.handshake.extension.type", tls_names.EXTENSIONS),
        ("tls.handshake.ciphersuite", tls_names.CIPHERS),
        ("tls.handshake.extensions_supported_group", tls_names.GROUPS),
        ("tls.handshake.sig_hash_alg", tls_names.SIGNATURES),
        ("tls.alert_message.desc", tls_names.ALERTS),
        ("tls.alert_message.level", tls_names.ALERT_LEVELS),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_numbers_have_the_same_names(field: str, ours: dict[int, str], tables: str) -> None:
    theirs = names_of(field, tables)
    assert len(theirs) > 1
    shared = {number: name for number, name in ours.items() if number in theirs}
    assert len(shared) >= len(ours) / 2
    assert {n: plain(name) for n, name in shared.items()} == {n: plain(theirs[n]) for n in shared}


def plain(name: str) -> str:
    """Without what is a matter of spelling."""
    return re.sub("[^a-z0-9]", "", name.lower())
