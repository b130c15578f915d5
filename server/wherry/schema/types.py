"""Declared types → how values travel (https://sqlite.org/datatype3.html#determination_of_column_affinity).

SQLite's rules by parts of the type's name, in SQLite's order, with the types in front that SQLite has no affinity of
its own for and clients do: booleans and JSON. Dates, times and UUIDs are NUMERIC to SQLite, which leaves the text as
it is; on the wire they are text.
"""

from functools import lru_cache

from wherry.schema.model import ColumnType, fold

_BY_PART = (
    (("bool",), ColumnType.BOOLEAN),
    (("json",), ColumnType.JSON),
    (("int",), ColumnType.INTEGER),
    (("char", "clob", "text"), ColumnType.TEXT),
    (("blob",), ColumnType.BLOB),
    (("real", "floa", "doub"), ColumnType.REAL),
    (("date", "time", "uuid", "guid"), ColumnType.TEXT),
)

_COMPARED_BY_AFFINITY = frozenset({ColumnType.INTEGER, ColumnType.REAL, ColumnType.NUMERIC})


@lru_cache(maxsize=1024)
def column_type(declared_type: str, *, strict: bool = False) -> ColumnType:
    """Return the type that a declaration means; in a STRICT table ANY is no type, elsewhere it is NUMERIC."""
    declared = fold(declared_type)
    if not declared or (strict and declared == "any"):
        return ColumnType.UNTYPED
    for parts, type_ in _BY_PART:
        if declared.startswith(parts) if type_ in (ColumnType.BOOLEAN, ColumnType.JSON) else _holds(declared, parts):
            return type_
    return ColumnType.NUMERIC


def affinity_cast(declared_type: str, *, strict: bool = False) -> str | None:
    """Return the type of the CAST that has the affinity of a declared type: NUMERIC, TEXT, or None where it has none.

    To NUMERIC no number changes, whatever the affinity (https://sqlite.org/lang_expr.html#castexpr).
    """
    declared = fold(declared_type)
    if "int" in declared:
        return "NUMERIC"
    if _holds(declared, ("char", "clob", "text")):
        return "TEXT"
    return None if not declared or "blob" in declared or (strict and declared == "any") else "NUMERIC"


def compound_type(type_: ColumnType) -> ColumnType:
    """Return the type of a view's column that comes from several SELECTs, one of which has `type_`.

    Such a column has a number's affinity in some rows only, so numbers are compared as without one.
    """
    return ColumnType.UNTYPED if type_ in _COMPARED_BY_AFFINITY else type_


def _holds(declared: str, parts: tuple[str, ...]) -> bool:
    return any(part in declared for part in parts)
