"""A TLS conversation that was recorded once, as a capture, with the secrets of its session."""

from __future__ import annotations

from netlab.capture.model import Kind
from tests.support.folders import RECORDINGS
from tests.support.screen.panes_app import IN, OUT, HandMade

SAMPLE = RECORDINGS / "tls-echo.txt"


def sample() -> tuple[str, bytes, bytes]:
    """Key log, what the client sent, what it received."""
    text = SAMPLE.read_text()
    secrets, _, streams = text.partition("\nsent\n")
    sent, _, received = streams.partition("\nreceived\n")
    return secrets, bytes.fromhex(sent), bytes.fromhex(received)


def tls_capture() -> HandMade:
    """As the wire saw it: hello there and back, the client's Finished and ``Hello``, the tickets and the echo."""
    _, sent, received = sample()
    hello = 5 + int.from_bytes(sent[3:5], "big")
    capture = HandMade()
    flow = capture.open()
    capture.add(flow, OUT, sent[:hello])
    capture.add(flow, IN, received[:-27])
    capture.add(flow, OUT, sent[hello:-27])
    capture.add(flow, OUT, sent[-27:])
    capture.add(flow, IN, received[-27:])
    capture.add(flow, OUT, b"", Kind.FIN)
    return capture
