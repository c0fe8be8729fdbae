"""What pyproject.toml cannot say: the readme for a package index, without the pictures that lie beside ours."""

import re
from pathlib import Path

from setuptools import setup

README = Path(__file__).with_name("README.md").read_text(encoding="utf-8")

setup(
    long_description=re.sub(r"^!\[.*\]\(docs/.*\)\n\n", "", README, flags=re.MULTILINE),
    long_description_content_type="text/markdown",
)
