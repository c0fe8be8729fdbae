"""What ``:load`` and the form ask for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from netlab.lab.errors import LabError
from netlab.topics.discovery import topic_named
from netlab.ui.load.load_request import LoadRequest, request_of

TCP = topic_named("tcp")


@pytest.mark.parametrize(
    ("typed", "request_"),
    [
        ("Hello", LoadRequest("Hello")),
        ("--clients 3", LoadRequest(clients=3)),
        ("send(b'--x'); --rate 20/s --for 2m", LoadRequest("send(b'--x');", rate=20.0, seconds=120.0)),
        ("Hello there --closed --for 500ms", LoadRequest("Hello there", rate=None, seconds=0.5)),
        ("--models single,threading --once --seed 7", LoadRequest(models=("single", "threading"), keep=False, seed=7)),
        ("--ramp=2s --keep", LoadRequest(ramp=2.0, keep=True)),
    ],
)
def test_it_is_read_and_written_again(typed: str, request_: LoadRequest) -> None:
    found = request_of(typed, TCP)
    assert found == request_
    assert request_of(found.command.removeprefix(":load "), TCP) == found


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("--clients many", "is not a whole number"),
        ("--rate", "--rate needs a value"),
        ("--rate 5 --closed", "--rate is for an open loop"),
        ("--clients 5 --wide", "no option --wide"),
        ("--clients 5 Hello", "out of place"),
        ("--closed Hello", "out of place"),
        ("--for soon", "is not a time"),
        ("--models no-such", "has no model no-such"),
        ("--keep --once", "take one"),
    ],
)
def test_what_is_wrong_is_said(typed: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        request_of(typed, TCP)


def test_the_plan_is_made_for_the_model() -> None:
    request = LoadRequest(clients=3, rate=50.0, seconds=4.0)
    assert (request.plan(TCP, "single").keep, request.plan(TCP, "threading").keep) == (False, True)
    assert replace(request, keep=True).plan(TCP, "single").keep
    assert request.plan(TCP, "pool").requests == 200
    assert b"Hello\n" in str(request.plan(TCP, "stream").operation).encode().decode("unicode_escape").encode()


@pytest.mark.parametrize("asked", [LoadRequest(clients=0), LoadRequest(rate=0.0), LoadRequest(line="send(x)")])
def test_what_cannot_be_done_has_no_plan(asked: LoadRequest) -> None:
    with pytest.raises((ValueError, LabError)):
        asked.plan(TCP, "single")
