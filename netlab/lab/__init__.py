"""One topic running, headless. It re-exports ``Lab``, because ``from netlab.lab import Lab`` is promised to people."""

from netlab.lab.lab import Lab as Lab
