"""Wherry: point it at a SQLite file, get the production stack around it."""

__version__ = "0.1.0"
