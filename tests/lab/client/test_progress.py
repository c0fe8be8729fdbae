"""A long transfer in a session: it tells how far it is, can be given up, and the connection goes on."""

from __future__ import annotations

import pytest

from netlab.lab import Lab
from tests.support.waiting import wait_until, waits_in


def test_a_transfer_tells_its_progress_and_is_given_up() -> None:
    with Lab("zerocopy") as lab:
        session = lab.connect()
        session.submit("receive('1 GiB')")
        wait_until(lambda: " of 1.0 GiB · " in waits_in(session))
        client = session.client
        assert client is not None
        session.abandon()
        session.wait_idle()
        assert session.busy is None
        assert session.connected
        assert "Abandoned: you stopped waiting" in [entry.text for entry in session.transcript]
        assert session.receive(10).filled == 10  # type: ignore[attr-defined]  # an operation returns object
        assert session.client is client
        with pytest.raises(ValueError, match="at most 32 MiB"):
            session.receive("64 MiB", "concatenate")
