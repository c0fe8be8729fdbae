"""Where the checkout is, and the files that tests of several rooms read."""

from __future__ import annotations

from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
ROOT = TESTS.parent
CAPTURE_CASES = TESTS / "capture" / "cases"
DISSECT_SAMPLES = TESTS / "dissect" / "samples"
TOPIC_SAMPLES = TESTS / "topics" / "samples"
RECORDINGS = TESTS / "support" / "recordings"
