"""What a lab knows of a flow for its pictures: whose client it was, and the secrets that the two sides had."""

from __future__ import annotations

import socket

import pytest

from netlab.capture.model import Endpoint
from netlab.lab import Lab
from netlab.topics.hmac.client import SecretRefused
from tests.support.authenticated import recv_exactly

SERVER = {"secret": b"sesame"}


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


def test_of_a_client_from_outside_it_knows_what_the_server_has() -> None:
    with Lab("hmac") as lab, socket.create_connection(lab.address) as sock:
        recv_exactly(sock, 32)
        assert lab.facts(Endpoint(*sock.getsockname()[:2])) == {"server": {"secret": b"peekaboo"}}
