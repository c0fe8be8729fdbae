"""A certificate chain, and what can be read against it: the dates, the names, the key, who signed whom.

No signature is computed and no authority is known here: what a client made of the chain, the client itself says.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from netlab.dissect.field_reader import FieldReader, Short
from netlab.dissect.tls.certificate import Certificate, read_certificate

MOST_CERTIFICATES = 10
_NANOSECONDS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Examined:
    """A certificate of a chain, and each fault that can be read, in words."""

    certificate: Certificate
    faults: tuple[str, ...]


def read_chain(body: memoryview) -> tuple[Certificate, ...]:
    """The certificates of a Certificate message, the sender's own first; at most `MOST_CERTIFICATES`."""
    reader, found = FieldReader(body), list[Certificate]()
    with suppress(Short):
        is_1_2 = int.from_bytes(body[:3], "big") == len(body) - 3
        if not is_1_2:
            reader.vector(1)
        chain = reader.vector(3)
        while chain.left and len(found) < MOST_CERTIFICATES:
            found.append(read_certificate(chain.vector(3).view()))
            if not is_1_2:
                chain.vector(2)
    return tuple(found)


def examined(chain: Sequence[Certificate], when_ns: int, host: str, purpose: str) -> list[Examined]:
    """Each certificate with its faults. ``host`` is who was asked for, or empty; ``purpose`` is server or client."""
    when, found = _moment(when_ns), []
    for index, certificate in enumerate(chain):
        faults = [*_general(certificate, when)]
        if index == 0:
            faults += _of_sender(certificate, host, purpose)
        elif chain[index - 1].issuer != certificate.subject:
            faults.append(f"not {chain[index - 1].issuer}, who signed the one before")
        found.append(Examined(certificate, tuple(faults)))
    return found


def _moment(when_ns: int) -> datetime | None:
    with suppress(ValueError, OverflowError, OSError):  # a capture file may have any time
        return datetime.fromtimestamp(when_ns / _NANOSECONDS, UTC)
    return None


def _general(certificate: Certificate, when: datetime | None) -> list[str]:
    faults, begin, end = [], certificate.not_before, certificate.not_after
    if when is not None and end is not None and when > end:
        faults.append(f"expired {end:%Y-%m-%d %H:%M}")
    if when is not None and begin is not None and when < begin:
        faults.append(f"not valid before {begin:%Y-%m-%d %H:%M}")
    if certificate.weak:
        faults.append(f"key of only {certificate.bits:,} bits")
    return faults


def _of_sender(certificate: Certificate, host: str, purpose: str) -> list[str]:
    faults = []
    if certificate.own_issuer:
        faults.append("signed by itself")
    if certificate.purposes and not {purpose, "any"} & set(certificate.purposes):
        faults.append(f"for use as {', '.join(certificate.purposes)} only")
    if host and certificate.names and not any(fits(name, host) for name in certificate.names):
        faults.append(f"for {', '.join(certificate.names[:3])}, not for {host}")
    return faults


def fits(name: str, host: str) -> bool:
    """Whether a certificate's name is that of a host; ``*`` is one whole label, the first (RFC 6125, section 6.4.3)."""
    with suppress(ValueError):
        return ipaddress.ip_address(name) == ipaddress.ip_address(host)
    name, host = name.lower(), host.lower().rstrip(".")
    if not name.startswith("*."):
        return name == host
    return host.partition(".")[2] == name[2:] and not host.startswith(".")
