"""Observations as JSON lines on stdout."""

from wherry.logs.sink import LEVELS, JsonLog

__all__ = ["LEVELS", "JsonLog"]
