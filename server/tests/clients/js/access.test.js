// Who may do what: the service key, the anon key, and users who signed in.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { ALICE, BOB, anon, clientOf, finds, gives, refuses, service } from "./library.js";

const alice = clientOf("alice");
const bob = clientOf("bob");

beforeEach(async () => {
  await service.from("notes").delete().gte("id", 0).throwOnError();
  await service.from("notes").insert([
    { id: 1, owner: ALICE, text: "of alice", public: false, secret: "x1" },
    { id: 2, owner: ALICE, text: "alice to all", public: true, secret: "x2" },
    { id: 3, owner: BOB, text: "of bob", public: false, secret: "x3" },
  ]).throwOnError();
});

const notes = (client) => client.from("notes").select("id").order("id");

test("each sees the rows that the policies show", async () => {
  await finds(notes(service), [1, 2, 3]);
  await finds(notes(anon), [2]);
  await finds(notes(alice), [1, 2]);
  await finds(notes(bob), [2, 3]);
  await gives(anon.from("notes").select("*", { count: "exact", head: true }), null, { count: 1 });
  await gives(bob.from("notes").select("count()"), [{ count: 2 }]);
});

test("a star shows the columns that are granted, another column is refused", async () => {
  await gives(anon.from("notes").select("*"), [{ id: 2, owner: ALICE, text: "alice to all", public: true }]);
  const seen = await service.from("notes").select("*").eq("id", 2).single();
  assert.deepEqual(seen.data, { id: 2, owner: ALICE, text: "alice to all", public: true, secret: "x2" });
  for (const query of [alice.from("notes").select("secret"), alice.from("notes").select("id").eq("secret", "x3"), alice.from("notes").select("id").order("secret")]) {
    const { data, error } = await query;
    assert.equal(data, null);
    assert.equal(JSON.stringify(error).includes("x3"), false);
    assert.ok(["42703", "42501"].includes(error.code), JSON.stringify(error));
  }
});

test("what anon may not do is 401, what a user may not do is 403", async () => {
  const denied = { code: "42501", message: "permission denied for table vault", details: null };
  for (const [client, status] of [[anon, 401], [alice, 403]]) {
    const answer = await client.from("vault").select("*");
    assert.deepEqual({ status: answer.status, data: answer.data, ...answer.error, hint: undefined }, { status, data: null, ...denied, hint: undefined });
    const write = await client.from("films").insert({ title: "x" });
    assert.deepEqual({ status: write.status, code: write.error.code, message: write.error.message }, { status, code: "42501", message: "permission denied for table films" });
  }
  await gives(service.from("vault").select("*"), [{ id: 1, code: "swordfish" }]);
});

test("embeds show no more than their tables would", async () => {
  await gives(anon.from("directors").select("name, films(title)").eq("id", 1), [{ name: "Ada Marlow", films: [{ title: "The Salt Road" }] }]);
  const { status, error } = await anon.from("films").select("id, awards(year)");
  assert.deepEqual({ status, code: error.code }, { status: 401, code: "42501" });
});

test("users write their own rows and no others", async () => {
  await gives(alice.from("notes").insert({ id: 10, owner: ALICE, text: "new" }).select("id, text"), [{ id: 10, text: "new" }], { status: 201 });
  await refuses(alice.from("notes").insert({ id: 11, owner: BOB, text: "forged" }), 403, {
    code: "42501",
    message: 'new row violates row-level security policy for table "notes"',
    details: null,
    hint: null,
  });
  await gives(alice.from("notes").update({ text: "changed" }).gte("id", 1).select("id").order("id"), [{ id: 1 }, { id: 2 }, { id: 10 }]);
  await gives(alice.from("notes").delete({ count: "exact" }).in("id", [2, 3]), null, { status: 204, count: 1 });
  await gives(service.from("notes").select("id, text").order("id"), [
    { id: 1, text: "changed" },
    { id: 3, text: "of bob" },
    { id: 10, text: "changed" },
  ]);
});

test("a user does not give a row away, nor change a column that is not granted", async () => {
  const { status, error } = await alice.from("notes").update({ owner: BOB }).eq("id", 1);
  assert.deepEqual({ status, code: error.code }, { status: 403, code: "42501" });
  await finds(notes(alice), [1, 2]);
});

test("anon writes nothing", async () => {
  const { status, error } = await anon.from("notes").insert({ id: 20, owner: ALICE, text: "x" });
  assert.deepEqual({ status, code: error.code, message: error.message }, { status: 401, code: "42501", message: "permission denied for table notes" });
});

test("an expired token is refused", async () => {
  const { data, status, error } = await clientOf("expired").from("films").select("id");
  assert.deepEqual({ data, status, code: error.code, message: error.message }, { data: null, status: 401, code: "PGRST303", message: "JWT expired" });
});

