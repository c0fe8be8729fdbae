"""What a lab knows of a flow for its pictures: whose client it was, and the secrets that the two sides had."""

from __future__ import annotations

import socket

import pytest

from netlab.capture.model import Endpoint
from netlab.dissect.picture import Tone
from netlab.dissect.reading.seen_flow import seen_flow
from netlab.lab import Lab
from netlab.topics.hmac.client import SecretRefused
from netlab.topics.pictures import draws_of
from netlab.topics.topic_protocols import named
from tests.support.authenticated import recv_exactly

SERVER = {"secret": b"sesame"}


def compared(lab: Lab) -> list[list[tuple[str, Tone]]]:
    """The rows about digests in the picture of each flow."""
    protocol = named(lab.topic.name)
    assert protocol is not None
    found = []
    for flow in lab.capture.flows:
        seen = seen_flow(lab.capture, flow, protocol.make, lab.facts(flow.client))
        picture = draws_of(protocol, flow.transport)[0](seen, 80)
        assert picture is not None
        found.append([(row.text.strip(), row.tone) for row in picture.rows if "HMAC-" in row.text])
    return found


def test_a_lab_knows_the_secrets_of_its_own_clients_also_when_they_have_gone() -> None:
    with Lab("hmac", options={"secret": b"sesame"}) as lab:
        first = lab.connect()
        lab.set_option("secret", "wrong")
        second = lab.open()
        with pytest.raises(SecretRefused):
            second.connect()
        flows = [flow.client for flow in lab.capture.flows]
        first.close()
        second.close()
        assert [lab.facts(client) for client in flows] == [
            {"server": SERVER, "client": SERVER},
            {"server": SERVER, "client": {"secret": b"wrong"}},
        ]
        right, wrong = compared(lab)
    assert right == [("HMAC-SHA256(the secret of both sides, challenge) is equal", Tone.GOOD)]
    assert wrong[0] == ("HMAC-SHA256(the client's secret, challenge) is equal", Tone.GOOD)
    assert (wrong[1][0][:59], wrong[1][1]) == (
        "HMAC-SHA256(the server's secret, challenge) differs at byte",
        Tone.WRONG,
    )


def test_both_digests_of_multiprocessing_are_those_that_the_authkey_gives() -> None:
    with Lab("multiprocessing", options={"authkey": b"sesame"}) as lab:
        lab.connect()
        (digests,) = compared(lab)
    assert [text.partition("(")[2] for text, _ in digests] == ["the authkey of both sides, challenge) is equal"] * 2
    assert {tone for _, tone in digests} == {Tone.GOOD}


def test_of_a_client_from_outside_it_knows_what_the_server_has() -> None:
    with Lab("hmac") as lab, socket.create_connection(lab.address) as sock:
        recv_exactly(sock, 32)
        assert lab.facts(Endpoint(*sock.getsockname()[:2])) == {"server": {"secret": b"peekaboo"}}
