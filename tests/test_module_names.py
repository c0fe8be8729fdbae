"""One meaning for each name: no module of netlab is called like another, unless the contract of topics fixes it."""

from __future__ import annotations

from collections import Counter

from tests.support.folders import ROOT

OF_TOPICS = {"server", "client", "dissect", "experiments", "copy_as", "plaintext", "panel", "picture"}
SHARED = {
    "app",  # the command that starts the app, and the app
}


def test_no_module_name_has_two_meanings() -> None:
    files = [file for file in (ROOT / "netlab").rglob("*.py") if not file.stem.startswith("__")]
    counted = Counter(file.stem for file in files if file.parent.name != "protocols")  # named after their protocols
    twice = {name for name, count in counted.items() if count > 1 and not name.startswith("server_")}
    assert twice - OF_TOPICS - SHARED == set()
