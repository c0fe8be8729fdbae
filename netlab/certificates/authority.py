"""Makes the lab's certificate authority, its good certificates, and the gallery of bad ones.

Everything is made together, by one authority whose key is discarded at once, so that nothing can be signed later.
This module writes no file.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Key: TypeAlias = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

DAY = timedelta(days=1)
LIFETIME = 365 * DAY
HOSTS = ("localhost", "127.0.0.1", "::1")
SERVER, CLIENT = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate and its private key; ``key`` signs what this identity issues."""

    certificate: x509.Certificate
    key: Key


@dataclass(frozen=True, slots=True)
class CertificateSpec:
    """What a certificate is to say. ``begins`` and ``ends`` are relative to now; ``issuer`` None signs itself."""

    name: str
    issuer: Identity | None = None
    hosts: tuple[str, ...] = HOSTS
    purpose: x509.ObjectIdentifier = SERVER
    begins: timedelta = -DAY
    ends: timedelta = LIFETIME
    authority: bool = False
    new_key: Callable[[], Key] = field(default=lambda: ec.generate_private_key(ec.SECP256R1()))


@dataclass(frozen=True, slots=True)
class BadCertificate:
    """One picture of the gallery: its name, what is wrong with it, and what to ask of the authorities for it."""

    name: str
    fault: str
    wanted: Callable[[Authorities], CertificateSpec]


@dataclass(frozen=True, slots=True)
class Authorities:
    """Who signs: the lab's own authority, one below it, and one that no client of the lab trusts."""

    lab: Identity
    intermediate: Identity
    stranger: Identity


GALLERY: tuple[BadCertificate, ...] = (
    BadCertificate(
        "expired",
        "its validity ended yesterday",
        lambda a: CertificateSpec("localhost", a.lab, begins=-30 * DAY, ends=-DAY),
    ),
    BadCertificate(
        "not-yet-valid",
        "its validity begins ten years from now",
        lambda a: CertificateSpec("localhost", a.lab, begins=3650 * DAY, ends=3650 * DAY + LIFETIME),
    ),
    BadCertificate(
        "wrong-host",
        "it names wrong.example, not the host that the client asked for",
        lambda a: CertificateSpec("wrong.example", a.lab, hosts=("wrong.example",)),
    ),
    BadCertificate("self-signed", "nobody but itself vouches for it", lambda a: CertificateSpec("localhost")),
    BadCertificate(
        "unknown-ca",
        "an authority signed it that the client does not trust",
        lambda a: CertificateSpec("localhost", a.stranger),
    ),
    BadCertificate(
        "weak-key",
        "its RSA key has 1024 bits, which is within reach of being factored",
        lambda a: CertificateSpec("localhost", a.lab, new_key=lambda: rsa.generate_private_key(65537, 1024)),
    ),
    BadCertificate(
        "missing-intermediate",
        "the server leaves out the certificate between its own and the authority",
        lambda a: CertificateSpec("localhost", a.intermediate),
    ),
    BadCertificate(
        "client-only",
        "its purpose is to be a client, not a server",
        lambda a: CertificateSpec("localhost", a.lab, purpose=CLIENT),
    ),
)


def make() -> dict[str, tuple[bytes, int]]:
    """Every file, by its name below the folder: its content and mode."""
    lab = _issue(CertificateSpec("netlab lab CA", authority=True))
    authorities = Authorities(
        lab=lab,
        intermediate=_issue(CertificateSpec("netlab intermediate CA", lab, authority=True)),
        stranger=_issue(CertificateSpec("somebody else's CA", authority=True)),
    )
    files = {"ca_cert.pem": (_certificate_pem(lab), 0o644)}
    files |= _pair("server", _issue(CertificateSpec("localhost", lab)))
    files |= _pair("client", _issue(CertificateSpec("netlab client", lab, hosts=(), purpose=CLIENT)))
    for bad in GALLERY:
        files |= _pair(f"gallery/{bad.name}", _issue(bad.wanted(authorities)))
    return files


def _pair(name: str, identity: Identity) -> dict[str, tuple[bytes, int]]:
    key = identity.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return {f"{name}_cert.pem": (_certificate_pem(identity), 0o644), f"{name}_key.pem": (key, 0o600)}


def _certificate_pem(identity: Identity) -> bytes:
    return identity.certificate.public_bytes(serialization.Encoding.PEM)


def _issue(wanted: CertificateSpec) -> Identity:
    """Sign what is wanted, with the extensions that RFC 5280 asks for and ``openssl verify -x509_strict`` checks."""
    key = wanted.new_key()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, wanted.name)])
    issuer_name = wanted.issuer.certificate.subject if wanted.issuer else subject
    issuer_key = wanted.issuer.key if wanted.issuer else key
    now = datetime.now(UTC).replace(microsecond=0)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer_name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + wanted.begins)
        .not_valid_after(now + wanted.ends)
    )
    for extension, critical in _extensions(wanted, key, issuer_key):
        builder = builder.add_extension(extension, critical)
    return Identity(builder.sign(issuer_key, hashes.SHA256()), key)


def _extensions(wanted: CertificateSpec, key: Key, issuer_key: Key) -> Iterator[tuple[x509.ExtensionType, bool]]:
    yield x509.BasicConstraints(ca=wanted.authority, path_length=None), True
    yield _key_usage(wanted.authority), True
    yield x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False
    yield x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), False
    if not wanted.authority:
        yield x509.ExtendedKeyUsage([wanted.purpose]), False
    if wanted.hosts and not wanted.authority:
        yield x509.SubjectAlternativeName([_general_name(host) for host in wanted.hosts]), False


def _key_usage(authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
