"""DER elements (X.690), read in place, and where the parts of a certificate lie (X.509, RFC 5280, section 4.1).

Nothing is verified, and nothing that is malformed raises: what cannot be read is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from netlab.dissect.field_reader import FieldReader, Short

BOOLEAN, INTEGER, OID, EXPLICIT_0, EXPLICIT_3 = 0x01, 0x02, 0x06, 0xA0, 0xA3
MOST_EXTENSIONS = 100

EXTENSIONS = {
    bytes.fromhex("551d11"): "names",
    bytes.fromhex("551d13"): "authority",
    bytes.fromhex("551d25"): "purpose",
}
"""The extensions that are read: subjectAltName, basicConstraints, extKeyUsage (RFC 5280, section 4.2.1)."""


@dataclass(frozen=True, slots=True)
class DerPart:
    """An element from ``start`` to ``end`` of the bytes, header and all; its content is from ``at`` on."""

    data: memoryview
    start: int
    at: int
    end: int

    def reader(self) -> FieldReader:
        """A reader of the content."""
        return FieldReader(self.data, self.at, self.end)

    def view(self) -> memoryview:
        """The content."""
        return self.data[self.at : self.end]


def element(reader: FieldReader) -> tuple[int, FieldReader]:
    """One DER element: its tag and a reader of its content (X.690, section 8.1)."""
    tag = reader.number(1)
    length = reader.number(1)
    if length & 0x80:
        length = reader.number(min(length & 0x7F, 8))
    return tag, reader.part(length)


def elements(reader: FieldReader) -> Iterator[tuple[int, FieldReader]]:
    """The elements until the end, or until one cannot be read."""
    with suppress(Short):
        while reader.left:
            yield element(reader)


def content(reader: FieldReader) -> bytes:
    """All that is left."""
    return bytes(reader.data[reader.at : reader.end])


def parts_of(reader: FieldReader) -> dict[str, DerPart]:
    """Serial number, issuer, validity, subject, key, and those extensions that are read; as far as they can be."""
    found: dict[str, DerPart] = {}
    with suppress(Short):
        _, outer = element(reader)
        _, tbs = element(outer)
        if tbs.left and tbs.data[tbs.at] == EXPLICIT_0:
            element(tbs)
        for name in ("serial number", "", "issuer", "validity", "subject", "key"):
            start = tbs.at
            _, part = element(tbs)
            if name:
                found[name] = DerPart(tbs.data, part.at if name == "serial number" else start, part.at, part.end)
        for tag, part in elements(tbs):
            if tag == EXPLICIT_3:
                found |= _extensions(part)
    return found


def _extensions(wrapped: FieldReader) -> dict[str, DerPart]:
    found: dict[str, DerPart] = {}
    _, listed = element(wrapped)
    for count, (_, one) in enumerate(elements(listed)):
        if count >= MOST_EXTENSIONS:
            break
        start = one.at
        with suppress(Short):
            name = EXTENSIONS.get(content(element(one)[1]))
            tag, value = element(one)
            if tag == BOOLEAN:  # whether it is critical
                _, value = element(one)
            if name is not None:
                found[name] = DerPart(one.data, start, value.at, value.end)
    return found
