"""What each side of TLS shows, asks for and trusts: the settings from which its connections are made."""

import errno
import ssl
from pathlib import Path

VERIFY = {"none": ssl.CERT_NONE, "request": ssl.CERT_OPTIONAL, "require": ssl.CERT_REQUIRED}


def server_context(certificates: Path, client_certs: str, present: str) -> ssl.SSLContext:
    """What the server shows, and what it asks of its clients. A file that is missing is a `ValueError`."""
    shown = "server" if present == "good" else f"gallery/{present}"
    needed = [f"{shown}_cert.pem", f"{shown}_key.pem", *(["ca_cert.pem"] if client_certs != "none" else [])]
    if missing := [each for each in needed if not (certificates / each).is_file()]:
        raise ValueError(f"{' and '.join(missing)} missing in {certificates}")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["echo"])
    context.verify_mode = VERIFY[client_certs]
    if client_certs != "none":
        context.load_verify_locations(certificates / "ca_cert.pem")
    if present == "weak-key":
        context.set_ciphers("DEFAULT:@SECLEVEL=0")  # else OpenSSL would not load it; here the client shall refuse it
    context.load_cert_chain(certificates / needed[0], certificates / needed[1], "")  # "": ask for no password
    return context


def client_context(certificates: Path, with_certificate: bool, tls_version: str, ca: str = "") -> ssl.SSLContext:
    """Trust in one authority alone, the lab's or the one of the file ``ca``; name and chain are checked by default."""
    authority = Path(ca) if ca else certificates / "ca_cert.pem"
    if not authority.is_file():  # OpenSSL's own error does not say which file
        raise FileNotFoundError(errno.ENOENT, "there is no authority to trust in", str(authority))
    context = ssl.create_default_context(cafile=authority)
    context.minimum_version = ssl.TLSVersion.TLSv1_3 if tls_version == "1.3" else ssl.TLSVersion.TLSv1_2
    if tls_version == "1.2":
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["echo"])
    if with_certificate and (certificates / "client_cert.pem").exists():
        context.load_cert_chain(certificates / "client_cert.pem", certificates / "client_key.pem")
    return context
