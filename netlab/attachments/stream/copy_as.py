"""The last bytes sent, from elsewhere: any tool that opens a stream will do."""

from __future__ import annotations

from netlab.topics.tcp.copy_as import copy_as

__all__ = ["copy_as"]
