"""The ladder of a real lab: each of its connections, with its secrets and with what its client made of the server."""

from __future__ import annotations

import ssl

import pytest

from netlab.capture.model import Direction, Flow
from netlab.dissect.picture import Picture, Tone
from netlab.dissect.protocols.tls import PROTOCOL
from netlab.dissect.reading.seen_flow import seen_flow
from netlab.lab import Lab
from netlab.lab.client.facts.flow_facts import known_of
from netlab.topics.pictures import draws_of
from netlab.topics.tls.plaintext import open_records
from netlab.topics.topic_protocols import named


def ladder(lab: Lab, flow: Flow) -> Picture:
    """As the tab draws it."""
    streams = [
        memoryview(b"".join(bytes(chunk.view) for chunk in lab.capture.stream(flow, way)))
        for way in (Direction.TO_SERVER, Direction.TO_CLIENT)
    ]
    facts = {**known_of(lab.sessions, flow), "records": open_records(lab.secrets, *streams)}
    topic = named("tls")
    assert topic is not None
    picture = draws_of(topic, flow.transport)[0](seen_flow(lab.capture, flow, PROTOCOL.make, facts), 90)
    assert picture is not None
    return picture


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_a_lab_s_connections_are_accepted_resumed_and_refused(version: str) -> None:
    with Lab("tls", options={"tls_version": version}) as lab:
        client = lab.connect()
        client.send(b"Hello")
        client.recv(8192)
        client.resume()
        lab.submit(":present wrong-host")
        refused = lab.open()
        with pytest.raises(ssl.SSLCertVerificationError):
            refused.connect()
        lab.sync()
        first, second, third = [ladder(lab, flow) for flow in lab.capture.flows]
    assert [picture.title for picture in (first, second, third)] == [
        f"TLS {version}: full handshake",
        f"TLS {version}: resumed",
        f"TLS {version}: refused by the client, bad_certificate",
    ]
    said = [[(row.text.strip("│ "), row.tone) for row in picture.rows] for picture in (first, second, third)]
    accepted = ("✓ accepted by the lab's client: authority, dates and name", Tone.GOOD)
    assert [accepted in rows for rows in said] == [True, False, False]
    assert ("resumed: the ticket stands in for the certificate", Tone.GOOD) in said[1]
    assert ("✗ wrong.example: for wrong.example, not for localhost", Tone.WRONG) in said[2]
    assert any(text.startswith("✗ refused by the lab's client: Hostname mismatch") for text, _ in said[2])
    assert [sum("Certificate" in text and "←" in text for text, _ in rows) for rows in said] == [1, 0, 1]
