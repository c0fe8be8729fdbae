"""The lab's certificates in their folder: made, checked and described.

The files serve loopback only. A folder that netlab did not fill is only read. This module knows no topic and opens no
socket.
"""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from netlab.certificates.authority import CLIENT, SERVER, make
from netlab.certificates.authority import GALLERY as GALLERY
from netlab.certificates.folder import CertificateFolder, Files, Owner
from netlab.folders import certificates_folder

RENEWED_BEFORE_END = timedelta(days=30)
FILES = ("ca_cert.pem", "server_cert.pem", "server_key.pem", "client_cert.pem", "client_key.pem")
SERVED = ("server_cert.pem", "server_key.pem")
"""What a server cannot do without."""
ENVIRONMENT = "NETLAB_CERTIFICATES"
"""The environment variable that names another default folder."""


class CertificatesFailed(Exception):
    """The certificates could not be made or read; the message says why and what to try."""


def default_folder() -> Path:
    """The folder that the environment names, ``certs/`` of the checkout, or ``certs`` in the user's data folder."""
    if named := os.environ.get(ENVIRONMENT):
        return Path(named)
    checkout = Path(__file__).resolve().parents[2]
    if (checkout / "pyproject.toml").exists() and (checkout / "certs").is_dir():
        return checkout / "certs"
    return certificates_folder()


def ensure(
    folder: Path | None = None, *, renew: bool = False, say: Callable[[str], object] = lambda text: None
) -> Path:
    """The folder with files that can be served. If it is netlab's own, what is missing, damaged, too old or readable by
    others is made again, and ``say`` is called with a sentence about each foreign file that was in the way.

    Raises `CertificatesFailed` if the folder cannot be written, or is a person's own and cannot be served.
    """
    place = _place(folder or default_folder())
    try:
        if place.owner is Owner.PERSON:
            return _persons(place, renew)
        if renew or not _is_good(place):
            _fill(place, make, lambda: renew or not _is_good(place), say)
    except OSError as error:
        raise _cannot_make(place.path, error) from error
    return place.path


def copy(folder: Path, *, say: Callable[[str], object] = lambda text: None) -> Path:
    """Copy the lab's own certificates to another folder; a folder that a person filled stays as it is.

    Raises `CertificatesFailed` as `ensure` does.
    """
    source, place = ensure(say=say), _place(folder)
    try:
        if folder.exists() and folder.samefile(source):
            return folder
        if place.owner is Owner.PERSON:
            return _persons(place, renew=False)
        files = {
            name: (path.read_bytes(), 0o600 if name.endswith("_key.pem") else 0o644)
            for name in _names()
            if (path := source / name).is_file()
        }
        _fill(place, lambda: files, lambda: True, say)
    except OSError as error:
        raise _cannot_make(folder, error) from error
    return folder


def exists() -> bool:
    """Whether the default folder has been filled, by netlab or by a person."""
    try:
        return _place(default_folder()).owner is not Owner.NOBODY
    except OSError:
        return False


def _place(folder: Path) -> CertificateFolder:
    own = folder.absolute() == default_folder().absolute()
    return CertificateFolder(folder, frozenset({"README.md"}) if own else frozenset())  # a checkout's certs/ has one


def _cannot_make(folder: Path, error: OSError) -> CertificatesFailed:
    where = f"{error.filename} " if error.errno == errno.ELOOP and error.filename else ""
    return CertificatesFailed(f"cannot make certificates in {folder}: {where}{error.strerror}")


def _fill(
    place: CertificateFolder, make: Callable[[], Files], wanted: Callable[[], bool], say: Callable[[str], object]
) -> None:
    with place.alone():
        if place.owner is Owner.PERSON:  # somebody has put files there in the meantime
            _persons(place, renew=False)
        elif wanted():
            for kept in place.fill(make()):
                say(f"netlab did not write what was in {kept.parent} as {kept.name.partition('~')[0]}: kept as {kept}")


def _persons(place: CertificateFolder, renew: bool) -> Path:
    """A folder that netlab did not fill, as it is; `CertificatesFailed` if a server cannot use it."""
    folder, nothing_written = place.path, "netlab did not fill that folder and writes nothing there"
    missing = [name for name in SERVED if not (folder / name).is_file()]
    if missing:
        are = "are" if len(missing) > 1 else "is"
        raise CertificatesFailed(f"{' and '.join(missing)} {are} missing in {folder}; {nothing_written}")
    if renew:
        raise CertificatesFailed(f"cannot renew what is in {folder}: {nothing_written}")
    if fault := _misfit(folder, "server"):
        raise CertificatesFailed(f"{fault}; {nothing_written}")
    return folder


def _misfit(folder: Path, name: str) -> str:
    """Why a certificate and its key cannot be used together; empty if they can."""
    path = folder / f"{name}_key.pem"
    certificate = read(folder / f"{name}_cert.pem")
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except OSError as error:
        return f"cannot read {path}: {error.strerror}"
    except TypeError:
        return f"{path} is protected by a password, which netlab does not ask for"
    except ValueError:
        return f"{path} holds no private key"
    return "" if key.public_key() == certificate.public_key() else f"{path} is not the key of {name}_cert.pem"


def read(path: Path) -> x509.Certificate:
    """The first certificate of a PEM file; raises `CertificatesFailed` if it has none."""
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except OSError as error:
        raise CertificatesFailed(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise CertificatesFailed(f"{path} holds no certificate: {error}") from error


def describe(certificate: x509.Certificate) -> dict[str, str]:
    """What a person wants to know about a certificate, by label."""
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


def build_parser() -> argparse.ArgumentParser:
    """The command line of ``netlab certs``."""
    parser = argparse.ArgumentParser(prog="netlab certs", description="Make and describe the lab's certificates.")
    text = "the folder (default: certs/ of the checkout, else the user's data folder)"
    parser.add_argument("--dir", type=_folder, metavar="DIR", help=text)
    parser.add_argument("--renew", action="store_true", help="make all of them again")
    return parser


def main(argv: Sequence[str]) -> int:
    """``netlab certs``: make what is missing, then describe every certificate."""
    arguments = build_parser().parse_args(argv)
    try:
        folder = ensure(
            arguments.dir, renew=arguments.renew, say=lambda text: print(f"netlab certs: {text}", file=sys.stderr)
        )
        print(folder)
        for name in ("ca_cert.pem", "server_cert.pem", "client_cert.pem"):
            _print(folder / name)
        if (folder / "gallery").is_dir():
            print("\ngallery/: what no client should accept; each has its _key.pem beside it")
            for bad in GALLERY:
                _print(folder / "gallery" / f"{bad.name}_cert.pem", bad.fault)
    except CertificatesFailed as error:
        print(f"netlab certs: {error}; --dir chooses another folder", file=sys.stderr)
        return 1
    return 0


def _folder(text: str) -> Path:
    """An empty variable of the shell does not stand for the current folder: keys would be strewn there."""
    if not text:
        raise argparse.ArgumentTypeError("'' is not a folder; . is the current one")
    return Path(text)


def _print(path: Path, fault: str = "") -> None:
    if not path.exists():  # in a person's own folder
        print(f"\n{path.name} does not exist")
        return
    print(f"\n{path.name}" + (f": {fault}" if fault else ""))
    for label, value in describe(read(path)).items():
        print(f"  {label:8} {value}")


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


def _names() -> tuple[str, ...]:
    """Every file that netlab makes, below the folder."""
    return (*FILES, *(f"gallery/{bad.name}_{part}.pem" for bad in GALLERY for part in ("cert", "key")))


def _is_good(place: CertificateFolder) -> bool:
    """All files there, keys private, certificates signed by the authority beside them and far from their end.

    A server's certificate that a person has put there is good if it can be served now.
    """
    folder = place.path
    if not all((folder / name).exists() for name in _names()):
        return False
    keys = [folder / name for name in FILES if name.endswith("_key.pem")]
    if os.name == "posix" and any(path.stat().st_mode & 0o077 for path in keys):
        return False
    now = datetime.now(UTC)
    try:
        if _misfit(folder, "server") or _misfit(folder, "client"):
            return False
        authority, server, client = (read(folder / f"{name}_cert.pem") for name in ("ca", "server", "client"))
        if place.changed("server_cert.pem"):
            return server.not_valid_before_utc <= now <= server.not_valid_after_utc
        for certificate in (server, client):
            certificate.verify_directly_issued_by(authority)
    except Exception:  # noqa: BLE001 - whatever a damaged file makes the parsers raise, the cure is to make it again
        return False
    return server.not_valid_before_utc <= now <= server.not_valid_after_utc - RENEWED_BEFORE_END
