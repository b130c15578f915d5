// What can be selected: columns, places inside JSON, embeds of every kind, aggregates, orders, pages and formats.
import assert from "node:assert/strict";
import { test } from "node:test";
import { finds, gives, refuses, service } from "./library.js";

const from = (table) => service.from(table);

test("every type comes back as it was declared", async () => {
  const columns = "id,title,year,rating,in_print,director_id,details,tags,poster,released";
  await gives(from("films").select(columns).in("id", [1, 3, 6]).order("id"), [
    {
      id: 1,
      title: "The Salt Road",
      year: 1964,
      rating: 7.5,
      in_print: true,
      director_id: 1,
      details: { length: 101, sound: { mono: true }, reels: [{ feet: 900 }, { feet: 870 }], note: null },
      tags: ["desert", "classic"],
      poster: "\\x00ff10",
      released: "1964-03-02",
    },
    {
      id: 3,
      title: "Paper Harbour",
      year: 1979,
      rating: null,
      in_print: null,
      director_id: 2,
      details: null,
      tags: ["sea"],
      poster: "\\x",
      released: null,
    },
    {
      id: 6,
      title: "a, (b) c",
      year: null,
      rating: 3.5,
      in_print: false,
      director_id: 3,
      details: { length: "long" },
      tags: ["odd,comma", "classic"],
      poster: null,
      released: null,
    },
  ]);
});

test("a number of 64 bits loses nothing when it is asked for as text", async () => {
  await gives(from("films").select("gross::text").eq("id", 1), [{ gross: "9007199254740993" }]);
  await gives(from("films").select("gross").eq("id", 1).csv(), "gross\n9007199254740993");
});

test("columns are renamed and cast", async () => {
  await gives(from("films").select("name:title, born:year::text, rating::int, in_print::text").eq("id", 2), [
    { name: "Night Ferry", born: "1979", rating: 8, in_print: "false" },
  ]);
});

test("places inside JSON are columns like others", async () => {
  await gives(
    from("films").select("id, details->length, sound:details->sound, mono:details->sound->>mono, feet:details->reels->0->feet, tags->>0").in("id", [1, 6]).order("id"),
    [
      { id: 1, length: 101, sound: { mono: true }, mono: "true", feet: 900, tags: "desert" },
      { id: 6, length: "long", sound: null, mono: null, feet: null, tags: "odd,comma" },
    ],
  );
});

test("odd names are written in quotes", async () => {
  await gives(from("odd, names").select('"the id","Größe (cm)",select,"a.b",renamed:"c:d"').order("the id", { ascending: false }), [
    { "the id": 2, "Größe (cm)": 2.5, select: "two", "a.b": null, renamed: null },
    { "the id": 1, "Größe (cm)": 1.5, select: "one", "a.b": "dot", renamed: "colon" },
  ]);
  await gives(from("odd, names").select('"the id"').eq('"a.b"', "dot"), [{ "the id": 1 }]);
  await gives(from("odd, names").select('"the id"').gt('"Größe (cm)"', 2), [{ "the id": 2 }]);
});

test("many to one and one to many, nested", async () => {
  await gives(from("films").select("title, directors(name)").in("id", [1, 5]).order("id"), [
    { title: "The Salt Road", directors: { name: "Ada Marlow" } },
    { title: 'Été, "bis"', directors: null },
  ]);
  await gives(from("directors").select("name, films(title, awards(year, category))").eq("id", 2), [
    {
      name: "Bruno Tessari",
      films: [
        {
          title: "Night Ferry",
          awards: [
            { year: 1980, category: "picture" },
            { year: 1980, category: "sound" },
          ],
        },
        { title: "Paper Harbour", awards: [] },
      ],
    },
  ]);
});

test("one to one is an object from both sides", async () => {
  await gives(from("films").select("id, specs(camera)").lte("id", 3).order("id"), [
    { id: 1, specs: { camera: "Arri 35" } },
    { id: 2, specs: { camera: "Bolex" } },
    { id: 3, specs: null },
  ]);
  await gives(from("specs").select("frames, films(title)").order("film_id"), [
    { frames: 24, films: { title: "The Salt Road" } },
    { frames: 16.5, films: { title: "Night Ferry" } },
  ]);
});

test("many to many through the junction, which can be embedded as well", async () => {
  await gives(from("films").select("id, actors(last_name), roles(character)").eq("id", 2).order("last_name", { referencedTable: "actors" }), [
    { id: 2, actors: [{ last_name: "Vale" }, { last_name: "Vale" }], roles: [{ character: "Captain" }, { character: "Lost Brother" }] },
  ]);
  await gives(from("actors").select("last_name, films(title)").eq("id", 4), [{ last_name: "Zed", films: [] }]);
  await gives(from("actors").select("roles(character, films(title, year))").eq("id", 3), [
    { roles: [{ character: "Lost Brother", films: { title: "Night Ferry", year: 1979 } }] },
  ]);
});

test("composite keys relate as single ones do", async () => {
  await gives(from("speeches").select("words, awards(film_id, films(title))").order("id"), [
    { words: 120, awards: { film_id: 1, films: { title: "The Salt Road" } } },
    { words: 9, awards: { film_id: 2, films: { title: "Night Ferry" } } },
    { words: 31, awards: { film_id: 2, films: { title: "Night Ferry" } } },
  ]);
  await gives(from("awards").select("category, speeches(words)").eq("year", 1980).order("category"), [
    { category: "picture", speeches: [] },
    { category: "sound", speeches: [{ words: 9 }, { words: 31 }] },
  ]);
});

test("a table related to itself is embedded in both directions", async () => {
  await gives(from("directors").select("name, mentor:mentor_id(name), pupils:directors(name)").order("id").limit(2), [
    { name: "Ada Marlow", mentor: null, pupils: [{ name: "Bruno Tessari" }] },
    { name: "Bruno Tessari", mentor: { name: "Ada Marlow" }, pupils: [{ name: "Chiyo Arata" }, { name: "Dov Lerner" }] },
  ]);
  await gives(from("directors").select("name, pupils:directors!mentor_id(name)").eq("id", 1), [
    { name: "Ada Marlow", pupils: [{ name: "Bruno Tessari" }] },
  ]);
});

test("two foreign keys to one table need a hint: the key's name, or its column", async () => {
  await gives(
    from("orders").select("item, to:addresses!shipping(town), bill:addresses!billing_id(town)").order("id"),
    [
      { item: "reel", to: { town: "Lille" }, bill: { town: "Porto" } },
      { item: "lens", to: { town: "Lille" }, bill: { town: "Lille" } },
      { item: "lamp", to: { town: "Turku" }, bill: null },
    ],
  );
  await gives(from("orders").select("item, shipping_id(town)").eq("id", 1), [{ item: "reel", shipping_id: { town: "Lille" } }]);
  await gives(from("addresses").select("town, billed:orders!billing(item), shipped:orders!shipping(item)").order("id"), [
    { town: "Porto", billed: [{ item: "reel" }], shipped: [] },
    { town: "Lille", billed: [{ item: "lens" }], shipped: [{ item: "reel" }, { item: "lens" }] },
    { town: "Turku", billed: [], shipped: [{ item: "lamp" }] },
  ]);
});

test("without the hint the candidates are listed", async () => {
  await refuses(from("orders").select("item, addresses(town)"), 300, {
    code: "PGRST201",
    message: "Could not embed because more than one relationship was found for 'orders' and 'addresses'",
    details: [
      { cardinality: "many-to-one", embedding: "orders with addresses", relationship: "billing using orders(billing_id) and addresses(id)" },
      { cardinality: "many-to-one", embedding: "orders with addresses", relationship: "shipping using orders(shipping_id) and addresses(id)" },
    ],
    hint:
      "Try changing 'addresses' to one of the following: 'addresses!billing', 'addresses!shipping'. " +
      "Find the desired relationship in the 'details' key.",
  });
});

test("the same table is embedded twice under two names, each with its own filters", async () => {
  await gives(
    from("directors").select("name, early:films(title), late:films(title)").lt("early.year", 1979).gte("late.year", 1979).order("id").limit(3),
    [
      { name: "Ada Marlow", early: [{ title: "The Salt Road" }], late: [] },
      { name: "Bruno Tessari", early: [], late: [{ title: "Night Ferry" }, { title: "Paper Harbour" }] },
      { name: "Chiyo Arata", early: [], late: [{ title: "100% Cotton" }] },
    ],
  );
});

test("inner drops parents without a row, left keeps them", async () => {
  await gives(from("films").select("id, roles!inner(character, actors!inner(first_name))").eq("roles.actors.first_name", "Ines").order("id"), [
    { id: 1, roles: [{ character: "Sister Agnes", actors: { first_name: "Ines" } }] },
    { id: 2, roles: [{ character: "Captain", actors: { first_name: "Ines" } }] },
  ]);
  await finds(from("films").select("id, actors!inner(id)").eq("actors.last_name", "Orr").order("id"), [1, 4]);
  await finds(from("films").select("id, specs!left(film_id)").order("id"), [1, 2, 3, 4, 5, 6]);
  await gives(from("orders").select("item, addresses!shipping!inner(town)").eq("addresses.town", "Turku"), [
    { item: "lamp", addresses: { town: "Turku" } },
  ]);
});

test("inner counts parents, not rows", async () => {
  await gives(from("directors").select("id, films!inner()", { count: "exact" }).order("id"), [{ id: 1 }, { id: 2 }, { id: 3 }], { count: 3 });
});

test("a spread to-one stands in its parent, a spread to-many gives lists", async () => {
  await gives(from("films").select("title, ...directors(director:name, mentor_id)").in("id", [2, 5]).order("id"), [
    { title: "Night Ferry", director: "Bruno Tessari", mentor_id: 1 },
    { title: 'Été, "bis"', director: null, mentor_id: null },
  ]);
  await gives(from("directors").select("name, ...films(titles:title, years:year)").order("id").order("id", { referencedTable: "films" }), [
    { name: "Ada Marlow", titles: ["The Salt Road"], years: [1964] },
    { name: "Bruno Tessari", titles: ["Night Ferry", "Paper Harbour"], years: [1979, 1979] },
    { name: "Chiyo Arata", titles: ["100% Cotton", "a, (b) c"], years: [1998, null] },
    { name: "Dov Lerner", titles: [], years: [] },
  ]);
  await gives(from("films").select("title, cast:roles(character, ...actors(first_name, last_name))").eq("id", 4), [
    { title: "100% Cotton", cast: [{ character: "Tailor", first_name: "Jon", last_name: "Orr" }] },
  ]);
  await gives(from("films").select("id, ...specs(*)").in("id", [1, 3]).order("id"), [
    { id: 1, film_id: 1, camera: "Arri 35", frames: 24 },
    { id: 3, film_id: null, camera: null, frames: null },
  ]);
});

test("views relate as their tables do", async () => {
  await gives(from("recent_films").select("title, directors(name)").order("id").limit(1), [
    { title: "Night Ferry", directors: { name: "Bruno Tessari" } },
  ]);
  await gives(from("directors").select("name, recent_films(title)").eq("id", 3), [{ name: "Chiyo Arata", recent_films: [{ title: "100% Cotton" }] }]);
  await gives(from("recent_films").select("id, actors(first_name)").eq("id", 4), [{ id: 4, actors: [{ first_name: "Jon" }] }]);
  await gives(from("film_counts").select("films, directors(name)").eq("director_id", 2), [{ films: 2, directors: { name: "Bruno Tessari" } }]);
});

test("aggregates, alone and in groups", async () => {
  await gives(from("films").select("count(), rating.sum(), rating.avg(), lowest:rating.min(), year.max()"), [
    { count: 6, sum: 34.25, avg: 6.85, lowest: 3.5, max: 2004 },
  ]);
  await gives(from("films").select("year, count()").order("year"), [
    { year: 1964, count: 1 },
    { year: 1979, count: 2 },
    { year: 1998, count: 1 },
    { year: 2004, count: 1 },
    { year: null, count: 1 },
  ]);
  await gives(from("films").select("rated:rating.count(), in_print").eq("year", 1979).order("in_print", { nullsFirst: true }), [
    { rated: 0, in_print: null },
    { rated: 1, in_print: false },
  ]);
  await gives(from("films").select("details->length::numeric.sum(), rating.avg()::int").in("id", [1, 2]), [{ sum: 189, avg: 8 }]);
  await gives(from("films").select("count()").eq("id", 99), [{ count: 0 }]);
  await gives(from("films").select("rating.max(), year").eq("id", 99), []);
});

test("aggregates inside embeds, over embeds and in spreads", async () => {
  await gives(from("directors").select("name, films(count(), rating.avg())").order("id"), [
    { name: "Ada Marlow", films: [{ count: 1, avg: 7.5 }] },
    { name: "Bruno Tessari", films: [{ count: 2, avg: 8.25 }] },
    { name: "Chiyo Arata", films: [{ count: 2, avg: 4.75 }] },
    { name: "Dov Lerner", films: [{ count: 0, avg: null }] },
  ]);
  await gives(from("directors").select("id, films(year, count())").eq("id", 2), [{ id: 2, films: [{ year: 1979, count: 2 }] }]);
  await gives(from("films").select("count(), directors(name)").not("director_id", "is", null).order("directors(name)"), [
    { count: 1, directors: { name: "Ada Marlow" } },
    { count: 2, directors: { name: "Bruno Tessari" } },
    { count: 2, directors: { name: "Chiyo Arata" } },
  ]);
  await gives(from("films").select("count(), ...directors(name)").not("director_id", "is", null).order("directors(name)"), [
    { count: 1, name: "Ada Marlow" },
    { count: 2, name: "Bruno Tessari" },
    { count: 2, name: "Chiyo Arata" },
  ]);
  await gives(from("films").select("year, ...directors(born.max())").eq("year", 1979), [{ year: 1979, max: 1948 }]);
  await gives(from("roles").select("film_id, ...films(...directors(born.max()), ...specs(camera))").order("film_id"), [
    { film_id: 1, max: 1931, camera: "Arri 35" },
    { film_id: 2, max: 1948, camera: "Bolex" },
    { film_id: 4, max: 1970, camera: null },
  ]);
  await gives(from("directors").select("id, ...films(count(), ...specs(frames.sum()))").order("id").limit(3), [
    { id: 1, count: 1, sum: 24 },
    { id: 2, count: 2, sum: 16.5 },
    { id: 3, count: 2, sum: null },
  ]);
  const { status, error } = await from("directors").select("name, ...films(title, count())");
  assert.deepEqual({ status, code: error.code }, { status: 400, code: "PGRST127" });
});

test("the legacy count inside an embed counts its rows", async () => {
  await gives(from("films").select("id, roles(count)").lte("id", 3).order("id"), [
    { id: 1, roles: [{ count: 2 }] },
    { id: 2, roles: [{ count: 2 }] },
    { id: 3, roles: [{ count: 0 }] },
  ]);
});

test("order by several columns, nulls where they are wanted", async () => {
  await finds(from("films").select("id").order("year").order("title", { ascending: false }), [1, 3, 2, 4, 5, 6]);
  await finds(from("films").select("id").order("year", { ascending: false }).order("id"), [6, 5, 4, 2, 3, 1]);
  await finds(from("films").select("id").order("rating", { nullsFirst: true }), [3, 6, 4, 1, 2, 5]);
  await finds(from("films").select("id").order("rating", { ascending: false, nullsFirst: false }), [5, 2, 1, 4, 6, 3]);
  await finds(from("films").select("id").order("details->>language", { nullsFirst: false }).order("id", { ascending: false }), [4, 6, 5, 3, 2, 1]);
});

test("order by a to-one embed, and inside a to-many one", async () => {
  await finds(from("films").select("id, directors(name)").order("directors(name)", { ascending: false }).order("id"), [5, 4, 6, 2, 3, 1]);
  await gives(
    from("directors").select("id, films(id)").order("id", { referencedTable: "films", ascending: false }).eq("id", 2),
    [{ id: 2, films: [{ id: 3 }, { id: 2 }] }],
  );
});

test("limit and range, of the rows and of an embed", async () => {
  await finds(from("films").select("id").order("id").limit(2), [1, 2]);
  await finds(from("films").select("id").order("id").range(2, 3), [3, 4]);
  await finds(from("films").select("id").order("id").range(5, 20), [6]);
  await finds(from("films").select("id").limit(0), []);
  await gives(from("directors").select("id, films(id)").order("id", { referencedTable: "films" }).limit(1, { referencedTable: "films" }).order("id"), [
    { id: 1, films: [{ id: 1 }] },
    { id: 2, films: [{ id: 2 }] },
    { id: 3, films: [{ id: 4 }] },
    { id: 4, films: [] },
  ]);
  await gives(
    from("directors").select("id, films(id)").order("id", { referencedTable: "films" }).range(1, 2, { referencedTable: "films" }).eq("id", 3),
    [{ id: 3, films: [{ id: 6 }] }],
  );
});

test("counts: exact, planned and estimated, with and without the rows", async () => {
  await gives(from("films").select("id", { count: "exact" }).order("id").limit(2), [{ id: 1 }, { id: 2 }], { count: 6, status: 206 });
  await gives(from("films").select("id", { count: "exact" }).order("id"), [1, 2, 3, 4, 5, 6].map((id) => ({ id })), { count: 6 });
  await gives(from("films").select("*", { count: "exact", head: true }), null, { count: 6 });
  await gives(from("films").select("*", { count: "exact", head: true }).eq("year", 1979), null, { count: 2 });
  await gives(from("films").select("*", { count: "exact", head: true }).eq("year", 1), null, { count: 0 });
  await gives(from("films").select("*", { count: "planned", head: true }), null, { count: 6 });
  await gives(from("films").select("*", { count: "estimated", head: true }), null, { count: 6 });
  await gives(from("films").select("id", { count: "exact" }).eq("id", 99), [], { count: 0 });
});

test("a page behind the last row is refused when the rows are counted", async () => {
  await refuses(from("films").select("id", { count: "exact" }).range(10, 19), 416, {
    code: "PGRST103",
    message: "Requested range not satisfiable",
    details: "An offset of 10 was requested, but there are only 6 rows.",
    hint: null,
  });
  await gives(from("films").select("id").range(10, 19), []);
});

test("single and maybeSingle", async () => {
  await gives(from("films").select("id").eq("id", 1).single(), { id: 1 });
  await gives(from("films").select("id").eq("id", 1).maybeSingle(), { id: 1 });
  await gives(from("films").select("id").eq("id", 99).maybeSingle(), null);
  await refuses(from("films").select("id").eq("id", 99).single(), 406, {
    code: "PGRST116",
    message: "Cannot coerce the result to a single JSON object",
    details: "The result contains 0 rows",
    hint: "Filter by a unique key, or accept application/json",
  });
  await refuses(from("films").select("id").eq("year", 1979).single(), 406, {
    code: "PGRST116",
    message: "Cannot coerce the result to a single JSON object",
    details: "The result contains 2 rows",
    hint: "Filter by a unique key, or accept application/json",
  });
  const several = await from("films").select("id").eq("year", 1979).maybeSingle();
  assert.deepEqual({ data: several.data, status: several.status, code: several.error.code }, { data: null, status: 406, code: "PGRST116" });
});

test("csv", async () => {
  await gives(from("films").select("id, title, in_print, tags").gte("id", 4).order("id").csv(), [
    "id,title,in_print,tags",
    "4,100% Cotton,true,[]",
    '5,"Été, ""bis""",true,',
    '6,"a, (b) c",false,"[""odd,comma"", ""classic""]"',
  ].join("\n"));
  await gives(from("films").select("id, title").eq("id", 99).csv(), "id,title\n");
});

test("stripNulls leaves out what is null", async () => {
  await gives(from("films").select("id, rating, year, directors(name, mentor_id)").in("id", [3, 6]).order("id").stripNulls(), [
    { id: 3, year: 1979, directors: { name: "Bruno Tessari", mentor_id: 1 } },
    { id: 6, rating: 3.5, directors: { name: "Chiyo Arata", mentor_id: 2 } },
  ]);
  await gives(from("directors").select("id, born").eq("id", 4).stripNulls().single(), { id: 4 });
  await gives(from("films").select("details, note:details->note, reels:details->reels").eq("id", 1).stripNulls(), [
    { details: { length: 101, sound: { mono: true }, reels: [{ feet: 900 }, { feet: 870 }] }, reels: [{ feet: 900 }, { feet: 870 }] },
  ]);
});

test("geojson and explain are refused, for SQLite has neither", async () => {
  for (const query of [from("films").select("id").geojson(), from("films").select("id").explain()]) {
    const { data, status, error } = await query;
    assert.deepEqual({ data, status, code: error.code }, { data: null, status: 406, code: "PGRST107" });
  }
});

test("throwOnError throws the error", async () => {
  await assert.rejects(async () => await from("filmz").select("id").throwOnError(), (error) => {
    assert.deepEqual(
      { name: error.name, code: error.code, message: error.message, hint: error.hint, details: error.details },
      {
        name: "PostgrestError",
        code: "PGRST205",
        message: "Could not find the table 'public.filmz' in the schema cache",
        hint: "Perhaps you meant the table 'public.films'",
        details: null,
      },
    );
    return true;
  });
  const { data } = await from("films").select("id").eq("id", 1).throwOnError();
  assert.deepEqual(data, [{ id: 1 }]);
});

test("abortSignal ends the request", async () => {
  const controller = new AbortController();
  const query = from("films").select("id").abortSignal(controller.signal);
  controller.abort();
  const { data, status, error } = await query;
  assert.deepEqual({ data, status, hint: error.hint }, { data: null, status: 0, hint: "Request was aborted (timeout or manual cancellation)" });
  await gives(from("films").select("id").eq("id", 1).abortSignal(new AbortController().signal), [{ id: 1 }]);
});

test("returns and overrideTypes change nothing of the answer", async () => {
  await gives(from("films").select("id").eq("id", 1).returns(), [{ id: 1 }]);
  await gives(from("films").select("id").eq("id", 1).single().overrideTypes(), { id: 1 });
});

test("functions are not there", async () => {
  await refuses(service.rpc("add", { a: 1, b: 2 }), 404, {
    code: "PGRST202",
    message: "Could not find the function public.add in the schema cache",
    details: "Searched for the function public.add, but no matches were found in the schema cache.",
    hint: "Functions are not supported; read a view instead",
  });
  const { status, error } = await service.rpc("add", { a: 1 }, { get: true });
  assert.deepEqual({ status, code: error.code }, { status: 404, code: "PGRST202" });
});

test("there is one schema", async () => {
  const expected = {
    code: "PGRST106",
    message: "Invalid schema: other",
    details: "in the header Accept-Profile",
    hint: "Only the following schemas are exposed: public",
  };
  await refuses(service.schema("other").from("films").select("id"), 406, expected);
  await refuses(service.schema("other").from("tickets").insert({ holder: "x" }), 406, { ...expected, details: "in the header Content-Profile" });
  await gives(service.schema("public").from("films").select("id").eq("id", 1), [{ id: 1 }]);
});

test("relationships that are not there are told", async () => {
  await refuses(from("films").select("id, addresses(town)"), 400, {
    code: "PGRST200",
    message: "Could not find a relationship between 'films' and 'addresses' in the schema cache",
    details: "Searched for a foreign key relationship between 'films' and 'addresses' in the schema 'public', but no matches were found.",
    hint: null,
  });
  await refuses(from("films").select("id").eq("directors.name", "x"), 400, {
    code: "PGRST108",
    message: "'directors' is not an embedded resource in this request",
    details: null,
    hint: "Verify that 'directors' is included in the 'select' query parameter.",
  });
  await refuses(from("directors").select("id, films(title)").order("films(title)"), 400, {
    code: "PGRST118",
    message: "A related order on 'films' is not possible",
    details: "'directors' and 'films' do not form a many-to-one or one-to-one relationship",
    hint: "Order the embedded rows themselves: films.order=column",
  });
});
