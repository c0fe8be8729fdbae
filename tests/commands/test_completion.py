"""The scripts of ``netlab completion``, tried in the shells themselves where they are installed."""

import os
import pty
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from netlab.commands.completion import SHELLS, main

SECONDS = 20
TYPED = [
    ("netlab ser", "serve"),
    ("netlab xml", "xmlrpc"),
    ("netlab serve tcp --model fork", "forking"),
    ("netlab call tls --cert", "--certificates"),
    ("netlab load tcp --connections ea", "each"),
    ("netlab run tcp/back", "tcp/backlog"),
    ("netlab wire --fault corr", "corrupt"),
    ("netlab eject zero", "zerocopy"),
    ("netlab inspect lab-of", "lab-of-mine.pcapng"),
]


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("completion")
    for shell in SHELLS:
        done = subprocess.run(
            [sys.executable, "-m", "netlab", "completion", shell], capture_output=True, text=True, check=True
        )
        (folder / shell).write_text(done.stdout)
    (folder / "lab-of-mine.pcapng").touch()
    (folder / "functions").mkdir()
    (folder / "functions/_netlab").symlink_to(folder / "zsh")
    return folder


@contextmanager
def interactive(*command: str, folder: Path) -> Iterator[int]:
    """The terminal of a shell that waits for input."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "TERM": "dumb", "PS1": "ready> "}
    terminal, slave = pty.openpty()
    shell = subprocess.Popen(
        command, stdin=slave, stdout=slave, stderr=slave, cwd=folder, env=environment, start_new_session=True
    )
    os.close(slave)
    try:
        yield terminal
    finally:
        shell.kill()
        shell.wait()
        os.close(terminal)


def read_until(terminal: int, wanted: str) -> str:
    text, deadline = "", time.monotonic() + SECONDS
    while wanted not in text:
        left = deadline - time.monotonic()
        assert left > 0 and select.select([terminal], [], [], left)[0], f"{wanted!r} is not in {text!r}"
        text += os.read(terminal, 4096).decode(errors="replace")
    return text


def type_in(terminal: int, text: str) -> None:
    os.write(terminal, text.encode())


@pytest.mark.parametrize(("typed", "completed"), TYPED)
def test_bash_completes(scripts: Path, typed: str, completed: str) -> None:
    with interactive("bash", "--norc", "--noprofile", "-i", folder=scripts) as terminal:
        type_in(terminal, "source ./bash; echo loa''ded\n")
        read_until(terminal, "loaded")
        type_in(terminal, f"{typed}\t")
        read_until(terminal, completed)


@pytest.mark.parametrize(("typed", "completed"), TYPED)
def test_fish_completes(scripts: Path, typed: str, completed: str) -> None:
    if fish := shutil.which("fish"):
        code = f"source ./fish; complete -C '{typed}'"
        done = subprocess.run([fish, "--no-config", "-c", code], cwd=scripts, capture_output=True, text=True)
        assert completed in done.stdout.split(), done.stderr
    else:  # at least the words are in it
        assert completed in (scripts / "fish").read_text() or completed.endswith("pcapng")


@pytest.mark.parametrize(("typed", "completed"), TYPED)
def test_zsh_completes(scripts: Path, typed: str, completed: str) -> None:
    if zsh := shutil.which("zsh"):
        with interactive(zsh, "-f", "-i", folder=scripts) as terminal:
            type_in(terminal, "fpath=($PWD/functions $fpath); autoload -Uz compinit; compinit -u -D; echo loa''ded\n")
            read_until(terminal, "loaded")
            type_in(terminal, f"{typed}\t")
            read_until(terminal, completed)
    else:
        script = (scripts / "zsh").read_text()
        assert script.startswith("#compdef netlab")
        assert completed in script or completed.endswith("pcapng")


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_has_no_internal_switch(scripts: Path, shell: str) -> None:
    script = (scripts / shell).read_text()
    assert "supervised" not in script
    assert "yield" not in script


def test_an_unknown_shell_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["tcsh"])
    assert ended.value.code == 2
    assert "invalid choice: 'tcsh'" in capsys.readouterr().err


def test_only_this_command_loads_shtab() -> None:
    commands = "netlab.commands.serve, netlab.commands.call, netlab.commands.completion"
    code = f"import sys, {commands}; print('shtab' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"
