// Everything that changes rows: insert, upsert, update, delete, with their counts, preferences and refusals.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { finds, gives, refuses, service } from "./library.js";

const tickets = service.from("tickets");
const stock = service.from("stock");
const everything = "id, holder, seat, price, paid, extras, scan, film_id, label";

const first = { id: 1, holder: "Vera", seat: "A1", price: 12.5, paid: true, extras: { coat: true }, scan: "\\xbeef", film_id: 1 };
const second = { id: 2, holder: "Walt", seat: "A2", price: 10, paid: false, extras: null, scan: null, film_id: 2 };
const third = { id: 3, holder: "Xena", seat: null, price: 8, paid: false, extras: [1, 2], scan: null, film_id: null };
const goods = [
  { warehouse: "north", sku: "lamp", amount: 2, note: "old" },
  { warehouse: "north", sku: "reel", amount: 5, note: null },
  { warehouse: "south", sku: "reel", amount: 9, note: null },
];

beforeEach(async () => {
  await tickets.delete().gte("id", 0).throwOnError();
  await tickets.insert([first, second, third]).throwOnError();
  await stock.delete().not("sku", "is", null).throwOnError();
  await stock.insert(goods).throwOnError();
  await service.from("journal").delete().neq("line", "").throwOnError();
});

const allGoods = () => stock.select("*").order("warehouse").order("sku");

test("insert one row says nothing unless it is asked", async () => {
  await gives(tickets.insert({ id: 10, holder: "Yan" }), null, { status: 201 });
  await gives(tickets.insert({ id: 11, holder: "Zoe" }, { count: "exact" }), null, { status: 201, count: 1 });
  await finds(tickets.select("id").gte("id", 10).order("id"), [10, 11]);
});

test("insert and select gives the row with its defaults, as it was kept", async () => {
  await gives(
    tickets.insert({ id: 10, holder: "Yan", seat: "B7", extras: { a: [1, null] }, scan: "\\x0102" }).select(everything),
    [{ id: 10, holder: "Yan", seat: "B7", price: 10, paid: false, extras: { a: [1, null] }, scan: "\\x0102", film_id: null, label: "Yan/B7" }],
    { status: 201 },
  );
  await gives(tickets.insert({ holder: "Zoe", paid: true }).select("holder, paid").single(), { holder: "Zoe", paid: true }, { status: 201 });
});

test("insert many in one request, in order", async () => {
  await gives(
    tickets.insert([{ id: 20, holder: "a" }, { id: 21, holder: "b" }], { count: "exact" }).select("id, holder, price"),
    [
      { id: 20, holder: "a", price: 10 },
      { id: 21, holder: "b", price: 10 },
    ].map((row) => row),
    { status: 201, count: 2 },
  );
});

test("a row of a list that lacks a column gets null, or its default where that is asked", async () => {
  await gives(tickets.insert([{ id: 20, holder: "a", price: 3 }, { id: 21, holder: "b" }]).select("id, price"), [
    { id: 20, price: 3 },
    { id: 21, price: null },
  ], { status: 201 });
  await gives(
    tickets.insert([{ id: 22, holder: "a", price: 3 }, { id: 23, holder: "b" }], { defaultToNull: false }).select("id, price"),
    [
      { id: 22, price: 3 },
      { id: 23, price: 10 },
    ],
    { status: 201 },
  );
});

test("insert with an embed in its representation", async () => {
  await gives(
    tickets.insert({ id: 10, holder: "Yan", film_id: 2 }).select("holder, films(title, directors(name))").single(),
    { holder: "Yan", films: { title: "Night Ferry", directors: { name: "Bruno Tessari" } } },
    { status: 201 },
  );
});

test("insert nothing, and insert nothing but defaults", async () => {
  await gives(tickets.insert([]).select("id"), [], { status: 201 });
  await gives(service.from("journal").insert({}).select("line, at"), [{ line: null, at: "now" }], { status: 201 });
});

test("a list is inserted whole or not at all", async () => {
  await refuses(tickets.insert([{ id: 30, holder: "ok" }, { id: 1, holder: "taken" }]), 409, {
    code: "23505",
    message: 'duplicate key value violates unique constraint "tickets_pkey"',
    details: "Key (id) already exists.",
    hint: null,
  });
  await finds(tickets.select("id").order("id"), [1, 2, 3]);
});

test("upsert merges by the primary key", async () => {
  await gives(
    stock.upsert({ warehouse: "north", sku: "reel", amount: 6 }).select("*"),
    [{ warehouse: "north", sku: "reel", amount: 6, note: null }],
    { status: 200 },
  );
  await gives(
    stock.upsert([{ warehouse: "north", sku: "reel", amount: 7 }, { warehouse: "west", sku: "reel", amount: 1 }], { count: "exact" }).select("amount"),
    [{ amount: 7 }, { amount: 1 }],
    { status: 201, count: 2 },
  );
  await gives(stock.upsert({ warehouse: "north", sku: "lamp", amount: 3 }), null, { status: 200 });
  await gives(stock.upsert({ warehouse: "east", sku: "lamp", amount: 3 }), null, { status: 201 });
  await gives(allGoods(), [
    { warehouse: "east", sku: "lamp", amount: 3, note: null },
    { warehouse: "north", sku: "lamp", amount: 3, note: "old" },
    { warehouse: "north", sku: "reel", amount: 7, note: null },
    { warehouse: "south", sku: "reel", amount: 9, note: null },
    { warehouse: "west", sku: "reel", amount: 1, note: null },
  ]);
});

test("upsert merges by another unique key, or leaves what is there", async () => {
  await gives(
    tickets.upsert({ holder: "Vera the 2nd", seat: "A1" }, { onConflict: "seat" }).select("id, holder, seat, price"),
    [{ id: 1, holder: "Vera the 2nd", seat: "A1", price: 12.5 }],
  );
  await gives(
    tickets.upsert([{ id: 1, holder: "nobody" }, { id: 40, holder: "new" }], { ignoreDuplicates: true }).select("id, holder"),
    [{ id: 40, holder: "new" }],
    { status: 201 },
  );
  await gives(tickets.upsert({ id: 1, holder: "nobody" }, { ignoreDuplicates: true }).select("id"), [], { status: 201 });
  await gives(tickets.select("holder").eq("id", 1), [{ holder: "Vera the 2nd" }]);
});

test("upsert gives the defaults to new rows where that is asked", async () => {
  await gives(
    stock
      .upsert([{ warehouse: "north", sku: "lamp", amount: 8 }, { warehouse: "new", sku: "lamp" }], { defaultToNull: false })
      .select("warehouse, amount, note"),
    [
      { warehouse: "north", amount: 8, note: "old" },
      { warehouse: "new", amount: 1, note: null },
    ],
    { status: 201 },
  );
});

test("upsert on what is no unique key is refused", async () => {
  await refuses(tickets.upsert({ id: 1, holder: "x" }, { onConflict: "holder" }), 400, {
    code: "42P10",
    message: "there is no unique or exclusion constraint matching the ON CONFLICT specification",
    details: "tickets(holder) is neither its primary key nor unique",
    hint: "Write the columns of a unique key: on_conflict=id; on_conflict=seat",
  });
});

test("update says nothing, counts, or shows the rows", async () => {
  await gives(tickets.update({ price: 1 }).eq("id", 1), null, { status: 204 });
  await gives(tickets.update({ price: 2 }, { count: "exact" }).lte("id", 2), null, { status: 204, count: 2 });
  await gives(tickets.update({ price: 3, extras: { x: 1 } }).eq("id", 2).select("id, price, extras, films(title)"), [
    { id: 2, price: 3, extras: { x: 1 }, films: { title: "Night Ferry" } },
  ]);
  await gives(tickets.update({ paid: true }).eq("id", 3).select("paid").single(), { paid: true });
  await gives(tickets.update({ price: 3 }).eq("id", 99).select(), []);
  await gives(tickets.update({ price: 3 }, { count: "exact" }).eq("id", 99).select("id"), [], { count: 0 });
  await gives(tickets.update({ holder: "Walt" }).eq("id", 2).select("id").maybeSingle(), { id: 2 });
});

test("update of no row is no single row, and changes nothing", async () => {
  await refuses(tickets.update({ price: 3 }).lte("id", 2).select("id").single(), 406, {
    code: "PGRST116",
    message: "Cannot coerce the result to a single JSON object",
    details: "The result contains 2 rows",
    hint: "Filter by a unique key, or accept application/json",
  });
  await gives(tickets.select("price").order("id"), [{ price: 12.5 }, { price: 10 }, { price: 8 }]);
});

test("update and delete only a page of the rows", async () => {
  await gives(tickets.update({ price: 1 }).gte("id", 1).order("id", { ascending: false }).limit(1).select("id"), [{ id: 3 }]);
  await gives(tickets.delete().gte("id", 1).order("id").range(1, 1).select("id"), [{ id: 2 }]);
  await finds(tickets.select("id").order("id"), [1, 3]);
});

test("the representation is ordered as it is asked, and an inner join shows the rows that have one", async () => {
  await gives(tickets.insert([{ id: 80, holder: "a" }, { id: 81, holder: "b" }]).select("id").order("id", { ascending: false }), [{ id: 81 }, { id: 80 }], {
    status: 201,
  });
  await gives(tickets.delete().gte("id", 80).select("id").order("holder", { ascending: false }).limit(2), [{ id: 81 }, { id: 80 }]);
  await gives(tickets.update({ price: 1 }).gte("id", 1).select("id, seat").order("seat", { ascending: false }), [
    { id: 3, seat: null },
    { id: 2, seat: "A2" },
    { id: 1, seat: "A1" },
  ]);
  await gives(tickets.update({ price: 2 }).gte("id", 1).select("id, films(title)").order("films(title)", { nullsFirst: true }), [
    { id: 3, films: null },
    { id: 2, films: { title: "Night Ferry" } },
    { id: 1, films: { title: "The Salt Road" } },
  ]);
  await gives(tickets.update({ price: 3 }, { count: "exact" }).gte("id", 1).eq("films.year", 1979).select("id, films!inner(title)"), [
    { id: 2, films: { title: "Night Ferry" } },
  ], { count: 1 });
  await gives(tickets.update({ price: 3 }).eq("id", 2).select("id, films!inner(title)").single(), {
    id: 2,
    films: { title: "Night Ferry" },
  });
  await gives(tickets.select("price").order("id"), [{ price: 3 }, { price: 3 }, { price: 3 }]);
});

test("update with every kind of filter", async () => {
  await gives(tickets.update({ price: 0 }).or("id.eq.1,holder.eq.Walt").select("id"), [{ id: 1 }, { id: 2 }]);
  await gives(tickets.update({ price: 4 }).eq("extras->>coat", "true").select("id, price"), [{ id: 1, price: 4 }]);
  await gives(tickets.update({ price: 5 }).is("seat", null).select("id"), [{ id: 3 }]);
  await gives(tickets.update({ price: 6 }).in("seat", ["A1", "A2"]).not("paid", "is", true).select("id"), [{ id: 2 }]);
});

test("delete says nothing, counts, or shows what is gone", async () => {
  await gives(tickets.delete().eq("id", 1), null, { status: 204 });
  await gives(tickets.delete().eq("id", 2).select("id, holder"), [{ id: 2, holder: "Walt" }]);
  await gives(tickets.delete({ count: "exact" }).gte("id", 0), null, { status: 204, count: 1 });
  await gives(tickets.delete().eq("id", 99).select(), []);
});

test("maxAffected refuses more, and changes nothing", async () => {
  const refusal = {
    code: "PGRST124",
    message: "Query result exceeds max-affected preference constraint",
    details: "The query affects 3 rows",
    hint: "Filter more narrowly, or allow more in Prefer: max-affected",
  };
  await refuses(tickets.update({ price: 1 }).gte("id", 1).maxAffected(2), 400, refusal);
  await refuses(tickets.delete().gte("id", 1).maxAffected(2).select(), 400, refusal);
  await gives(tickets.select("price").order("id"), [{ price: 12.5 }, { price: 10 }, { price: 8 }]);
  await gives(tickets.update({ price: 1 }).gte("id", 1).maxAffected(3).select("price"), [{ price: 1 }, { price: 1 }, { price: 1 }]);
});

test("rollback shows what would be and leaves what was", async () => {
  await gives(tickets.update({ price: 99 }).eq("id", 1).select("price").rollback(), [{ price: 99 }]);
  await gives(tickets.insert({ id: 50, holder: "x" }).select("id").rollback(), [{ id: 50 }], { status: 201 });
  await gives(tickets.delete({ count: "exact" }).gte("id", 0).rollback(), null, { status: 204, count: 3 });
  await gives(tickets.select("id, price").order("id"), [{ id: 1, price: 12.5 }, { id: 2, price: 10 }, { id: 3, price: 8 }]);
});

test("a bigint goes in and comes out with every digit", async () => {
  await gives(stock.update({ amount: 9223372036854775807n }).eq("warehouse", "south").select("amount::text"), [{ amount: "9223372036854775807" }]);
  await finds(tickets.select("id").eq("id", 1), [1]);
});

test("constraints are told as PostgreSQL tells them", async () => {
  await refuses(tickets.insert({ id: 60, holder: "x", seat: "A1" }), 409, {
    code: "23505",
    message: 'duplicate key value violates unique constraint "tickets_seat_key"',
    details: "Key (seat)=(A1) already exists.",
    hint: null,
  });
  await refuses(tickets.insert({ id: 60, seat: "Z1" }), 400, {
    code: "23502",
    message: 'null value in column "holder" of relation "tickets" violates not-null constraint',
    details: "Failing row contains (id, seat) = (60, Z1).",
    hint: 'Give "holder" a value',
  });
  await refuses(tickets.update({ price: -1 }).eq("id", 1), 400, {
    code: "23514",
    message: 'new row for relation "tickets" violates check constraint "fair_price"',
    details: "Failing row contains (price) = (-1).",
    hint: null,
  });
  await refuses(tickets.insert({ id: 60, holder: "x", film_id: 77 }), 409, {
    code: "23503",
    message: 'insert or update on table "tickets" violates foreign key constraint "tickets_film_id_fkey"',
    details: 'Key (film_id)=(77) is not present in table "films".',
    hint: "Refer only to rows that exist, and delete or change no row that others refer to.",
  });
  const { status, error } = await service.from("addresses").delete().eq("id", 1);
  assert.deepEqual({ status, code: error.code }, { status: 409, code: "23503" });
});

test("a wrong type in a STRICT table is refused", async () => {
  const { data, status, error } = await service.from("counters").insert({ name: "x", value: "many" });
  assert.deepEqual({ data, status, code: error.code }, { data: null, status: 400, code: "22P02" });
});

test("columns that are not there, or are made by the database", async () => {
  await refuses(tickets.insert({ id: 60, holdr: "x" }), 400, {
    code: "PGRST204",
    message: "Could not find the 'holdr' column of 'tickets' in the schema cache",
    details: null,
    hint: "Perhaps you meant 'holder'",
  });
  await refuses(tickets.insert({ id: 60, holder: "x", label: "mine" }), 400, {
    code: "428C9",
    message: 'cannot write a value into column "label"',
    details: 'Column "label" is a generated column.',
    hint: "Leave the column out",
  });
});

test("a view is written through its triggers", async () => {
  const open = service.from("open_tickets");
  await gives(open.insert({ id: 70, holder: "Yan", seat: "C1" }), null, { status: 201 });
  await gives(open.update({ holder: "Yana" }).eq("id", 70), null, { status: 204 });
  await gives(tickets.select("holder, paid").eq("id", 70), [{ holder: "Yana", paid: false }]);
  await gives(open.delete().eq("id", 70), null, { status: 204 });
  await gives(tickets.select("id").eq("id", 70), []);
});

test("a view without triggers is not written", async () => {
  const { status, error } = await service.from("recent_films").insert({ id: 70, title: "x" });
  assert.deepEqual({ status, code: error.code }, { status: 405, code: "55000" });
});

test("throwOnError throws what a constraint says", async () => {
  await assert.rejects(async () => await tickets.insert({ id: 1, holder: "x" }).throwOnError(), {
    name: "PostgrestError",
    code: "23505",
    details: "Key (id)=(1) already exists.",
  });
});

test("csv of a write", async () => {
  await gives(tickets.update({ price: 3 }).lte("id", 2).select("id, holder").csv(), "id,holder\n1,Vera\n2,Walt");
});
