"""What the contract tests need for every topic."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the lab's certificates, made once."""
    from netlab.certificates import certs

    return certs.ensure(tmp_path_factory.mktemp("certificates"))
