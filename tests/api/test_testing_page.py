"""The tests in docs/testing.md pass as they stand there, and its tables name what exists."""

from __future__ import annotations

import re

import pytest

from netlab import Wire
from netlab.api.control.toxics import KINDS
from netlab.capture.model import Transport
from netlab.wire.impairment import catalog
from tests.api.test_pytest_plugin import PLUGIN
from tests.support.folders import ROOT

pytest_plugins = ["pytester"]
PAGE = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")


def test_its_tests_pass(pytester: pytest.Pytester) -> None:
    files = re.findall(r"^```python\n# (\S+\.py)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert len(files) == PAGE.count("```python") == 6
    for name, text in files:
        (pytester.path / name).write_text(text, encoding="utf-8")
    printed = pytester.runpytest_inprocess(*PLUGIN, "--strict-markers").stdout.str()
    assert re.search(r"\n=+ 13 passed[ ,]", printed), printed


def test_its_tables_name_what_exists() -> None:
    toxics = re.findall(r"^\| `(\w+)` \(.*?\) \| (.*?) \|", PAGE, re.MULTILINE)
    assert {name for name, _ in toxics} == KINDS.keys() - {"noop"} | {"down"}
    for name, faults in toxics:
        for spec in re.findall(r"`(.*?)`", faults) if name != "down" else ():
            catalog.parse(spec, Transport.TCP)
    _, _, table = PAGE.partition("## Wire and AsyncWire")
    rows = re.findall(r"^\| (`.*?) \|", table.partition("## From")[0], re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)", row)}
    public = {name for name in vars(Wire) if not name.startswith("_")}
    assert named - {"Wire"} == public - {"start", "close"}
