"""The lab's certificate authority, its good certificates, and the gallery of bad ones.

Everything is made together, from one authority whose key is forgotten at once, so that nothing can be signed later.
The files serve loopback only. This module knows no topic and opens no socket.
"""

from __future__ import annotations

import argparse
import ipaddress
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Key: TypeAlias = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

DAY = timedelta(days=1)
LIFETIME = 365 * DAY
RENEWED_BEFORE_END = 30 * DAY
HOSTS = ("localhost", "127.0.0.1", "::1")
SERVER, CLIENT = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH
FILES = ("ca_cert.pem", "server_cert.pem", "server_key.pem", "client_cert.pem", "client_key.pem")


class CertificatesFailed(Exception):
    """The certificates could not be made or read; the message says why and what to try."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate and its private key; ``key`` signs what this identity issues."""

    certificate: x509.Certificate
    key: Key


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a certificate shall say. ``begins`` and ``ends`` are relative to now; ``issuer`` None signs itself."""

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
    wanted: Callable[[Authorities], Wanted]


@dataclass(frozen=True, slots=True)
class Authorities:
    """Who signs: the lab's own authority, one below it, and one that no client of the lab trusts."""

    lab: Identity
    intermediate: Identity
    stranger: Identity


GALLERY: tuple[BadCertificate, ...] = (
    BadCertificate(
        "expired", "its validity ended yesterday", lambda a: Wanted("localhost", a.lab, begins=-30 * DAY, ends=-DAY)
    ),
    BadCertificate(
        "not-yet-valid",
        "its validity begins ten years from now",
        lambda a: Wanted("localhost", a.lab, begins=3650 * DAY, ends=3650 * DAY + LIFETIME),
    ),
    BadCertificate(
        "wrong-host",
        "it names wrong.example, not the host that the client asked for",
        lambda a: Wanted("wrong.example", a.lab, hosts=("wrong.example",)),
    ),
    BadCertificate("self-signed", "nobody but itself vouches for it", lambda a: Wanted("localhost")),
    BadCertificate(
        "unknown-ca", "an authority signed it that the client does not trust", lambda a: Wanted("localhost", a.stranger)
    ),
    BadCertificate(
        "weak-key",
        "its RSA key has 1024 bits, which is within reach of being factored",
        lambda a: Wanted("localhost", a.lab, new_key=lambda: rsa.generate_private_key(65537, 1024)),
    ),
    BadCertificate(
        "missing-intermediate",
        "the server leaves out the certificate between its own and the authority",
        lambda a: Wanted("localhost", a.intermediate),
    ),
    BadCertificate(
        "client-only",
        "its purpose is to be a client, not a server",
        lambda a: Wanted("localhost", a.lab, purpose=CLIENT),
    ),
)


def default_folder() -> Path:
    """``certs/`` of the checkout that netlab runs from, else ``certs`` in the user's data folder."""
    checkout = Path(__file__).resolve().parent.parent
    if (checkout / "pyproject.toml").exists() and (checkout / "certs").is_dir():
        return checkout / "certs"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "netlab" / "certs"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home())) / "netlab" / "certs"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "netlab" / "certs"


def ensure(folder: Path | None = None, *, renew: bool = False) -> Path:
    """The folder with good files in it, made where they are missing, damaged, too old or readable by others.

    Raises `CertificatesFailed` where the folder cannot be written.
    """
    folder = folder or default_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _alone(folder):
            if renew or not _is_good(folder):
                for name, (content, mode) in _make().items():
                    _write(folder / name, content, mode)
    except OSError as error:
        raise CertificatesFailed(f"cannot make certificates in {folder}: {error.strerror}") from error
    return folder


def read(path: Path) -> x509.Certificate:
    """The first certificate of a PEM file; `CertificatesFailed` where there is none."""
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except OSError as error:
        raise CertificatesFailed(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise CertificatesFailed(f"{path} holds no certificate: {error}") from error


def describe(certificate: x509.Certificate) -> dict[str, str]:
    """What a person wants to know of a certificate, label by label."""
    public = certificate.public_key()
    kind = "RSA" if isinstance(public, rsa.RSAPublicKey) else "EC"
    size = f", {public.key_size} bits" if isinstance(public, (rsa.RSAPublicKey, ec.EllipticCurvePublicKey)) else ""
    return {
        "subject": certificate.subject.rfc4514_string(),
        "issuer": certificate.issuer.rfc4514_string(),
        "names": ", ".join(_hosts(certificate)) or "none",
        "valid": f"{certificate.not_valid_before_utc:%F %H:%M} to {certificate.not_valid_after_utc:%F %H:%M} UTC",
        "key": kind + size,
        "purpose": _purpose(certificate),
        "sha256": certificate.fingerprint(hashes.SHA256()).hex(),
    }


def main(argv: Sequence[str]) -> int:
    """``netlab certs``: make what is missing, then describe every certificate."""
    parser = argparse.ArgumentParser(prog="netlab certs", description="Make and describe the lab's certificates.")
    parser.add_argument(
        "--dir", type=_folder, help="the folder (default: certs/ of the checkout, else the user's data folder)"
    )
    parser.add_argument("--renew", action="store_true", help="make all of them anew")
    arguments = parser.parse_args(argv)
    try:
        folder = ensure(arguments.dir, renew=arguments.renew)
        print(folder)
        for name in ("ca_cert.pem", "server_cert.pem", "client_cert.pem"):
            _print(name, read(folder / name), "")
        print("\ngallery/: what no client should accept; each has its _key.pem beside it")
        for bad in GALLERY:
            _print(f"{bad.name}_cert.pem", read(folder / "gallery" / f"{bad.name}_cert.pem"), bad.fault)
    except CertificatesFailed as error:
        print(f"netlab certs: {error}; --dir chooses another folder", file=sys.stderr)
        return 1
    return 0


def _folder(text: str) -> Path:
    """An empty variable of the shell does not stand for the folder of now: keys would be strewn there."""
    if not text:
        raise argparse.ArgumentTypeError("'' is no folder; . is this one")
    return Path(text)


def _print(name: str, certificate: x509.Certificate, fault: str) -> None:
    print(f"\n{name}" + (f": {fault}" if fault else ""))
    for label, value in describe(certificate).items():
        print(f"  {label:8} {value}")


def _make() -> dict[str, tuple[bytes, int]]:
    """Every file, by name below the folder: its content and mode."""
    lab = _issue(Wanted("netlab lab CA", authority=True))
    authorities = Authorities(
        lab=lab,
        intermediate=_issue(Wanted("netlab intermediate CA", lab, authority=True)),
        stranger=_issue(Wanted("somebody else's CA", authority=True)),
    )
    files = {"ca_cert.pem": (_certificate_pem(lab), 0o644)}
    files |= _pair("server", _issue(Wanted("localhost", lab)))
    files |= _pair("client", _issue(Wanted("netlab client", lab, hosts=(), purpose=CLIENT)))
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


def _issue(wanted: Wanted) -> Identity:
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


def _extensions(wanted: Wanted, key: Key, issuer_key: Key) -> Iterator[tuple[x509.ExtensionType, bool]]:
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


def _hosts(certificate: x509.Certificate) -> list[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [str(name.value) for name in names]


def _purpose(certificate: x509.Certificate) -> str:
    words = {SERVER: "server", CLIENT: "client"}
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return "authority"
    return ", ".join(words.get(purpose, purpose.dotted_string) for purpose in usage)


def _is_good(folder: Path) -> bool:
    """All files there, keys private, certificates signed by the authority beside them and far from their end."""
    keys = [folder / name for name in FILES if name.endswith("_key.pem")]
    gallery = [folder / "gallery" / f"{bad.name}_{part}.pem" for bad in GALLERY for part in ("cert", "key")]
    if not all(path.exists() for path in [*(folder / name for name in FILES), *gallery]):
        return False
    if os.name == "posix" and any(path.stat().st_mode & 0o077 for path in keys):
        return False
    try:
        authority, server, client = (read(folder / f"{name}_cert.pem") for name in ("ca", "server", "client"))
        for certificate, name in ((server, "server"), (client, "client")):
            certificate.verify_directly_issued_by(authority)
            key = serialization.load_pem_private_key((folder / f"{name}_key.pem").read_bytes(), None)
            if key.public_key() != certificate.public_key():
                return False
    except Exception:  # noqa: BLE001 - whatever a damaged file makes the parsers raise, the cure is to make it anew
        return False
    return server.not_valid_before_utc <= datetime.now(UTC) <= server.not_valid_after_utc - RENEWED_BEFORE_END


def _write(path: Path, content: bytes, mode: int) -> None:
    """Whole or not at all, and never readable by others for a moment."""
    path.parent.mkdir(exist_ok=True, mode=0o700)
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process at a time makes certificates in a folder; without ``fcntl`` (Windows) nothing guards it."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
