"""TLS records, and in clear what the handshake says."""

from netlab.dissect.tls.tls_records import TlsFlow as Flow
from netlab.dissect.tls.tls_records import dissect

__all__ = ["Flow", "dissect"]
