"""policies.sql → what a role may do, as values."""

import pytest

from tests.policies.conftest import Load
from wherry.identity import ANON, AUTHENTICATED, SERVICE_ROLE
from wherry.policies import Access, Always, Expression, Never, Policies, Predicate, Source, no_policies
from wherry.policies.model import NO_ACCESS
from wherry.schema.model import Schema
from wherry.statement import Claim, CurrentRole

TODOS = ("id", "user_id", "org_id", "title", "done", "tags")
UID = Claim(("sub",))
SECURED = """
GRANT ALL ON Todos TO authenticated;
ALTER TABLE Todos ENABLE ROW LEVEL SECURITY;
"""


def own(*pieces: str | Claim) -> Expression:
    return Expression(pieces)


OWN = own("user_id = ", UID)
DONE = own("done")


def rows(policies: Policies, schema: Schema, role: str = AUTHENTICATED, table: str = "Todos") -> tuple[Predicate, ...]:
    access = policies.access(role, schema.tables[table])
    checks = [each[0] for each in (access.insert_checks, access.update_checks) if len(each) == 1]
    return (access.visible, access.changeable, access.deletable, *checks)


def test_without_a_file_only_the_service_role_reads_or_writes(schema: Schema) -> None:
    policies = no_policies(schema)
    everything = Access(
        readable=TODOS,
        insertable=frozenset(TODOS),
        updatable=frozenset(TODOS),
        may_insert=True,
        may_update=True,
        may_delete=True,
        visible=Always(),
        changeable=Always(),
        deletable=Always(),
        insert_checks=(Always(),),
        update_checks=(Always(),),
        unrestricted=True,
    )
    todos = schema.tables["Todos"]
    assert policies.access(SERVICE_ROLE, todos) == everything
    assert [policies.access(role, todos) for role in (ANON, AUTHENTICATED)] == [NO_ACCESS, NO_ACCESS]


def test_an_access_is_made_once(load: Load, schema: Schema) -> None:
    policies = load(SECURED)
    todos = schema.tables["Todos"]
    assert policies.access(AUTHENTICATED, todos) is policies.access(AUTHENTICATED, todos)


def test_a_role_that_was_not_created_may_nothing(load: Load, schema: Schema) -> None:
    assert load("GRANT ALL ON todos TO PUBLIC").access("stranger", schema.tables["Todos"]) is NO_ACCESS


def test_the_version_is_that_of_the_text_and_of_the_schema(load: Load, schema: Schema) -> None:
    policies = load("CREATE ROLE editor NOLOGIN")
    assert policies.version == f"v1/{schema.version}"
    assert repr(policies) == (
        f"Policies('v1/{schema.version}', roles=['anon', 'authenticated', 'editor', 'service_role'])"
    )


# ---- privileges ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "readable"),
    [
        ("", ()),
        ("GRANT SELECT ON todos TO anon", TODOS),
        ("GRANT SELECT ON TABLE public.orgs, main.todos TO anon", TODOS),
        ("GRANT SELECT ON ALL TABLES IN SCHEMA public TO anon", TODOS),
        ("GRANT SELECT ON todos TO PUBLIC", TODOS),
        ("GRANT SELECT ON todos TO authenticated", ()),
        ("GRANT SELECT (title, ID), UPDATE (done) ON todos TO anon", ("id", "title")),
        ("GRANT SELECT ON todos TO anon; REVOKE SELECT ON todos FROM anon", ()),
        ("GRANT SELECT ON todos TO anon; REVOKE ALL ON ALL TABLES IN SCHEMA public FROM anon", ()),
        ("GRANT SELECT ON todos TO PUBLIC; REVOKE SELECT ON todos FROM anon", TODOS),
        ("GRANT SELECT (id, title) ON todos TO anon; REVOKE SELECT (id) ON todos FROM anon", ("title",)),
        ("GRANT SELECT (id, title) ON todos TO anon; REVOKE SELECT ON todos FROM anon", ()),
        ("GRANT SELECT (id) ON todos TO PUBLIC; GRANT SELECT (title) ON todos TO anon", ("id", "title")),
        ("CREATE ROLE r; GRANT SELECT ON todos TO r; GRANT r TO anon", TODOS),
        ("CREATE ROLE r; CREATE ROLE s; GRANT SELECT ON todos TO r; GRANT r TO s; GRANT s TO anon", TODOS),
        ("CREATE ROLE r; GRANT SELECT ON todos TO r; GRANT r TO anon; REVOKE r FROM anon", ()),
        ("GRANT service_role TO anon", TODOS),
        ("GRANT USAGE ON SCHEMA public TO anon, PUBLIC", ()),
    ],
)
def test_select_is_granted(load: Load, schema: Schema, text: str, readable: tuple[str, ...]) -> None:
    assert load(text).access(ANON, schema.tables["Todos"]).readable == readable


def test_a_role_that_does_not_inherit_has_nothing_of_the_roles_it_is_a_member_of(load: Load, schema: Schema) -> None:
    text = "CREATE ROLE r; CREATE ROLE alone WITH NOINHERIT; GRANT SELECT ON todos TO r; GRANT r TO alone"
    assert load(text).access("alone", schema.tables["Todos"]) is NO_ACCESS


def test_writing_is_granted_by_column(load: Load, schema: Schema) -> None:
    text = "GRANT INSERT (title, user_id), UPDATE (title) ON todos TO anon; GRANT DELETE ON todos TO anon;"
    assert load(text).access(ANON, schema.tables["Todos"]) == Access(
        readable=(),
        insertable=frozenset({"title", "user_id"}),
        updatable=frozenset({"title"}),
        may_insert=True,
        may_update=True,
        may_delete=True,
        visible=Never(),
        changeable=Always(),
        deletable=Always(),
        insert_checks=(Always(),),
        update_checks=(Always(),),
    )


def test_all_on_columns_is_all_that_columns_have(load: Load, schema: Schema) -> None:
    access = load("GRANT ALL PRIVILEGES (title) ON todos TO anon").access(ANON, schema.tables["Todos"])
    assert (access.readable, access.insertable, access.updatable, access.may_delete) == (
        ("title",),
        frozenset({"title"}),
        frozenset({"title"}),
        False,
    )


# ---- rows: "Policies Applied by Command Type" ------------------------------------------------------------------

N, A = Never(), Always()


@pytest.mark.parametrize(
    ("policies", "expected"),
    [
        ("", (N, N, N, N, N)),
        ("CREATE POLICY p ON todos USING (user_id = auth_uid())", (OWN, OWN, OWN, OWN, OWN)),
        ("CREATE POLICY p ON todos USING (done) WITH CHECK (user_id = auth_uid())", (DONE, DONE, DONE, OWN, OWN)),
        ("CREATE POLICY p ON todos WITH CHECK (done)", (N, N, N, DONE, DONE)),
        ("CREATE POLICY p ON todos FOR SELECT USING (done)", (DONE, N, N, N, N)),
        ("CREATE POLICY p ON todos FOR INSERT WITH CHECK (done)", (N, N, N, DONE, N)),
        ("CREATE POLICY p ON todos FOR UPDATE USING (done)", (N, DONE, N, N, DONE)),
        ("CREATE POLICY p ON todos FOR UPDATE USING (true) WITH CHECK (done)", (N, A, N, N, DONE)),
        ("CREATE POLICY p ON todos FOR DELETE USING (done)", (N, N, DONE, N, N)),
        ("CREATE POLICY p ON todos", (N, N, N, N, N)),
        ("CREATE POLICY p ON todos USING (TRUE)", (A, A, A, A, A)),
        ("CREATE POLICY p ON todos USING (false)", (N, N, N, N, N)),
        ("CREATE POLICY p ON todos AS RESTRICTIVE USING (true)", (N, N, N, N, N)),
        ("CREATE POLICY p ON todos TO anon USING (true)", (N, N, N, N, N)),
        ("CREATE POLICY p ON todos TO anon, PUBLIC USING (done)", (DONE,) * 5),
        ("CREATE ROLE r; CREATE POLICY p ON todos TO r USING (done); GRANT r TO authenticated", (DONE,) * 5),
        ("CREATE POLICY p ON todos USING (done); CREATE POLICY q ON todos USING (true)", (A,) * 5),
        ("CREATE POLICY p ON todos USING (done); CREATE POLICY q ON todos USING (false)", (DONE,) * 5),
        (
            "CREATE POLICY p ON todos USING (done); CREATE POLICY q ON todos AS RESTRICTIVE FOR DELETE USING (false)",
            (DONE, DONE, N, DONE, DONE),
        ),
    ],
)
def test_policies_apply_by_command(load: Load, schema: Schema, policies: str, expected: tuple[Predicate, ...]) -> None:
    assert rows(load(SECURED + policies), schema) == expected


def test_one_permissive_policy_and_all_restrictive_ones_must_hold(load: Load, schema: Schema) -> None:
    text = """
    CREATE POLICY a ON todos FOR SELECT USING (user_id = auth_uid());
    CREATE POLICY b ON todos FOR SELECT USING (user_id = auth_jwt('boss') OR done);
    CREATE POLICY c ON todos AS RESTRICTIVE FOR SELECT USING (auth_role() <> 'x');
    CREATE POLICY d ON todos AS RESTRICTIVE FOR SELECT USING (true);
    """
    assert rows(load(SECURED + text), schema)[0] == Expression(
        ("((user_id = ", UID, ") OR (user_id = ", Claim(("boss",)), " OR done)) AND (", CurrentRole(), " <> 'x')")
    )


def test_what_a_new_row_must_satisfy_is_told_apart_by_the_restrictive_policies_in_order(
    load: Load, schema: Schema
) -> None:
    text = """
    CREATE POLICY z ON todos AS RESTRICTIVE USING (done);
    CREATE POLICY b ON todos USING (user_id = auth_uid());
    CREATE POLICY a ON todos AS RESTRICTIVE FOR INSERT WITH CHECK (title <> 'x');
    CREATE POLICY n ON todos AS RESTRICTIVE FOR UPDATE USING (false);
    """
    access = load(SECURED + text).access(AUTHENTICATED, schema.tables["Todos"])
    a, z = Expression(("title <> 'x'",), name="a"), Expression(("done",), name="z")
    assert access.insert_checks == (OWN, a, z)
    assert access.update_checks == (OWN, N, z)
    assert access.visible == Expression(("(user_id = ", UID, ") AND (done)"))


def test_row_security_that_is_disabled_or_only_forced_restricts_nothing(load: Load, schema: Schema) -> None:
    grant = "GRANT ALL ON todos TO authenticated; "
    disabled = load(
        grant + "ALTER TABLE ONLY todos ENABLE ROW LEVEL SECURITY; ALTER TABLE todos DISABLE ROW LEVEL SECURITY"
    )
    forced = load(grant + "ALTER TABLE todos FORCE ROW LEVEL SECURITY; ALTER TABLE todos NO FORCE ROW LEVEL SECURITY")
    assert rows(disabled, schema) == rows(forced, schema) == (A,) * 5


def test_a_role_that_bypasses_row_security_sees_every_row_of_what_it_is_granted(load: Load, schema: Schema) -> None:
    policies = load(SECURED + "CREATE ROLE auditor BYPASSRLS; GRANT SELECT ON todos TO auditor")
    assert rows(policies, schema, "auditor") == (A, N, N, N, N)
    assert policies.access("auditor", schema.tables["Todos"]).unrestricted is False


def test_who_is_a_member_of_a_bypassing_role_does_not_bypass(load: Load, schema: Schema) -> None:
    policies = load(SECURED + "GRANT service_role TO authenticated")
    assert rows(policies, schema) == (N,) * 5


def test_a_view_can_have_row_security(load: Load, schema: Schema) -> None:
    text = """
    GRANT SELECT ON open_todos TO anon;
    ALTER TABLE open_todos ENABLE ROW LEVEL SECURITY;
    CREATE POLICY p ON open_todos USING (user_id = auth_uid());
    """
    assert rows(load(text), schema, ANON, "open_todos")[0] == OWN


# ---- tables that policies read ---------------------------------------------------------------------------------

MEMBERS = """
GRANT SELECT ON members TO authenticated;
ALTER TABLE members ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON members USING (user_id = auth_uid());
"""
IN_ORGS = "CREATE POLICY p ON todos FOR SELECT USING (org_id IN (SELECT org_id FROM public.members)); "
SEEN_MEMBERS = Source("members", ("org_id", "user_id", "level"), OWN)


def test_a_policy_reads_a_table_as_its_role_may(load: Load, schema: Schema) -> None:
    assert rows(load(SECURED + MEMBERS + IN_ORGS), schema)[0] == Expression(
        ("org_id IN (SELECT org_id FROM members)",), (SEEN_MEMBERS,)
    )


def test_what_it_reads_is_itself_read_under_policies(load: Load, schema: Schema) -> None:
    text = """
    GRANT SELECT ON orgs TO authenticated;
    ALTER TABLE orgs ENABLE ROW LEVEL SECURITY;
    CREATE POLICY p ON orgs USING (EXISTS (SELECT 1 FROM members WHERE org_id = orgs.id));
    CREATE POLICY q ON todos FOR SELECT USING (EXISTS (SELECT 1 FROM orgs WHERE id = org_id));
    CREATE POLICY r ON todos FOR SELECT USING (org_id IN (SELECT org_id FROM MEMBERS));
    """
    orgs = Source(
        "orgs",
        ("id", "name", "secret"),
        Expression(("EXISTS (SELECT 1 FROM members WHERE org_id = orgs.id)",), (SEEN_MEMBERS,)),
    )
    assert rows(load(SECURED + MEMBERS + text), schema)[0] == Expression(
        ("(EXISTS (SELECT 1 FROM orgs WHERE id = org_id)) OR (org_id IN (SELECT org_id FROM MEMBERS))",),
        (orgs, SEEN_MEMBERS),
    )


def test_a_table_without_restrictions_is_read_itself(load: Load, schema: Schema) -> None:
    text = SECURED + "GRANT SELECT ON members TO PUBLIC; " + IN_ORGS
    assert rows(load(text), schema)[0] == Expression(
        ("org_id IN (SELECT org_id FROM members)",),
        (Source("members", ("org_id", "user_id", "level"), Always(), unrestricted=True),),
    )


def test_granted_columns_are_the_ones_that_a_policy_can_read(load: Load, schema: Schema) -> None:
    text = SECURED + "GRANT SELECT (org_id) ON members TO authenticated; " + IN_ORGS
    assert rows(load(text), schema)[0] == Expression(
        ("org_id IN (SELECT org_id FROM members)",), (Source("members", ("org_id",), Always()),)
    )


def test_a_view_is_read_as_itself(load: Load, schema: Schema) -> None:
    text = """
    GRANT SELECT ON org_names TO authenticated;
    CREATE POLICY p ON todos USING (org_id IN (SELECT id FROM org_names));
    """
    assert rows(load(SECURED + text), schema)[0] == Expression(
        ("org_id IN (SELECT id FROM org_names)",), (Source("org_names", ("id", "name"), Always(), unrestricted=True),)
    )


@pytest.mark.parametrize(
    "condition",
    [
        "EXISTS (SELECT 1 FROM open_todos o WHERE o.id = todos.id)",
        "(SELECT n FROM todo_count) < 10",
        "EXISTS (SELECT 1 FROM todo_count)",
    ],
)
def test_a_view_on_the_policys_own_table_is_no_recursion(load: Load, schema: Schema, condition: str) -> None:
    view = "todo_count" if "todo_count" in condition else "open_todos"
    policies = load(f"{SECURED} GRANT SELECT ON {view} TO authenticated; CREATE POLICY p ON todos USING ({condition})")
    visible = rows(policies, schema)[0]
    assert isinstance(visible, Expression)
    assert [source.table for source in visible.sources] == [view]


def test_a_check_on_new_rows_may_read_its_own_table(load: Load, schema: Schema) -> None:
    text = """
    CREATE POLICY seen ON todos FOR SELECT USING (user_id = auth_uid());
    CREATE POLICY few ON todos FOR INSERT WITH CHECK ((SELECT count(*) FROM todos) < 100);
    """
    assert rows(load(SECURED + text), schema)[3] == Expression(
        ("(SELECT count(*) FROM todos) < 100",), (Source("Todos", TODOS, OWN),)
    )


@pytest.mark.parametrize(
    "condition",
    [
        "EXISTS (SELECT 1 FROM json_each(tags) WHERE value = 'a')",
        "id IN (WITH RECURSIVE c(n) AS (SELECT 1 UNION SELECT n + 1 FROM c WHERE n < 9) SELECT n FROM c)",
        "id IN (WITH c AS NOT MATERIALIZED (VALUES (1)) SELECT * FROM c)",
        "rowid = 1",
        "id IN (SELECT rowid FROM parents)",
        "id IN (SELECT rowid FROM todos_fts WHERE todos_fts MATCH 'a')",
        "todos.rowid IN (SELECT parent_id FROM parents)",
        "title LIKE 'a;%--' AND CAST(id AS TEXT) <> ''",
    ],
)
def test_sqlites_sql_is_kept_as_it_is_written(load: Load, schema: Schema, condition: str) -> None:
    grants = "GRANT SELECT ON parents, todos_fts TO authenticated; "
    visible = rows(load(f"{SECURED}{grants} CREATE POLICY p ON todos USING ({condition})"), schema)[0]
    assert isinstance(visible, Expression)
    assert visible.pieces == (condition,)


def test_a_policy_for_every_role_is_not_evaluated_for_one_without_privileges(load: Load) -> None:
    load(SECURED + MEMBERS + "CREATE POLICY p ON todos USING (org_id IN (SELECT org_id FROM members))")


def test_the_check_of_an_insert_needs_no_right_on_what_only_using_reads(load: Load, schema: Schema) -> None:
    text = """
    GRANT INSERT ON todos TO anon; ALTER TABLE todos ENABLE ROW LEVEL SECURITY;
    CREATE POLICY p ON todos USING (org_id IN (SELECT org_id FROM members)) WITH CHECK (done);
    """
    assert rows(load(text), schema, ANON) == (N, N, N, DONE, N)


# ---- warnings --------------------------------------------------------------------------------------------------


def test_views_and_indexes_that_pass_row_security_by_are_warned_of(load: Load) -> None:
    text = SECURED + "GRANT SELECT ON open_todos, todo_count, todos_fts, org_names TO anon, authenticated"
    assert load(text).warnings == tuple(
        f"anon, authenticated may read every row of '{name}', which shows 'Todos' and passes its row security by: "
        f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY, and give it policies"
        for name in ("open_todos", "todo_count", "todos_fts")
    )


def test_a_view_with_row_security_is_not_warned_of(load: Load) -> None:
    text = SECURED + "GRANT SELECT ON open_todos TO anon; ALTER TABLE open_todos ENABLE ROW LEVEL SECURITY"
    assert load(text).warnings == ()


def test_statements_that_do_nothing_are_warned_of(load: Load) -> None:
    text = SECURED + "\nREVOKE SELECT (title) ON todos FROM authenticated;\nCREATE POLICY p ON todos"
    assert load(text).warnings == (
        (
            "5:16: REVOKE SELECT on columns of 'Todos' takes nothing from authenticated, which has SELECT on the whole "
            "table: revoke that, and grant the other columns"
        ),
        "6:15: the policy 'p' on 'Todos' has no condition and so lets no row through: write USING (true) for every row",
    )
