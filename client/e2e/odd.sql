-- Names that have to be quoted, escaped or encoded somewhere on their way, and values of every kind.
CREATE TABLE "select" (
    "order" INTEGER, "a.b" TEXT, "quote "" here" TEXT, "back\slash" TEXT, "limit" TEXT, "名前 😀" TEXT,
    "__proto__" TEXT, "2020" INTEGER, "constructor" TEXT
);
INSERT INTO "select" VALUES
    (1, 'dot', 'quote', 'slash', 'limit', 'name', 'proto', 7, 'built'),
    (2, 'dot2', 'quote2', 'slash2', 'limit2', 'name2', 'proto2', 8, 'built2');

CREATE TABLE "a/b ?&=#%" (x);
INSERT INTO "a/b ?&=#%" VALUES (1), ('two');

CREATE TABLE "__proto__" (id INTEGER PRIMARY KEY, "hasOwnProperty" TEXT);
INSERT INTO "__proto__" VALUES (1, 'mine');

CREATE TABLE things (
    id INTEGER PRIMARY KEY, done BOOLEAN, tags JSON, big BIGINT, name VARCHAR(20), picture BLOB, anything
);
INSERT INTO things VALUES
    (1, 1, '["a", 1]', 9223372036854775807, 'Oar', x'00ff', 7),
    (2, 'maybe', 'no json', 'many', NULL, 'text', x'01'),
    (3, 0, '{"a": 9007199254740993}', -9223372036854775808, '', zeroblob(1500), NULL),
    (4, NULL, NULL, 9007199254740993, 'line one' || char(10) || 'line two', NULL, '<b onclick="alert(1)">bold</b>');

CREATE TABLE parts (id INTEGER PRIMARY KEY, thing INTEGER REFERENCES things (id));
INSERT INTO parts VALUES (1, 4), (2, NULL);

CREATE TABLE hollow (a, b);

CREATE TABLE many (id INTEGER PRIMARY KEY, half INTEGER);
INSERT INTO many SELECT value, value / 2 FROM (
    WITH RECURSIVE numbers (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM numbers WHERE value < 20000)
    SELECT value FROM numbers
);
ANALYZE;

-- Wider than any screen.
CREATE TABLE wide (
    "column 1", "column 2", "column 3", "column 4", "column 5", "column 6", "column 7", "column 8", "column 9",
    "column 10", "column 11", "column 12", "column 13", "column 14", "column 15", "column 16", "column 17",
    "column 18", "column 19", "column 20", "column 21", "column 22", "column 23", "column 24", "column 25",
    "column 26", "column 27", "column 28", "column 29", "column 30", "column 31", "column 32", "column 33",
    "column 34", "column 35", "column 36", "column 37", "column 38", "column 39", "column 40", "column 41",
    "column 42", "column 43", "column 44", "column 45", "column 46", "column 47", "column 48", "column 49",
    "column 50", "column 51", "column 52", "column 53", "column 54", "column 55", "column 56", "column 57",
    "column 58", "column 59", "column 60", "column 61", "column 62", "column 63", "column 64", "column 65",
    "column 66", "column 67", "column 68", "column 69", "column 70", "column 71", "column 72", "column 73",
    "column 74", "column 75", "column 76", "column 77", "column 78", "column 79", "column 80", "column 81",
    "column 82", "column 83", "column 84", "column 85", "column 86", "column 87", "column 88", "column 89",
    "column 90", "column 91", "column 92", "column 93", "column 94", "column 95", "column 96", "column 97",
    "column 98", "column 99", "column 100", "column 101", "column 102", "column 103", "column 104", "column 105",
    "column 106", "column 107", "column 108", "column 109", "column 110", "column 111", "column 112", "column 113",
    "column 114", "column 115", "column 116", "column 117", "column 118", "column 119", "column 120", "column 121",
    "column 122", "column 123", "column 124", "column 125", "column 126", "column 127", "column 128", "column 129",
    "column 130", "column 131", "column 132", "column 133", "column 134", "column 135", "column 136", "column 137",
    "column 138", "column 139", "column 140", "column 141", "column 142", "column 143", "column 144", "column 145",
    "column 146", "column 147", "column 148", "column 149", "column 150", "column 151", "column 152", "column 153",
    "column 154", "column 155", "column 156", "column 157", "column 158", "column 159", "column 160", "column 161",
    "column 162", "column 163", "column 164", "column 165", "column 166", "column 167", "column 168", "column 169",
    "column 170", "column 171", "column 172", "column 173", "column 174", "column 175", "column 176", "column 177",
    "column 178", "column 179", "column 180", "column 181", "column 182", "column 183", "column 184", "column 185",
    "column 186", "column 187", "column 188", "column 189", "column 190", "column 191", "column 192", "column 193",
    "column 194", "column 195", "column 196", "column 197", "column 198", "column 199", "column 200", "column 201",
    "column 202", "column 203", "column 204", "column 205", "column 206", "column 207", "column 208", "column 209",
    "column 210", "column 211", "column 212", "column 213", "column 214", "column 215", "column 216", "column 217",
    "column 218", "column 219", "column 220", "column 221", "column 222", "column 223", "column 224", "column 225",
    "column 226", "column 227", "column 228", "column 229", "column 230", "column 231", "column 232", "column 233",
    "column 234", "column 235", "column 236", "column 237", "column 238", "column 239", "column 240", "column 241",
    "column 242", "column 243", "column 244", "column 245", "column 246", "column 247", "column 248", "column 249",
    "column 250"
);
INSERT INTO wide ("column 1", "column 101", "column 250") VALUES ('first', 'later', 'last');
