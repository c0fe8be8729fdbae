"""What a DER certificate says (X.509, RFC 5280): as fields, and as facts to compare with what was asked for.

Nothing is verified here, and nothing that is malformed raises: what cannot be read is left out.
"""

from __future__ import annotations

import ipaddress
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from netlab.dissect.field_reader import FieldReader, Short
from netlab.dissect.fields import Field
from netlab.dissect.tls.der import BOOLEAN, DerPart, content, element, elements, parts_of

COMMON_NAME = b"\x55\x04\x03"
UTC_TIME, DNS_NAME, ADDRESS = 0x17, 0x82, 0x87
MOST_NAMES = 100
RSA = bytes.fromhex("2a864886f70d010101")
EC = bytes.fromhex("2a8648ce3d0201")
KEYS = {bytes.fromhex("2b6570"): "Ed25519", bytes.fromhex("2b6571"): "Ed448"}
CURVES = {
    bytes.fromhex("2a8648ce3d030107"): "P-256",
    bytes.fromhex("2b81040022"): "P-384",
    bytes.fromhex("2b81040023"): "P-521",
}
SERVER, CLIENT = bytes.fromhex("2b06010505070301"), bytes.fromhex("2b06010505070302")
PURPOSES = {SERVER: "server", CLIENT: "client", bytes.fromhex("551d2500"): "any"}
WEAK_RSA = 2048
"""Bits of an RSA key; with fewer, today's clients refuse it (OpenSSL's security level 2)."""
_MOMENT = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a certificate says. Parts that cannot be read are empty or None.

    ``purposes`` are what it may be used for (empty: anything), ``bits`` is the size of an RSA key, else 0.
    """

    subject: str = ""
    issuer: str = ""
    not_before: datetime | None = None
    not_after: datetime | None = None
    names: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()
    authority: bool = False
    key: str = ""
    bits: int = 0
    own_issuer: bool = False
    """Whether it names itself as its issuer."""

    @property
    def weak(self) -> bool:
        """Whether its key is too short to trust."""
        return 0 < self.bits < WEAK_RSA


def read_certificate(data: memoryview) -> Certificate:
    """What DER bytes say."""
    parts = parts_of(FieldReader(data))
    begin, end = _moments(parts["validity"]) if "validity" in parts else ("", "")
    key, bits = _key(parts["key"]) if "key" in parts else ("", 0)
    subject, issuer = parts.get("subject"), parts.get("issuer")
    return Certificate(
        _common_name(subject) if subject else "",
        _common_name(issuer) if issuer else "",
        _when(begin),
        _when(end),
        _names(parts["names"]) if "names" in parts else (),
        _purposes(parts["purpose"]) if "purpose" in parts else (),
        "authority" in parts and _is_authority(parts["authority"]),
        key,
        bits,
        subject is not None and issuer is not None and subject.view() == issuer.view(),
    )


def dissect_certificate(reader: FieldReader) -> Field:
    """One certificate as a field; its children are what could be read of it."""
    start, end = reader.at, reader.end
    parts = parts_of(FieldReader(reader.data, start, end))
    children = tuple(Field(name, part.start, part.end, *_value(name, part)) for name, part in parts.items())
    names = {field.name: field.value for field in children}
    value = f"{names['subject']} ← {names['issuer']}" if "issuer" in names and "subject" in names else "certificate"
    reader.skip(reader.left)
    return Field("certificate", start, end, "X.509", value, children)


def _value(name: str, part: DerPart) -> tuple[str, str]:
    """A part's kind and value."""
    match name:
        case "issuer" | "subject":
            common = _common_name(part)
            return "name", f"CN={common}" if common else "no common name"
        case "validity":
            return "time", " to ".join(_moments(part))
        case "key":
            return "key", _key(part)[0]
        case "names":
            return "names", ", ".join(_names(part))
        case "purpose":
            return "purpose", ", ".join(_purposes(part))
        case "authority":
            return "bool", "yes" if _is_authority(part) else "no"
    return "integer", part.reader().hex()


def _moments(part: DerPart) -> tuple[str, str]:
    """From when to when it is valid; what cannot be read is empty."""
    reader, found = part.reader(), ["", ""]
    with suppress(Short):
        found[0] = _moment(reader)
        found[1] = _moment(reader)
    return found[0], found[1]


def _moment(reader: FieldReader) -> str:
    """A UTCTime (its years are 1950 to 2049) or GeneralizedTime (RFC 5280, section 4.1.2.5); else as it stands."""
    tag, said_in = element(reader)
    said = said_in.text()
    digits = said if tag != UTC_TIME else f"{'19' if said[:2] >= '50' else '20'}{said}"
    found = _MOMENT.fullmatch(digits)
    return "{}-{}-{} {}:{}:{} UTC".format(*found.groups()) if found else said


def _when(moment: str) -> datetime | None:
    with suppress(ValueError):
        return datetime.strptime(moment, "%Y-%m-%d %H:%M:%S UTC").replace(tzinfo=UTC)
    return None


def _common_name(part: DerPart) -> str:
    """The CN among the relative names, each a SET of SEQUENCE of OID and string; empty if there is none."""
    for _, relative in elements(part.reader()):
        for _, pair in elements(relative):
            with suppress(Short):
                if content(element(pair)[1]) == COMMON_NAME:
                    return element(pair)[1].text()
    return ""


def _names(part: DerPart) -> tuple[str, ...]:
    """The hosts and addresses that it is for."""
    found = []
    for _, listed in elements(part.reader()):
        for tag, name in elements(listed):
            if tag == DNS_NAME:
                found.append(name.text())
            elif tag == ADDRESS and name.left in (4, 16):
                found.append(str(ipaddress.ip_address(content(name))))
            if len(found) >= MOST_NAMES:
                break
    return tuple(found)


def _purposes(part: DerPart) -> tuple[str, ...]:
    found = []
    for _, listed in elements(part.reader()):
        found += [PURPOSES.get(content(oid), "another purpose") for _, oid in elements(listed)]
    return tuple(dict.fromkeys(found))


def _is_authority(part: DerPart) -> bool:
    with suppress(Short):
        _, constraints = element(part.reader())
        tag, value = element(constraints)
        return tag == BOOLEAN and any(content(value))
    return False


def _key(part: DerPart) -> tuple[str, int]:
    """The kind of key in words, and the size of an RSA key."""
    with suppress(Short):
        reader = part.reader()
        _, algorithm = element(reader)
        kind = content(element(algorithm)[1])
        if kind == EC:
            return f"EC {CURVES.get(content(element(algorithm)[1]), 'of another curve')}", 0
        if kind != RSA:
            return KEYS.get(kind, "another kind of key"), 0
        _, bits = element(reader)
        bits.skip(1)  # no bits of the last byte are unused
        _, numbers = element(bits)
        size = int.from_bytes(content(element(numbers)[1])[:2050], "big").bit_length()
        return f"RSA {size:,} bits", size
    return "a key that cannot be read", 0
