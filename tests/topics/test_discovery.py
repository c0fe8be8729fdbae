"""Finding topics: those in the package, those that others bring, those that do not load."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from netlab.topics import discovery
from netlab.topics.contract import Topic
from netlab.topics.discovery import Broken, find_topics, topic_named, topics

NINTH = """
from dataclasses import replace
from netlab.topics.udp import TOPIC as udp
TOPIC = replace(udp, name="ninth", order=99)
"""


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    find_topics.cache_clear()
    yield
    find_topics.cache_clear()


@pytest.fixture
def brought(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which a package is installed that brings ``ninth``, and two that do not load."""
    (tmp_path / "netlab_ninth.py").write_text(NINTH)
    (tmp_path / "netlab_broken.py").write_text("1 / 0\n")
    (tmp_path / "netlab_odd.py").write_text("TOPIC = 'tcp'\n")
    installed = tmp_path / "netlab_others-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: netlab-others\nVersion: 1.0\n")
    lines = "".join(f"{name} = netlab_{name}\n" for name in ("broken", "ninth", "odd"))
    (installed / "entry_points.txt").write_text(f"[{discovery.GROUP}]\n{lines}")
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_topics_come_in_tab_order() -> None:
    assert list(topics())[:2] == ["tcp", "udp"]
    orders = [topic.order for topic in topics().values()]
    assert orders == sorted(orders)


@pytest.mark.usefixtures("brought")
def test_an_installed_package_brings_a_topic() -> None:
    assert "ninth" in topics()
    assert topic_named("ninth").name == "ninth"


@pytest.mark.usefixtures("brought")
def test_a_topic_that_was_brought_is_found_without_loading_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "netlab.topics.tls", raising=False)
    assert topic_named("ninth").name == "ninth"
    assert "netlab.topics.tls" not in sys.modules
    with pytest.raises(KeyError, match=r"the topic broken does not load: ZeroDivisionError"):
        topic_named("broken")


@pytest.mark.usefixtures("brought")
def test_a_broken_topic_hides_no_other() -> None:
    broken = [found for found in find_topics() if isinstance(found, Broken)]
    assert broken == [
        Broken("broken", "ZeroDivisionError: division by zero"),
        Broken("odd", "TOPIC is a str, not a Topic"),
    ]
    assert find_topics()[-2:] == tuple(broken)


def test_a_name_that_is_none_says_which_there_are() -> None:
    for name in ("nothing", "../tcp", ""):
        with pytest.raises(KeyError, match=r"there are tcp, udp"):
            topic_named(name)


def test_one_topic_is_found_without_loading_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("netlab.topics.") and name.endswith((".udp", ".tls"))]:
        monkeypatch.delitem(sys.modules, name)
    assert isinstance(topic_named("tcp"), Topic)
    assert "netlab.topics.udp" not in sys.modules
