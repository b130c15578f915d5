-- Who may do what with the film library. A change of this file takes effect at once.
--
-- anon            a request without a token, or with the anon key
-- authenticated   somebody who is signed in; auth_uid() is the `sub` of the token
-- service_role    the key of your own backend: everything, whatever stands here

-- Everybody reads the catalogue.
GRANT SELECT ON studios, people, genres, films, roles, film_genres TO anon, authenticated;
GRANT SELECT ON film_ratings, catalogue, films_search TO anon, authenticated;

-- Everybody reads reviews; who is signed in writes their own. A review stays with its film and its author: of
-- what is written, only the rating and the text can change.
GRANT SELECT ON reviews TO anon, authenticated;
GRANT INSERT (film_id, user_id, rating, body), UPDATE (rating, body), DELETE ON reviews TO authenticated;
ALTER TABLE reviews ENABLE ROW LEVEL SECURITY;
CREATE POLICY everybody_reads ON reviews FOR SELECT TO anon, authenticated USING (true);
CREATE POLICY own ON reviews FOR ALL TO authenticated
    USING (user_id = auth_uid())
    WITH CHECK (user_id = auth_uid());

-- A view shows all that its text selects: this one counts every review, which is meant.
ALTER TABLE film_ratings ENABLE ROW LEVEL SECURITY;
CREATE POLICY everybody_reads ON film_ratings FOR SELECT TO anon, authenticated USING (true);

-- A list is private to whoever made it.
GRANT SELECT, INSERT, UPDATE, DELETE ON lists TO authenticated;
ALTER TABLE lists ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON lists FOR ALL TO authenticated
    USING (user_id = auth_uid())
    WITH CHECK (user_id = auth_uid());

-- What stands on a list follows the list.
GRANT SELECT, INSERT, UPDATE, DELETE ON list_items TO authenticated;
ALTER TABLE list_items ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON list_items FOR ALL TO authenticated
    USING (list_id IN (SELECT id FROM lists WHERE user_id = auth_uid()))
    WITH CHECK (list_id IN (SELECT id FROM lists WHERE user_id = auth_uid()));
