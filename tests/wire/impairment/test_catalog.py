"""Faults are found by their files: one more file is one more fault, and nothing is imported before it is needed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from netlab.capture.model import Direction, Transport
from netlab.lab import wire_commands as console
from netlab.wire import faults
from netlab.wire.impairment import catalog, spec
from netlab.wire.impairment.choice import SegmentChoice

SWALLOW = """
from netlab.wire.impairment.fault import FaultKind
from netlab.wire.impairment.requests import Drop

KIND = FaultKind("{name}", "", "", "all bytes vanish", lambda words: lambda: lambda *segment: (Drop("gone"),), order=15)
"""

Install = Callable[[str, str], None]


def forget() -> None:
    for cached in (catalog.names, catalog._installed, catalog._found):
        cached.cache_clear()


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Puts files beside those of the package."""
    monkeypatch.setattr(faults, "__path__", [*faults.__path__, str(tmp_path)])

    def write(name: str, text: str) -> None:
        (tmp_path / f"{name}.py").write_text(text)
        forget()

    yield write
    for file in tmp_path.glob("*.py"):
        sys.modules.pop(f"netlab.wire.faults.{file.stem}", None)
    monkeypatch.undo()
    forget()


def test_one_more_file_is_one_more_fault(install: Install) -> None:
    install("swallow", SWALLOW.format(name="swallow"))
    assert "swallow" in catalog.names()
    for transport in Transport:
        found = [kind.name for kind in catalog.kinds(transport)]
        assert found[:2] == ["delay", "swallow"], "by its order"
    assert str(catalog.parse("swallow first 2 ->", Transport.TCP)) == "swallow first 2 →"


def test_noop_is_found_but_not_offered() -> None:
    assert catalog.kind_named("noop").name == "noop"
    assert "noop" not in [kind.name for kind in catalog.offered()]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("1 / 0", "ZeroDivisionError"),
        ("KIND = 5", "FaultKind"),
        (SWALLOW.format(name="another"), "FaultKind named 'broken'"),
        ("", "KIND"),
    ],
)
def test_one_that_does_not_load_hides_no_other(install: Install, text: str, says: str) -> None:
    before = catalog.offered()
    install("broken", text)
    install("_private", "1 / 0")
    assert catalog.offered() == before
    (problem,) = catalog.problems()
    assert problem.startswith("the fault broken does not load: ") and says in problem
    with pytest.raises(ValueError, match="does not load"):
        catalog.parse("broken")


def test_the_console_lists_what_is_found(install: Install) -> None:
    install("swallow", SWALLOW.format(name="swallow"))
    install("broken", "1 / 0")

    class Wire:
        kinds = catalog.kinds(Transport.TCP)
        faults = ()

    class Lab:
        wire = Wire()

    listed = console.kinds(Lab()).splitlines()
    assert ":fault swallow: all bytes vanish, as in swallow" in [line.rstrip() for line in listed]
    assert any("broken does not load" in line for line in listed)


def test_nothing_is_imported_for_the_first_paint() -> None:
    script = (
        "import sys, netlab.ui.app, netlab.ui.tab.tab, netlab.lab.lab\n"
        "from netlab.wire.impairment import catalog\n"
        "assert 'delay' in catalog.names()\n"
        "print([name for name in sys.modules if name.startswith('netlab.wire.faults.')])\n"
        "catalog.kind_named('delay')\n"
        "print([name for name in sys.modules if name.startswith('netlab.wire.faults.')])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[]", "['netlab.wire.faults.delay']"]


def test_a_spec_is_taken_apart_and_put_together() -> None:
    found = spec.split("corrupt -> bit 3 byte 7 every 2 first 5 each 30%")
    assert found is not None
    assert (found.name, found.numbers, found.direction) == ("corrupt", ("bit", "3", "byte", "7"), Direction.TO_SERVER)
    assert found.choice == SegmentChoice(0.3, 5, 2, each=True)
    choice = " ".join(condition.words(number) for condition, number in found.choice.conditions.items())
    again = spec.join(found.name, " ".join(found.numbers), choice, found.direction)
    assert again == "corrupt bit 3 byte 7 30% first 5 each every 2 ->"
    twice = spec.split(again)
    assert twice is not None and (twice.choice, twice.numbers) == (found.choice, found.numbers)
    assert spec.split("none") is None
