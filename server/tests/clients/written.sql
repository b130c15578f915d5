-- The rows of the tables that are written to, put back before each test.
BEGIN IMMEDIATE;
DELETE FROM tickets;
DELETE FROM stock;
DELETE FROM counters;
DELETE FROM journal;
DELETE FROM notes;
INSERT INTO tickets (id, holder, seat, price, paid, extras, scan, film_id) VALUES
    (1, 'Vera', 'A1', 12.5, 1, '{"coat": true}', x'beef', 1),
    (2, 'Walt', 'A2', 10, 0, NULL, NULL, 2),
    (3, 'Xena', NULL, 8, 0, '[1, 2]', NULL, NULL);
INSERT INTO stock VALUES ('north', 'reel', 5, NULL), ('north', 'lamp', 2, 'old'), ('south', 'reel', 9, NULL);
INSERT INTO counters VALUES ('visits', 7);
INSERT INTO notes (id, owner, text, public, secret) VALUES
    (1, '5f1c9a52-0d6e-4a55-9a0a-1d6a35b6a001', 'of alice', 0, 'x1'),
    (2, '5f1c9a52-0d6e-4a55-9a0a-1d6a35b6a001', 'alice to all', 1, 'x2'),
    (3, '5f1c9a52-0d6e-4a55-9a0a-1d6a35b6b002', 'of bob', 0, 'x3');
COMMIT;
