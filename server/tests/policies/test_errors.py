"""What is wrong in policies.sql is said with its place."""

# A message stands on as many lines as it needs.
# ruff: noqa: E501, ISC004

from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from wherry.policies import PoliciesError, load_policies
from wherry.schema.model import Schema
from wherry.schema.reader import interpret
from wherry.sqlite.catalogue import read_catalogue
from wherry.sqlite.expressions import ExpressionReader

Refused = Callable[[str], str]

CALLER = "(Write auth_uid(), auth_role() or auth_jwt('claim') for what the caller's token says)"
PRIVILEGES = "(Privileges are SELECT, INSERT, UPDATE, DELETE, ALL)"
FUNCTIONS = "(Functions that speak of the caller are auth_uid(), auth_role() and auth_jwt('claim'))"
STATEMENTS = "(Statements are CREATE ROLE, GRANT, REVOKE, ALTER TABLE … ROW LEVEL SECURITY and CREATE POLICY)"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        # tokens
        ("\n  'open", "2:3: the string is not closed"),
        ('GRANT "open', "1:7: the quoted name is not closed"),
        ("GRANT `open", "1:7: the quoted name is not closed"),
        ("GRANT [open", "1:7: the quoted name is not closed"),
        ("-- c\n/* /* */ GRANT", "2:1: the comment is not closed"),
        ("GRANT $1", f"1:7: '$1' is a parameter, and policies have none {CALLER}"),
        ("GRANT ?", f"1:7: '?' is a parameter, and policies have none {CALLER}"),
        ("GRANT :x", f"1:7: ':x' is a parameter, and policies have none {CALLER}"),
        ("GRANT @x", f"1:7: '@x' is a parameter, and policies have none {CALLER}"),
        ("GRANT $$x$$", "1:7: dollar quotes are not supported (Write 'text')"),
        ("GRANT 1x", "1:7: '1x' is not a number"),
        ("GRANT \\", "1:7: the character '\\' cannot stand here"),
        ("GRANT\n\0", "2:1: the character U+0000 cannot stand here"),
        # statements
        ("DROP POLICY p ON t", "1:1: DROP is not supported (The file is read as a whole: delete the statement that "
         "creates what you drop)"),
        ("ALTER DEFAULT PRIVILEGES", "1:1: ALTER DEFAULT PRIVILEGES is not supported (GRANT … ON ALL TABLES IN SCHEMA "
         "public holds for tables that are made later, too)"),
        ("CREATE TABLE t (a)", f"1:1: 'CREATE TABLE' begins no statement of this file {STATEMENTS}"),
        ("; 'x'", f"1:3: ''x'' begins no statement of this file {STATEMENTS}"),
        ("CREATE", f"1:1: 'CREATE' begins no statement of this file {STATEMENTS}"),
        ("ALTER VIEW v", f"1:1: 'ALTER VIEW' begins no statement of this file {STATEMENTS}"),
        ("CREATE ROLE r SUPERUSER", "1:15: the option SUPERUSER of CREATE ROLE is not supported (Supported are "
         "BYPASSRLS and NOINHERIT)"),
        ("CREATE ROLE r; CREATE ROLE R", "1:28: there is a role 'r' already"),
        ("CREATE ROLE anon", "1:13: there is a role 'anon' already (anon is built in: leave the statement out)"),
        ("CREATE ROLE public", "1:13: no role can be called 'public'"),
        ("CREATE ROLE 1", "1:13: expected the role's name, found '1'"),
        ("GRANT", "1:6: expected a privilege or a role, found the end of the file"),
        ("GRANT SELECT todos TO anon", "1:14: expected ON, found 'todos'"),
        ("GRANT TRUNCATE ON todos TO anon", f"1:7: 'TRUNCATE' is not a privilege {PRIVILEGES}"),
        ("GRANT SELECT, TRIGGER ON todos TO anon", f"1:15: 'TRIGGER' is not a privilege {PRIVILEGES}"),
        ("GRANT DELETE (id) ON todos TO anon", "1:7: DELETE takes whole rows, and no columns (Write DELETE without "
         "columns)"),
        ("GRANT SELECT ON todos TO anon WITH GRANT OPTION", "1:31: WITH GRANT OPTION is not supported (Only this file "
         "grants)"),
        ("GRANT SELECT (id) ON ALL TABLES IN SCHEMA public TO anon", "1:15: columns of ALL TABLES cannot be granted "
         "(Name the tables)"),
        ("GRANT SELECT ON ALL TABLES IN SCHEMA auth TO anon", "1:38: there is no schema 'auth' (Write public)"),
        ("GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO anon", "1:14: 'ALL SEQUENCES' cannot be granted on "
         "(Privileges are granted ON [TABLE] name, … or ON ALL TABLES IN SCHEMA public)"),
        ("GRANT SELECT ON auth.users TO anon", "1:17: there is no schema 'auth' (Write the table's name alone)"),
        ("GRANT SELECT ON todo TO anon", "1:17: there is no table 'todo' (Perhaps you meant 'Todos')"),
        ("GRANT SELECT (titel) ON todos TO anon", "1:15: there is no column 'titel' in 'Todos' (Perhaps you meant "
         "'title')"),
        ("GRANT SELECT ON todos TO authentic", "1:26: there is no role 'authentic' (Perhaps you meant 'authenticated')"),
        ("GRANT SELECT ON todos TO zz", "1:26: there is no role 'zz' (Add CREATE ROLE zz; before)"),
        ("GRANT SELECT ON todos TO CURRENT_USER", "1:26: CURRENT_USER is no role of this file (Name the role)"),
        ("GRANT zz TO anon", "1:7: there is no role 'zz' (Add CREATE ROLE zz; before)"),
        ("CREATE ROLE a; CREATE ROLE b; GRANT a TO b; GRANT b TO a", "1:56: 'b' is a member of 'a' already, or the "
         "same role"),
        ("REVOKE SELECT ON todos FROM service_role", "1:29: service_role has every privilege, always (Use another role)"),
        ("GRANT SELECT ON todos TO anon GRANT", "1:31: expected ';', found 'GRANT'"),
        ("ALTER TABLE todos ADD COLUMN x", "1:19: expected ENABLE, DISABLE, FORCE or NO FORCE ROW LEVEL SECURITY, found "
         "'ADD'"),
        ("ALTER TABLE todos ENABLE TRIGGER x", "1:26: expected ROW, found 'TRIGGER'"),
        ("CREATE POLICY p ON todos AS LAX", "1:29: expected PERMISSIVE or RESTRICTIVE, found 'LAX'"),
        ("CREATE POLICY p ON todos FOR MERGE", "1:30: expected ALL, SELECT, INSERT, UPDATE or DELETE, found 'MERGE'"),
        ("CREATE POLICY p ON todos FOR INSERT USING (1)", "1:37: a policy FOR INSERT has no USING, for there is no row "
         "yet (Write WITH CHECK (…))"),
        ("CREATE POLICY p ON todos FOR SELECT WITH CHECK (1)", "1:37: a policy FOR SELECT has no WITH CHECK, for it "
         "makes no new row (Write USING (…))"),
        ("CREATE POLICY p ON todos FOR DELETE WITH CHECK (1)", "1:37: a policy FOR DELETE has no WITH CHECK, for it "
         "makes no new row (Write USING (…))"),
        ("CREATE POLICY p ON todos USING done", "1:32: expected '(', found 'done'"),
        ("CREATE POLICY p ON todos USING ()", "1:32: the condition is empty (Write true for every row)"),
        ("CREATE POLICY p ON todos USING (done) OR (1)", "1:39: expected ';', found 'OR'"),
        ("CREATE POLICY p ON todos USING (1", "1:32: the parenthesis is not closed"),
        ("CREATE POLICY p ON todos USING (1; SELECT 1)", "1:32: the parenthesis is not closed"),
        ("CREATE POLICY p ON todos USING (1) OR (1) -- )", "1:36: expected ';', found 'OR'"),
        ("CREATE POLICY p ON todos USING (done)", "1:15: the policy 'p' does nothing, for row security is not enabled on "
         "'Todos' (Add ALTER TABLE Todos ENABLE ROW LEVEL SECURITY;)"),
        ("CREATE POLICY p ON todos; CREATE POLICY P ON todos", "1:41: there is a policy 'P' on 'Todos' already"),
    ],
)  # fmt: skip
def test_a_statement_is_refused(refused: Refused, text: str, message: str) -> None:
    assert refused(text) == f"policies.sql:{message}"


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("usr_id = 1", "3:1: no such column: usr_id (Perhaps you meant 'user_id')"),
        ("done AND\n  todos.usr_id = 1", "4:3: no such column: todos.usr_id (Perhaps you meant 'user_id')"),
        ("'é' = nope", "3:7: no such column: nope"),
        ('"nope" = 1', "3:1: no such column: nope"),
        ("EXISTS (SELECT 1 FROM member)", "3:23: no such table: member (Perhaps you meant 'members')"),
        ("EXISTS (SELECT 1 FROM orgs WHERE secre = 1)", "3:34: no such column: secre (Perhaps you meant 'secret')"),
        ("user_id = now()", "3:11: no such function: now (Write CURRENT_TIMESTAMP, or datetime('now'))"),
        ("user_id = current_user", "3:11: no such column: current_user (Write auth_role())"),
        ("title::text = ''", "3:6: '::' is not SQLite's (Write CAST(value AS type), or leave the cast out)"),
        ("title = ?", f"3:9: '?' is a parameter, and policies have none {CALLER}"),
        ("sum(id) > 1", "3:1: misuse of aggregate function sum()"),
        ("row_number() OVER () > 1", "3:1: misuse of window function row_number()"),
        ("load_extension('x')", "3:1: not authorized to use function: load_extension"),
        ("(1, 2)", "3:1: row value misused"),
        ("public.", '3:7: near ")": syntax error'),
        ("1 +", '3:3: near ")": syntax error'),
        ("auth_uid()1", '3:11: near "1": syntax error'),
        ("auth_uid(1)", f"3:1: the arguments of the function are not the ones that it takes {FUNCTIONS}"),
        ("auth.jwt('a', 'b')", f"3:1: the arguments of the function are not the ones that it takes {FUNCTIONS}"),
        ("auth_jwt(title)", f"3:1: the arguments of the function are not the ones that it takes {FUNCTIONS}"),
        ("auth_jwt('a..b') = 1", "3:10: 'a..b' names no claim (Write auth_jwt('a.b'))"),
        ("auth.email() = 1", f"3:1: there is no function auth_email() {FUNCTIONS}"),
        ("EXISTS (SELECT 1 FROM main.orgs)", "3:23: main.… leads past the policies of the table (Write the table's name "
         "alone)"),
        ("EXISTS (SELECT 1 FROM 'main'.orgs)", "3:23: 'main'.… leads past the policies of the table (Write the table's "
         "name alone)"),
        ("EXISTS (WITH open_todos AS (SELECT 1) SELECT 1 FROM open_todos)", "3:14: the common table expression "
         "'open_todos' is named like a table (Give it another name)"),
        ("EXISTS (WITH \"orgs\" (a, b) AS MATERIALIZED (SELECT 1, 2) SELECT 1 FROM orgs)", "3:14: the common table "
         "expression 'orgs' is named like a table (Give it another name)"),
        ("EXISTS (SELECT 1 FROM sqlite_schema)", "3:23: a policy cannot read 'sqlite_schema' (It may read the tables of "
         "the API)"),
        ("EXISTS (SELECT 1 FROM todos_fts_data)", "3:23: a policy cannot read 'todos_fts_data' (It may read the tables of "
         "the API)"),
        ("EXISTS (SELECT 1 FROM pragma_table_info('x'))", "3:23: a policy cannot read 'pragma_table_info' (It may read "
         "the tables of the API)"),
        ("1 IN members INDEXED BY x", '3:14: near "INDEXED": syntax error'),
        ("EXISTS (SELECT 1 FROM todos)", "2:15: infinite recursion in the policies for authenticated: Todos → Todos "
         "(Read another table: the rows that a policy reads are themselves subject to their policies)"),
        ("EXISTS (SELECT 1 FROM 'todos')", "2:15: infinite recursion in the policies for authenticated: Todos → Todos "
         "(Read another table: the rows that a policy reads are themselves subject to their policies)"),
        ("id IN (WITH c AS (SELECT id FROM todos) SELECT id FROM c)", "2:15: infinite recursion in the policies for "
         "authenticated: Todos → Todos (Read another table: the rows that a policy reads are themselves subject to their "
         "policies)"),
        ("EXISTS (SELECT 1 FROM orgs)", "2:15: the policy 'p' on 'Todos' reads 'orgs', and authenticated may not (GRANT "
         "SELECT ON orgs TO authenticated, or name other roles in the policy)"),
        ("EXISTS (SELECT 1 FROM org_names)", "2:15: the policy 'p' on 'Todos' reads 'org_names', and authenticated may "
         "not (GRANT SELECT ON org_names TO authenticated, or name other roles in the policy)"),
        ("id IN (SELECT level FROM members)", "2:15: the policy 'p' on 'Todos' reads the column 'level' of 'members', and "
         "authenticated may not (GRANT SELECT (level) ON members TO authenticated, or name other roles in the policy)"),
        ("id IN (SELECT rowid FROM members)", "2:15: the policy 'p' on 'Todos' reads 'ROWID' of 'members', of which "
         "authenticated does not see every row and column (Read a column instead)"),
        ("id IN (SELECT org_id FROM members INDEXED BY sqlite_autoindex_members_1)", "3:1: the condition cannot be used: "
         'no such index: "sqlite_autoindex_members_1"'),
    ],
)  # fmt: skip
def test_a_condition_is_refused(refused: Refused, condition: str, message: str) -> None:
    text = (
        "GRANT ALL ON todos TO authenticated; GRANT SELECT (org_id) ON members TO authenticated; ALTER TABLE todos "
        f"ENABLE ROW LEVEL SECURITY;\nCREATE POLICY p ON todos USING (\n{condition}\n);"
    )
    assert refused(text) == f"policies.sql:{message}"


def test_a_circle_through_other_tables_is_named(refused: Refused) -> None:
    text = """GRANT SELECT ON ALL TABLES IN SCHEMA public TO anon;
ALTER TABLE orgs ENABLE ROW LEVEL SECURITY;
ALTER TABLE members ENABLE ROW LEVEL SECURITY;
CREATE POLICY o ON orgs USING (id IN (SELECT org_id FROM members));
CREATE POLICY m ON members USING (org_id IN (SELECT id FROM orgs));"""
    assert refused(text) == (
        "policies.sql:4:15: infinite recursion in the policies for anon: members → orgs → members "
        "(Read another table: the rows that a policy reads are themselves subject to their policies)"
    )


def test_the_file_is_called_what_the_operator_calls_it(schema: Schema, reader: ExpressionReader) -> None:
    with pytest.raises(PoliciesError) as error:
        load_policies("GRANT", schema, reader.check, version="1", file="access.sql")
    assert str(error.value) == "access.sql:1:6: expected a privilege or a role, found the end of the file"
    assert (error.value.line, error.value.column) == (1, 6)


def test_policies_that_read_each_other_too_deeply_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "deep.db"
    connection = apsw.Connection(str(path))
    text = "GRANT SELECT ON ALL TABLES IN SCHEMA public TO anon;"
    for number in range(20):
        connection.execute(f"CREATE TABLE t{number} (id)")
        read = f"id IN (SELECT id FROM t{number + 1})" if number < 19 else "id"
        text += f"\nALTER TABLE t{number} ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON t{number} USING ({read});"
    schema = interpret(read_catalogue(connection))
    connection.close()
    reader = ExpressionReader(path)
    with pytest.raises(PoliciesError) as error:
        load_policies(text, schema, reader.check, version="1")
    reader.close()
    assert error.value.message == "more than 16 tables read each other in policies"
