"""Who may do what: `policies.sql`, in PostgreSQL's own statements, made into the access of each role to each table.

text → `tokens` → `parser` → `statements` → `rules` (applied to the schema; `conditions` and `reading` make and check
the expressions) → `access` → `model`. Nothing here reads the database but through an `ExpressionChecker`.
"""

from wherry.identity import BUILT_IN_ROLES
from wherry.policies.access import AccessFinder
from wherry.policies.file import PoliciesFile, PoliciesUnreadable, Stamp
from wherry.policies.model import Access, Always, Expression, Never, Policies, Predicate, Source
from wherry.policies.parser import parse_statements
from wherry.policies.reading import ConditionChecker, ExpressionChecker
from wherry.policies.refused import PoliciesError
from wherry.policies.rules import Rules, apply_statements
from wherry.policies.warnings import warnings_of
from wherry.schema.model import Schema

__all__ = [
    "Access",
    "Always",
    "Expression",
    "ExpressionChecker",
    "Never",
    "Policies",
    "PoliciesError",
    "PoliciesFile",
    "PoliciesUnreadable",
    "Predicate",
    "Source",
    "Stamp",
    "load_policies",
    "no_policies",
]


def load_policies(
    text: str, schema: Schema, check: ExpressionChecker, *, version: str, file: str = "policies.sql"
) -> Policies:
    """Make the policies that `text` states for the schema; `version` names the state of the text.

    Raises PoliciesError, with line and column, for the first statement that is wrong, names what the schema does not
    have, or could not be evaluated; other errors of `check` where the database cannot be read.
    """
    conditions = ConditionChecker(schema, check)
    try:
        rules = apply_statements(parse_statements(text), schema, conditions)
        finder = AccessFinder(rules, schema)
        finder.require_readable(conditions)
    except PoliciesError as error:
        error.file = file
        raise
    warnings = (*rules.warnings, *warnings_of(rules, schema, finder, conditions))
    return Policies(f"{version}/{schema.version}", frozenset(rules.roles), finder.access, warnings=warnings)


def no_policies(schema: Schema) -> Policies:
    """Return what holds where there is no `policies.sql`: only the service role reads or writes."""
    return Policies(f"none/{schema.version}", BUILT_IN_ROLES, AccessFinder(Rules(), schema).access)
