from __future__ import annotations

import errno

import pytest

from netlab.capture.model import Transport
from netlab.lab.errors import LabError
from netlab.lab.processes.port_owner import cannot_listen


@pytest.mark.parametrize(
    ("number", "text", "said"),
    [
        (
            errno.EACCES,
            "Permission denied",
            "port 80 needs more rights than this program has; :port 0 takes",
        ),
        (errno.EADDRNOTAVAIL, "", "host\ufffd is not an address of this computer; 127.0.0.1 is always one"),
        (errno.ENOBUFS, "", "could not listen on host\ufffd port 80: No buffer space available"),
        (0, "strange\x1b", "could not listen on host\ufffd port 80: strange␛"),
        (0, "", "no reason was given"),
    ],
)
def test_what_why_and_what_to_try(number: int, text: str, said: str) -> None:
    error = cannot_listen("host\x9b", 80, number, text, Transport.TCP)
    assert said in str(error)


def test_advice_is_there_where_it_was_given() -> None:
    assert str(LabError("no", "try")) == "no; try"
    assert str(LabError("no")) == "no"
