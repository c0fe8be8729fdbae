"""What the lab's own TLS sessions said, record by record: opened with the secrets that the session itself wrote down.

The secrets are lines of a key log (draft-ietf-tls-keylogfile); the ciphers are those that TLS 1.3 and a default TLS 1.2
context agree on: AES-GCM and ChaCha20-Poly1305. A record that does not open is left closed. No socket is touched.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeAlias

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from netlab.capture.model import Direction
from netlab.dissect.decrypted_record import Opened
from netlab.dissect.field_reader import FieldReader, Short
from netlab.dissect.tls.tls_names import RECORDS
from netlab.dissect.tls.tls_records import dissect_content, said

Aead: TypeAlias = AESGCM | ChaCha20Poly1305

HEADER, TAG = 5, 16
CHANGE_CIPHER_SPEC, HANDSHAKE, APPLICATION_DATA = 20, 22, 23
SERVER_HELLO, FINISHED, KEY_UPDATE = 2, 20, 24
_SIDES = {Direction.TO_SERVER: "client", Direction.TO_CLIENT: "server"}


@dataclass(frozen=True, slots=True)
class Suite:
    """How a cipher suite protects records; ``explicit`` is the part of the nonce that TLS 1.2 sends along, in bytes."""

    cipher: type[AESGCM] | type[ChaCha20Poly1305]
    key_size: int
    digest: hashes.HashAlgorithm
    explicit: int = 8


_AES_128 = Suite(AESGCM, 16, hashes.SHA256())
_AES_256 = Suite(AESGCM, 32, hashes.SHA384())
_CHACHA = Suite(ChaCha20Poly1305, 32, hashes.SHA256(), explicit=0)
SUITES = (
    dict.fromkeys((0x1301, 0x009C, 0x009E, 0xC02B, 0xC02F), _AES_128)
    | dict.fromkeys((0x1302, 0x009D, 0x009F, 0xC02C, 0xC030), _AES_256)
    | dict.fromkeys((0x1303, 0xCCA8, 0xCCA9, 0xCCAA), _CHACHA)
)


def open_records(keylog: str, to_server: memoryview, to_client: memoryview) -> dict[Direction, list[Opened]] | None:
    """Every record of a connection's two streams that the secrets open; None where they are not of this connection."""
    return Conversation().grow(keylog, to_server, to_client)


class Conversation:
    """One connection, opened as it grows: each record once."""

    def __init__(self) -> None:
        self._opened: dict[Direction, list[Opened]] = {direction: [] for direction in Direction}
        self._sides: dict[Direction, _Side] = {}

    def grow(self, keylog: str, to_server: memoryview, to_client: memoryview) -> dict[Direction, list[Opened]] | None:
        """All records so far; the streams begin with what they were before. None: the secrets are of no use here."""
        streams = {Direction.TO_SERVER: to_server, Direction.TO_CLIENT: to_client}
        hellos = _hellos(to_server, to_client)
        if hellos is None:
            return self._opened
        secrets = _secrets(keylog, hellos.client_random) if self._wants_secrets else {}
        if not self._sides and not self._begin(hellos, secrets):
            return self._opened if secrets else None
        self._open(streams, secrets)
        if not secrets and self._wants_secrets:  # the last record under the first keys came, and more behind it
            self._open(streams, _secrets(keylog, hellos.client_random))
        return self._opened

    def _open(self, streams: Mapping[Direction, memoryview], secrets: dict[str, bytes]) -> None:
        for direction, side in self._sides.items():
            self._opened[direction] += side.open(streams[direction], secrets)

    @property
    def _wants_secrets(self) -> bool:
        """Whether some are missing."""
        return not self._sides or any(side.waits for side in self._sides.values())

    def _begin(self, hellos: _Hellos, secrets: dict[str, bytes]) -> bool:
        """Make what opens each side; whether a first secret is there."""
        made = {way: (_Side13 if hellos.is_1_3 else _Side12)(hellos, secrets, way) for way in Direction}
        if all(side.waits for side in made.values()):
            return False
        self._sides.update(made)
        return True


@dataclass(frozen=True, slots=True)
class _Hellos:
    """What the two hellos say that the keys depend on."""

    client_random: bytes
    server_random: bytes
    suite: Suite
    is_1_3: bool


def _opened(start: int, end: int, at: int, kind: int, plaintext: bytes, secret: str) -> Opened:
    name = RECORDS.get(kind, f"record of type {kind}")
    content = memoryview(plaintext)
    return Opened(start, end, at, name, plaintext, dissect_content(kind, content), said(kind, content), secret)


def _records(stream: memoryview, at: int = 0) -> Iterator[tuple[int, int, FieldReader]]:
    """Start, type and body of each whole record from a record's first byte on."""
    reader = FieldReader(stream, at)
    while reader.left:
        start = reader.at
        try:
            kind, _, body = reader.number(1), reader.number(2), reader.vector(2)
        except Short:
            return
        yield start, kind, body


def _hellos(to_server: memoryview, to_client: memoryview) -> _Hellos | None:
    """Those of a connection; None where there are no such hellos."""
    if len(to_server) < HEADER + 6 + 32:
        return None
    client_random = bytes(to_server[HEADER + 6 : HEADER + 38])
    for _, kind, body in _records(to_client):
        if kind != HANDSHAKE or body.data[body.at] != SERVER_HELLO:
            continue
        try:
            body.skip(6)
            server_random = bytes(body.data[body.skip(32) : body.at])
            body.vector(1)
            suite = SUITES.get(body.number(2))
        except Short:
            return None
        # In 1.3 the version stands in extension 43 (0x002b), two bytes long, 0x0304 (RFC 8446, section 4.2.1).
        is_1_3 = b"\x00\x2b\x00\x02\x03\x04" in bytes(body.data[body.at : body.end])
        return None if suite is None else _Hellos(client_random, server_random, suite, is_1_3)
    return None


def _secrets(keylog: str, client_random: bytes) -> dict[str, bytes]:
    """The secrets of this connection, by label."""
    found = {}
    for line in keylog.splitlines():
        words = line.split()
        if len(words) == 3 and words[1].lower() == client_random.hex():
            with suppress(ValueError):  # a program outside may have written anything
                found[words[0]] = bytes.fromhex(words[2])
    return found


def _expand_label(suite: Suite, secret: bytes, label: str, size: int) -> bytes:
    """HKDF-Expand-Label with an empty context (RFC 8446, section 7.1)."""
    full = b"tls13 " + label.encode()
    info = size.to_bytes(2, "big") + bytes([len(full)]) + full + b"\x00"
    return HKDFExpand(suite.digest, size, info).derive(secret)


class _Keys:
    """The key and nonces of one direction under one TLS 1.3 secret, whose name is that of RFC 8446, section 7.1.

    ``generation`` counts the application traffic secrets; None: it is the handshake's.
    """

    def __init__(self, suite: Suite, secret: bytes, side: str, generation: int | None = None) -> None:
        self.suite, self.secret, self.side, self.generation = suite, secret, side, generation
        self.aead: Aead = suite.cipher(_expand_label(suite, secret, "key", suite.key_size))
        self.iv = int.from_bytes(_expand_label(suite, secret, "iv", 12), "big")
        self.sequence = 0

    def open(self, header: bytes, sealed: bytes) -> bytes:
        """One record's plaintext; `InvalidTag` where it is not of these keys."""
        nonce = (self.iv ^ self.sequence).to_bytes(12, "big")
        plaintext = self.aead.decrypt(nonce, sealed, header)
        self.sequence += 1
        return plaintext

    @property
    def name(self) -> str:
        """The secret's name."""
        which = (
            "handshake traffic secret" if self.generation is None else f"application traffic secret {self.generation}"
        )
        return f"{self.side} {which}"

    def updated(self) -> _Keys:
        """The keys after a KeyUpdate (RFC 8446, section 7.2)."""
        secret = _expand_label(self.suite, self.secret, "traffic upd", self.suite.digest.digest_size)
        return _Keys(self.suite, secret, self.side, (self.generation or 0) + 1)


class _Side13:
    """What one side of a TLS 1.3 connection sends.

    ``waits``: the next secret is not there yet, and what follows stays closed until it is. A client that refuses the
    server never has those of the application.
    """

    def __init__(self, hellos: _Hellos, secrets: dict[str, bytes], direction: Direction) -> None:
        self._side, self._suite = _SIDES[direction], hellos.suite
        self._keys = _Keys(hellos.suite, b"", self._side)  # which open nothing
        self._next, self._at = "HANDSHAKE_TRAFFIC_SECRET", 0
        self._lost = False
        self._begin(secrets)

    def open(self, stream: memoryview, secrets: dict[str, bytes]) -> Iterator[Opened]:
        """The records that have come since."""
        if self.waits:
            self._begin(secrets)
        for start, kind, body in _records(stream, self._at):
            if self._lost or self.waits:
                return
            self._at = body.end
            if kind != APPLICATION_DATA:
                continue
            try:
                inner = self._keys.open(bytes(stream[start : start + HEADER]), bytes(stream[body.at : body.end]))
            except InvalidTag:
                self._lost = True
                return
            content = inner.rstrip(b"\x00")  # padding follows the content type (RFC 8446, section 5.2)
            if not content:
                self._lost = True
                return
            yield _opened(start, body.end, body.at, content[-1], content[:-1], self._keys.name)
            self._look_for_the_next_keys(content, secrets)

    def _look_for_the_next_keys(self, content: bytes, secrets: dict[str, bytes]) -> None:
        """A record that ends in Finished, or asks for a KeyUpdate, is the last under its keys."""
        if content[-1] != HANDSHAKE:
            return
        if content[0] == KEY_UPDATE:
            self._keys = self._keys.updated()
        elif _ends_in_finished(content[:-1], self._suite.digest.digest_size):
            self._begin(secrets)

    def _begin(self, secrets: dict[str, bytes]) -> None:
        """Go on with the next secret: first the handshake's, then the application's."""
        secret = secrets.get(f"{self._side.upper()}_{self._next}")
        self.waits = secret is None
        if secret is not None:
            generation = 0 if self._next == "TRAFFIC_SECRET_0" else None
            self._keys = _Keys(self._suite, secret, self._side, generation)
            self._next = "TRAFFIC_SECRET_0"


def _ends_in_finished(messages: bytes, digest_size: int) -> bool:
    """Finished is a header of four bytes and a digest, always last in its flight."""
    return messages[-4 - digest_size :][:4] == bytes([FINISHED, 0, 0, digest_size])


class _Keys12:
    """The key and nonces of one direction under TLS 1.2 (RFC 5246, section 6.3)."""

    def __init__(self, suite: Suite, master: bytes, randoms: bytes, side: int) -> None:
        implicit = 12 - suite.explicit
        block = FieldReader(
            memoryview(_prf(suite, master, b"key expansion" + randoms, 2 * (suite.key_size + implicit)))
        )
        keys = [bytes(block.data[block.skip(suite.key_size) : block.at]) for _ in range(2)]
        ivs = [bytes(block.data[block.skip(implicit) : block.at]) for _ in range(2)]
        self.suite = suite
        self.aead: Aead = suite.cipher(keys[side])
        self.iv = ivs[side]
        self.sequence = 0

    def open(self, header: bytes, sealed: bytes) -> bytes:
        """One record's plaintext; `InvalidTag` where it is not of these keys."""
        explicit = self.suite.explicit
        if len(sealed) < explicit + TAG:
            raise InvalidTag
        mixed = (int.from_bytes(self.iv, "big") ^ self.sequence).to_bytes(len(self.iv), "big")
        nonce = self.iv + sealed[:explicit] if explicit else mixed
        size = len(sealed) - explicit - TAG
        associated = self.sequence.to_bytes(8, "big") + header[:3] + size.to_bytes(2, "big")
        plaintext = self.aead.decrypt(nonce, sealed[explicit:], associated)
        self.sequence += 1
        return plaintext


class _Side12:
    """What one side of a TLS 1.2 connection sends; ``waits`` without its secret."""

    def __init__(self, hellos: _Hellos, secrets: dict[str, bytes], direction: Direction) -> None:
        master, side = secrets.get("CLIENT_RANDOM"), 0 if direction is Direction.TO_SERVER else 1
        self.waits = master is None
        self._explicit = hellos.suite.explicit
        self._secret = f"{_SIDES[direction]} write key of the master secret"
        self._keys = _Keys12(hellos.suite, master or b"", hellos.server_random + hellos.client_random, side)
        self._at = 0
        self._protected = self._lost = False

    def open(self, stream: memoryview, secrets: dict[str, bytes]) -> Iterator[Opened]:
        """The records that have come since."""
        if self._lost:
            return
        for start, kind, body in _records(stream, self._at):
            self._at = body.end
            if self._protected:
                try:
                    sealed = bytes(stream[body.at : body.end])
                    plaintext = self._keys.open(bytes(stream[start : start + HEADER]), sealed)
                except InvalidTag:
                    self._lost = True
                    return
                yield _opened(start, body.end, body.at + self._explicit, kind, plaintext, self._secret)
            self._protected = self._protected or kind == CHANGE_CIPHER_SPEC


_Side: TypeAlias = _Side12 | _Side13


def _prf(suite: Suite, secret: bytes, seed: bytes, size: int) -> bytes:
    """P_hash of RFC 5246, section 5; the label is part of the seed."""

    def keyed(content: bytes) -> bytes:
        mac = hmac.HMAC(secret, suite.digest)
        mac.update(content)
        return mac.finalize()

    out, a = b"", seed
    while len(out) < size:
        a = keyed(a)
        out += keyed(a + seed)
    return out[:size]
