"""What OpenSSL says of certificates and of connections, in words."""

import ipaddress
import ssl
from typing import Any

WHY = {
    9: "the certificate's validity has not begun yet",
    10: "the certificate's validity has ended",
    18: "the server's certificate is signed by nobody but itself",
    19: "the chain ends in an authority that is not in ca_cert.pem",
    20: "no certificate that we hold vouches for it: an authority that we do not trust signed it, "
    "or the server left out a certificate in between",
    26: "the certificate is meant for another purpose than being a server",
    62: "the certificate names another host than the one that we asked for",
    64: "the certificate names another address than the one that we asked for",
    66: "the certificate's key is too weak to trust",
}
"""X509_V_ERR_… of OpenSSL's x509_vfy.h."""

ENDED = {
    "CERTIFICATE_REQUIRED": "refused by the server: it wants a certificate of ours (:client-cert yes)",
    "ALERT_BAD_RECORD_MAC": "refused by the server: a record of ours was changed on its way",
    "BAD_RECORD_MAC": "refused by us: a record was changed on its way",
    "ALERT_DECODE_ERROR": "the server missed our close_notify: what we sent may be cut short",
}
"""Why an established connection ended, by what OpenSSL's reason contains."""
NO_TICKET = (
    "no ticket to resume with: a server of TLS 1.3 sends it with its first answer; send and recv, before you close"
)
NOTHING_IN_COMMON = "refused by the server: it found nothing in common, or wants a certificate of ours"
TRUNCATED = "it ended with a FIN and without close_notify: what has come may be cut short"


def why_refused(error: OSError) -> str:
    """Why a handshake failed, and who refused; empty if nobody knows."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"refused by us: {WHY.get(error.verify_code, error.verify_message)}"
    failed = isinstance(error, ssl.SSLError) and error.reason == "SSLV3_ALERT_HANDSHAKE_FAILURE"
    return NOTHING_IN_COMMON if failed else ""


def why_ended(error: ssl.SSLError) -> str:
    """Why an established connection ended; empty if nobody knows."""
    if isinstance(error, ssl.SSLEOFError):
        return TRUNCATED
    return next((why for reason, why in ENDED.items() if reason in (error.reason or "")), "")


class Agreed(str):
    """What a handshake agreed on, in lines; a prompt shows them as they are."""

    resumed = False
    __repr__ = str.__str__


def agreed(tls: ssl.SSLSocket) -> Agreed:
    """Version, cipher, ALPN, whether a session goes on, and who the server proved to be."""
    certificate: dict[str, Any] = tls.getpeercert() or {}
    cipher, _, bits = tls.cipher() or ("none", "", 0)
    names = ", ".join(brief(kind, value) for kind, value in certificate.get("subjectAltName", ()))
    chain = f"{common_name(certificate.get('subject', ()))} ← {common_name(certificate.get('issuer', ()))}"
    resumed = "resumed: a ticket stood in for the certificate, which was checked before\n" if tls.session_reused else ""
    found = Agreed(
        f"{tls.version()}, {cipher}, {bits} bits, ALPN {tls.selected_alpn_protocol()}\n{resumed}"
        f"chain: {chain}\n"
        f"names: {names}; {tls.server_hostname} is among them\n"
        f"valid: {certificate.get('notBefore')} to {certificate.get('notAfter')}"
    )
    found.resumed = bool(tls.session_reused)
    return found


def brief(kind: str, name: str) -> str:
    """A name of a certificate, an address as it is written today: ``::1`` where `ssl` says ``0:0:0:0:0:0:0:1``."""
    return str(ipaddress.ip_address(name)) if kind == "IP Address" else name


def common_name(name: tuple[tuple[tuple[str, str], ...], ...]) -> str:
    """The CN of a name as `ssl` gives it: a tuple of tuples of pairs."""
    return next((value for part in name for key, value in part if key == "commonName"), "?")
