"""netlab in pytest: the fixtures ``netlab_wire`` and ``netlab_wires``, the mark ``netlab``, and what a failure shows.

Every run of an environment loads this module, so it imports pytest alone; the rest comes with the first wire.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from netlab.api.pytest_wires import TestReport, Wires

_SESSION = pytest.StashKey["Wires"]()
_REPORT = pytest.StashKey["TestReport"]()
_MARK = "netlab(faults=[...], seed=N, wire=NAME): faults for the test's wires, or for the one of that name"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options."""
    group = parser.getgroup("netlab", "netlab: wires between clients and servers")
    add = group.addoption
    add("--netlab-save", metavar="DIR", help="keep the captures of tests that fail in this folder, as pcapng files")
    add("--netlab-scene", metavar="FILE", help="a scene.toml; netlab_wires[NAME] starts its wire of that name")
    add("--netlab-seed", metavar="N", type=int, default=1, help="for the random choices of faults (default: 1)")


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known."""
    config.addinivalue_line("markers", _MARK)


@pytest.fixture
def netlab_wire(request: pytest.FixtureRequest) -> Iterator[Wires]:
    """Makes wires that end with the test: ``wire = netlab_wire(to=("127.0.0.1", 6379), faults=["delay 50ms"])``."""
    from netlab.api.pytest_wires import Wires

    wires = Wires(request.config, request.node)
    _report(request.node).add(wires)
    with wires:
        yield wires


@pytest.fixture(scope="session")
def netlab_wires(request: pytest.FixtureRequest) -> Iterator[Wires]:
    """Makes wires for all tests, for fixtures of the session. After each test they are as they were made."""
    from netlab.api.pytest_wires import Wires

    with Wires(request.config) as wires:
        request.config.stash[_SESSION] = wires
        yield wires
        del request.config.stash[_SESSION]


def _session(item: pytest.Item) -> Wires | None:
    """The session's wires, if there are any and this test uses them."""
    uses = "netlab_wires" in getattr(item, "fixturenames", ())
    return item.config.stash.get(_SESSION, None) if uses else None


def _report(item: pytest.Item) -> TestReport:
    """What a failure of this test will show."""
    from netlab.api.pytest_wires import TestReport

    if _REPORT not in item.stash:
        folder = item.config.getoption("--netlab-save")
        item.stash[_REPORT] = TestReport(item, folder and item.config.invocation_params.dir / folder)
    return item.stash[_REPORT]


def _used(item: pytest.Item) -> TestReport | None:
    """The same if this test has used a wire by now."""
    wires = _session(item)
    if wires is not None:
        _report(item).add(wires)
    return item.stash.get(_REPORT, None)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None]:
    """Note where this test begins in the session's captures."""
    wires = _session(item)
    if wires is not None:
        _report(item).begin(wires)
    return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """Let the mark's faults act on the session's wires."""
    wires = _session(item)
    if wires is not None:
        wires.impair(item)
    return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None]:
    """Take what a failure of the teardown will show while it can be seen, and restore the session's wires."""
    report, wires = _used(item), _session(item)
    try:
        if report is not None:
            report.take()
        if wires is not None:
            wires.restore()
    finally:
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add to the report of a failure what crossed the test's wires."""
    result = yield
    report = _used(item)
    if report is not None:
        if result.failed:
            result.sections += report.sections
        if result.when == "teardown":
            report.end()
            del item.stash[_REPORT]
    return result
