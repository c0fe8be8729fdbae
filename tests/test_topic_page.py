"""docs/adding-a-topic.md shows the files that `tests.extension.check` installs and tests, word by word."""

from __future__ import annotations

import re
from importlib.util import find_spec

from tests.support.folders import ROOT

PAGE = ROOT / "docs" / "adding-a-topic.md"


def test_each_file_is_shown_as_it_is() -> None:
    shown = re.findall(r"^```\w+\n# (\S+\.\w+)\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert {"netlab_reverse/__init__.py", "netlab_reverse/server.py", "netlab_reverse/client.py"} <= dict(shown).keys()
    for path, text in shown:
        assert text == (ROOT / "docs" / "extension" / path).read_text(), path


def test_the_sample_imports_modules_that_are_there() -> None:
    sources = [path.read_text() for path in (ROOT / "docs" / "extension").rglob("*.py")]
    wanted = {name for source in sources for name in re.findall(r"^from (netlab\.[\w.]+) import", source, re.MULTILINE)}
    assert "netlab.topics.contract" in wanted
    assert [name for name in sorted(wanted) if find_spec(name) is None] == []
