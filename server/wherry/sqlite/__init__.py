"""The file: the only package that speaks to SQLite. Its door is `wherry.sqlite.database`."""
