"""A fault from a person's own file: it acts like any other, and whatever it does wrong, the wire goes on."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from netlab.capture.model import Direction, Transport
from netlab.wire.facts import Troubled
from netlab.wire.impairment import catalog
from netlab.wire.impairment.impairment_lane import Departure, ImpairmentLane
from tests.support.relaying import Relaying, accept, endpoint, listening, read_exactly
from tests.support.waiting import wait_until

SHOUT = """from __future__ import annotations
from collections.abc import Iterable
from dataclasses import dataclass
from random import Random
from netlab.wire.impairment.fault import FaultKind, Passing
from netlab.wire.impairment.requests import Forward, Hold, Request

@dataclass(frozen=True, slots=True)
class Shout:
    count: int
    def __call__(self, segment: Passing, clock: float, random: Random) -> Iterable[Request]:
        {body}

KIND = FaultKind("shout", "N", "300", "capitals", lambda words: (lambda count: lambda: Shout(count))(int(words[0])))
"""
WORKS = "yield Forward(bytes(segment.payload).upper()[:self.count], 'shouted', segment.payload)"


def write(folder: Path, body: str, name: str = "mine.py") -> str:
    path = folder / name
    path.write_text(SHOUT.format(body=body))
    return str(path)


def passed(spec: str, payload: bytes = b"hello") -> list[Departure]:
    lane = ImpairmentLane(catalog.chain([spec], Transport.TCP), Transport.TCP, Direction.TO_SERVER, flow=1)
    lane.enter(payload, clock=0.0)
    return lane.leave(clock=0.0)


def test_a_file_is_a_fault_with_all_that_faults_can_be_told(tmp_path: Path) -> None:
    path = write(tmp_path, WORKS)
    (departure,) = passed(f"{path} 3 first 1 -> if 'ell'")
    assert (bytes(departure.payload), departure.fate) == (b"HEL", "shouted")
    (departure,) = passed(f"{path} 3 if 'other'")
    assert (bytes(departure.payload), departure.fate) == (b"hello", "")
    (impairment,) = catalog.chain([f"{path} 3 -> if 'ell'"])
    assert str(impairment) == f"{path} 3 → if 'ell'"


def test_it_is_read_again_once_it_was_saved(tmp_path: Path) -> None:
    path = write(tmp_path, WORKS)
    passed(f"{path} 3")
    write(tmp_path, WORKS.replace("upper", "title"))
    assert bytes(passed(f"{path} 3")[0].payload) == b"Hel"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("return 1 / 0", r"line 12: ZeroDivisionError: division by zero"),
        ("return None", r"TypeError: 'NoneType' object is not iterable"),
        ("return ['x']", r"TypeError: str is not a request"),
        ("return [Hold(segment.payload, -1)]", r"ValueError: it holds for -1 seconds"),
        ("return [Hold(segment.payload, float('nan'))]", r"ValueError: it holds for nan"),
        ("return [Forward(segment)]", r"TypeError"),
        ("raise ValueError('\\x1b[2J')", r"ValueError: ␛\[2J"),
    ],
)
def test_what_it_does_wrong_is_its_fate_and_the_bytes_go_on(tmp_path: Path, body: str, says: str) -> None:
    path = write(tmp_path, body)
    (impairment,) = catalog.chain([f"{path} 3"], Transport.TCP)
    lane = ImpairmentLane((impairment,), Transport.TCP, Direction.TO_SERVER, flow=1)
    lane.enter(b"hello", clock=0.0)
    (departure,) = lane.leave(clock=0.0)
    assert bytes(departure.payload) == b"hello"
    assert re.search(says, departure.fate)
    assert impairment.file is not None and re.search(says, impairment.file.complaints[0])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("def (", "line 1: SyntaxError"),
        ("import no_such_module", "line 1: ModuleNotFoundError"),
        ("raise SystemExit(3)", "line 1: SystemExit"),
        ("KIND = 3", "needs a KIND"),
    ],
)
def test_a_file_that_does_not_load_says_why(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "mine.py").write_text(text)
    with pytest.raises(ValueError, match=says):
        catalog.parse(f"{tmp_path / 'mine.py'} 3")
    with pytest.raises(ValueError, match="there is no file"):
        catalog.parse(f"{tmp_path / 'another.py'} 3")
    with pytest.raises(ValueError, match="invalid literal for int"):
        catalog.parse(f"{write(tmp_path, WORKS)} x")


def test_on_a_wire_its_errors_are_reported_and_a_saved_file_acts(tmp_path: Path) -> None:
    path = write(tmp_path, "return 1 / 0")
    with (
        listening() as server,
        Relaying(endpoint(server)) as relay,
        relay.connect() as client,
        accept(server) as accepted,
    ):
        relay.ask(lambda: relay.wire.impair([f"{path} 100"], 1))

        def troubles() -> str:
            return "\n".join(fact.text for fact in relay.told(Troubled))

        def crosses() -> bytes:
            client.sendall(b"two")
            return read_exactly(accepted, 3)

        assert crosses() == b"two"
        wait_until(lambda: "ZeroDivisionError" in troubles())
        write(tmp_path, WORKS)
        wait_until(lambda: crosses() == b"TWO")
        write(tmp_path, "def (")
        wait_until(lambda: crosses() == b"TWO" and "goes on as it was" in troubles())
        assert crosses() == b"TWO", "the last good one acts"
