"""Subject, issuer and validity of a DER certificate (X.509, RFC 5280), read in place.

Nothing is verified here, and nothing that is malformed raises: what cannot be read is left out.
"""

from __future__ import annotations

import re
from contextlib import suppress

from netlab.dissect.field_reader import FieldReader, Short
from netlab.dissect.fields import Field

COMMON_NAME = b"\x55\x04\x03"
EXPLICIT_0, UTC_TIME = 0xA0, 0x17
_MOMENT = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z", re.ASCII)


def dissect_certificate(reader: FieldReader) -> Field:
    """One certificate as a field; its children are what could be read of it."""
    start, end = reader.at, reader.end
    children: list[Field] = []
    with suppress(Short):
        _read_tbs(FieldReader(reader.data, start, end), children)
    names = {field.name: field.value for field in children}
    value = f"{names['subject']} ← {names['issuer']}" if "issuer" in names and "subject" in names else "certificate"
    reader.skip(reader.left)
    return Field("certificate", start, end, "X.509", value, tuple(children))


def _read_tbs(reader: FieldReader, children: list[Field]) -> None:
    """tbsCertificate: version, serial number, signature, issuer, validity, subject …"""
    _, outer = _element(reader)
    _, tbs = _element(outer)
    if tbs.left and tbs.data[tbs.at] == EXPLICIT_0:
        _element(tbs)
    _, serial = _element(tbs)
    children.append(serial.rest("serial number", "integer"))
    _element(tbs)
    for name in ("issuer", "validity", "subject"):
        start = tbs.at
        _, part = _element(tbs)
        value = _validity(part) if name == "validity" else _common_name(part)
        children.append(Field(name, start, tbs.at, "name" if name != "validity" else "time", value))


def _element(reader: FieldReader) -> tuple[int, FieldReader]:
    """One DER element: its tag and a reader of its content (X.690, section 8.1)."""
    tag = reader.number(1)
    length = reader.number(1)
    if length & 0x80:
        length = reader.number(min(length & 0x7F, 8))
    return tag, reader.part(length)


def _validity(reader: FieldReader) -> str:
    return f"{_moment(reader)} to {_moment(reader)}"


def _moment(reader: FieldReader) -> str:
    """A UTCTime (its years are 1950 to 2049) or GeneralizedTime (RFC 5280, section 4.1.2.5); else as it stands."""
    tag, content = _element(reader)
    said = content.text()
    digits = said if tag != UTC_TIME else f"{'19' if said[:2] >= '50' else '20'}{said}"
    found = _MOMENT.fullmatch(digits)
    return "{}-{}-{} {}:{}:{} UTC".format(*found.groups()) if found else said


def _common_name(name: FieldReader) -> str:
    """The CN among the relative names, each a SET of SEQUENCE of OID and string."""
    while name.left:
        _, part = _element(name)
        while part.left:
            _, pair = _element(part)
            _, oid = _element(pair)
            if oid.data[oid.at : oid.end] == COMMON_NAME:
                return "CN=" + _element(pair)[1].text()
    return "no common name"
