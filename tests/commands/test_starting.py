"""Commands that others start many times import what they need and no more: a module costs a start 0.1 to 5 ms."""

from __future__ import annotations

import subprocess
import sys

import pytest

SLOW = {
    "asyncio", "bz2", "cryptography", "email", "html", "http", "importlib.metadata", "importlib.resources",
    "multiprocessing", "netlab.lab", "netlab.ui", "platformdirs", "random", "rich", "shtab", "shutil", "ssl",
    "stringprep", "subprocess", "tempfile", "textual", "tomllib", "unicodedata",
}  # fmt: skip
OF_THE_WIRE = {"logging", "netlab.topics", "netlab.wire.faults", "netlab.capture.savefile", "threading", "traceback"}
OF_SERVING = {"netlab.capture.files", "netlab.certificates", "netlab.dissect.fields", "netlab.kernel", "netlab.wire"}
OF_NO_COMMAND = {"argparse", "dataclasses", "enum", "inspect", "netlab.commands", "pathlib", "re", "socket", "typing"}


@pytest.mark.parametrize(
    ("words", "not_needed", "most"),
    [
        (["--version"], OF_NO_COMMAND, 70),
        (["wire", "--supervised", "--to", "127.0.0.1:1", "--listen", "127.0.0.1:0"], OF_THE_WIRE, 160),
        (["wire", "--supervised", "--udp", "--to", "127.0.0.1:1", "--listen", "127.0.0.1:0"], OF_THE_WIRE, 160),
        (["serve", "tcp", "--supervised", "--port", "0"], OF_SERVING, 160),
        (["serve", "udp", "--supervised", "--port", "0"], OF_SERVING, 160),
    ],
    ids=["version", "wire", "wire-udp", "serve-tcp", "serve-udp"],
)
def test_what_a_start_imports(words: list[str], not_needed: set[str], most: int) -> None:
    done = subprocess.run(
        [sys.executable, "-S", "-X", "importtime", "-c", _WITHOUT_SITE, *words],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "netlab.cli" in imported
    assert not sorted(imported & (SLOW | not_needed))
    assert len(imported) <= most


_WITHOUT_SITE = f"import sys; sys.path[:] = {sys.path!r}; from netlab.__main__ import main; sys.exit(main())"
"""What an environment's own start files import says nothing about netlab."""


OF_SOME_TRAFFIC = {"ctypes", "netlab.dissect.documents", "netlab.dissect.pickles", "pickletools", "xml.etree"}


def test_a_tab_imports_no_dissector_before_there_is_something_to_dissect() -> None:
    code = (
        "import sys; from netlab.topics.discovery import topic_named\n"
        "from netlab.ui.tab import tab; from netlab.ui.wire.dissect_as import DissectAs\n"
        "how = DissectAs(None, None, topic_named('tcp')); how.load(); how.meanings(object())\n"
        f"print(sorted({OF_SOME_TRAFFIC} & {{*sys.modules}}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert done.stdout == "[]\n", done.stderr
