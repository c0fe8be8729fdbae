"""Clients whose construction ends in a handshake, before a server that serves one at a time."""

from __future__ import annotations

import pytest

from netlab.lab import Lab
from tests.support.echo import told
from tests.support.waiting import wait_until, waits_in


@pytest.mark.parametrize("topic", ["hmac", "multiprocessing", "tls"])
def test_who_waits_for_a_handshake_is_in_the_accept_queue_and_may_give_up(topic: str) -> None:
    with Lab(topic, model="single") as lab:
        lab.connect()
        lab.submit(":connect")
        wait_until(lambda: len(lab.sessions) == 2 and lab.state.queue == 1)
        second = lab.sessions[-1]
        wait_until(lambda: waits_in(second) == "in the accept queue")
        second.abandon()
        second.wait_idle()
        assert "Abandoned: you stopped waiting" in told(second)
        assert not any("Error" in text for text in told(second))
