"""What is published: the source distribution tests itself, and the wheel made of it installs both commands."""

import os
import shutil
import subprocess
import sys
import tarfile
import venv
from email import message_from_string
from email.message import Message
from pathlib import Path
from zipfile import ZipFile

import pytest

from netlab import __version__

ROOT = Path(__file__).parents[1]
PARTS = (".ci", "certs", "docs", "netlab", "tests")
FILES = ("CHANGELOG.md", "LICENSE", "README.md", "pyproject.toml")
BUILD = "import sys; from flit_core import buildapi; getattr(buildapi, sys.argv[1])(sys.argv[2])"


def build(source: Path, what: str, into: Path) -> Path:
    into.mkdir()
    subprocess.run([sys.executable, "-c", BUILD, what, str(into)], cwd=source, check=True, capture_output=True)
    (made,) = into.iterdir()
    return made


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution of this checkout, unpacked. It is built in a copy: building leaves files behind."""
    folder = tmp_path_factory.mktemp("sdist")
    copy = folder / "checkout"
    copy.mkdir()
    for name in FILES:
        shutil.copy(ROOT / name, copy)
    for name in PARTS:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    with tarfile.open(build(copy, "build_sdist", folder / "dist")) as archive:
        archive.extractall(folder, filter="data")
    return folder / f"netlab_tui-{__version__}"


@pytest.fixture(scope="module")
def wheel(unpacked: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(unpacked, "build_wheel", tmp_path_factory.mktemp("wheel") / "dist")


def metadata(wheel: Path) -> Message:
    with ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return message_from_string(archive.read(name).decode())


def test_the_source_distribution_is_whole(unpacked: Path) -> None:
    for part in PARTS:
        wanted = {file.relative_to(ROOT) for file in (ROOT / part).rglob("*") if file.is_file()}
        wanted = {file for file in wanted if "__pycache__" not in file.parts and file.suffix not in (".pem", ".pyc")}
        wanted = {file for file in wanted if part != "certs" or file.name == "README.md"}
        assert {file for file in wanted if not (unpacked / file).is_file()} == set()
    assert not list(unpacked.rglob("*.pem"))


def test_the_source_distribution_tests_itself(unpacked: Path) -> None:
    some = ["tests/test_cli.py", "tests/capture/test_filter.py", "tests/wire/impairment/test_impairment_lane.py"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *some],
        cwd=unpacked,
        env={**os.environ, "PYTHONPATH": str(unpacked)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout


def test_both_commands_are_installed(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path, with_pip=False, symlinks=True)
    python, bin = tmp_path / "bin/python", tmp_path / "bin"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-index", "--no-deps"]
    subprocess.run([*pip, str(wheel)], check=True)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    for command in ("netlab", "netlab-tui"):
        done = subprocess.run([bin / command, "--version"], capture_output=True, text=True, env=environment)
        assert (done.returncode, done.stdout) == (0, f"netlab {__version__}\n"), done.stderr


def test_the_metadata_is_what_an_index_shows(wheel: Path) -> None:
    told = metadata(wheel)
    assert told["License-Expression"] == "MIT"
    assert told.get_all("License-File") == ["LICENSE"]
    assert not any("License" in each for each in told.get_all("Classifier", []))  # superseded by the expression
    assert told.get_all("Project-URL") is None
    readme = str(told.get_payload())
    assert "A network lab in the terminal" in readme
    assert "![" not in readme  # a picture beside the readme is not on an index
    assert "\n\n\n" not in readme
