-- The films are for everybody to read; notes belong to their owner; the vault is the service role's alone.
GRANT SELECT ON films, directors, roles, actors, recent_films TO anon, authenticated;

GRANT SELECT (id, owner, text, public) ON notes TO anon, authenticated;
GRANT INSERT (id, owner, text, public), DELETE ON notes TO authenticated;
GRANT UPDATE (text, public) ON notes TO authenticated;
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY public_notes ON notes FOR SELECT TO anon, authenticated USING (public);
CREATE POLICY own_notes ON notes FOR ALL TO authenticated
    USING (owner = auth_uid()) WITH CHECK (owner = auth_uid());
