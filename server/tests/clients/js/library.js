// What the suites share: a client for each caller, and assertions on whole answers.
import assert from "node:assert/strict";
import { createClient } from "@supabase/supabase-js";
import ws from "ws"; // Node has had a WebSocket of its own since version 22

const url = process.env.WHERRY_URL;
const keys = JSON.parse(process.env.WHERRY_KEYS);
const options = {
  auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
  realtime: { transport: ws },
};

/** A client as an application makes it: with a key, and with a user's token where somebody is signed in. */
export function clientOf(name) {
  if (name === "service" || name === "anon") return createClient(url, keys[name], options);
  return createClient(url, keys.anon, { ...options, global: { headers: { Authorization: `Bearer ${keys[name]}` } } });
}

export const service = clientOf("service");
export const anon = clientOf("anon");
export const { ALICE, BOB } = process.env;

/** Assert that a query gives exactly this data, and no error. */
export async function gives(query, data, { status = 200, count = null } = {}) {
  const answer = await query;
  assert.deepEqual(
    { data: answer.data, error: answer.error, status: answer.status, count: answer.count },
    { data, error: null, status, count },
  );
}

/** Assert that a query is refused with exactly this error. */
export async function refuses(query, status, error) {
  const answer = await query;
  assert.deepEqual({ data: answer.data, status: answer.status, error: answer.error }, { data: null, status, error });
}

/** Assert that a query finds the rows with these ids, in this order. */
export async function finds(query, ids) {
  const answer = await query;
  assert.deepEqual({ error: answer.error, ids: answer.data?.map((row) => row.id) }, { error: null, ids });
}
