"""The picture of the architecture shows the imports as they are, and the pages name only what exists."""

from __future__ import annotations

import re
import sys

import pytest

from tests.support.folders import ROOT

sys.path.insert(0, str(ROOT / "docs"))
import architecture


def test_the_picture_is_up_to_date() -> None:
    drawn = architecture.picture(architecture.imports())
    assert architecture.PICTURE.read_text(encoding="utf-8") == drawn, "run python docs/architecture.py, and look at it"


def test_every_part_is_described_and_has_its_place() -> None:
    parts = set(architecture.imports())
    assert set(architecture.WHAT) == parts == set(architecture.COLUMN)


def test_an_import_that_follows_from_others_has_no_arrow() -> None:
    assert architecture.reduced({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == {"a": {"b"}, "b": {"c"}, "c": set()}


@pytest.mark.parametrize("page", ["architecture.md", "contributing.md"])
def test_a_page_names_only_files_that_exist(page: str) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    named = re.findall(r"`((?:tests|docs|ui|lab|wire)/[\w/.]+)`|'(tests/[\w/.]+)::|\]\(([\w.-]+)\)", text)
    for name in filter(None, (name for names in named for name in names)):
        places = (ROOT / name, ROOT / "netlab" / name, ROOT / "docs" / name)
        assert any(place.exists() for place in places), name
