// Every filter method of the client, on tables of every type.
import { test } from "node:test";
import { finds, gives, refuses, service } from "./library.js";

const films = (columns = "id") => service.from("films").select(columns).order("id");

test("eq, neq and the comparisons", async () => {
  await finds(films().eq("year", 1979), [2, 3]);
  await finds(films().neq("year", 1979), [1, 4, 5]);
  await finds(films().gt("year", 1979), [4, 5]);
  await finds(films().gte("year", 1979), [2, 3, 4, 5]);
  await finds(films().lt("rating", 7.5), [4, 6]);
  await finds(films().lte("rating", 7.5), [1, 4, 6]);
  await finds(films().gt("gross", -6).lt("gross", 43), [4, 5, 6]);
  await finds(films().eq("title", 'Été, "bis"'), [5]);
  await finds(films().eq("title", "a, (b) c"), [6]);
  await finds(films().gte("released", "1979-11-20"), [2, 4, 5]);
});

test("eq with 64 bits keeps every digit", async () => {
  await finds(films().eq("gross", "9007199254740993"), [1]);
  await finds(films().eq("gross", "9007199254740992"), []);
  await finds(films().eq("gross", 9007199254740993n), [1]);
});

test("eq and is with booleans", async () => {
  await finds(films().eq("in_print", true), [1, 4, 5]);
  await finds(films().eq("in_print", false), [2, 6]);
  await finds(films().neq("in_print", true), [2, 6]);
  await finds(films().is("in_print", true), [1, 4, 5]);
  await finds(films().is("in_print", false), [2, 6]);
  await finds(films().is("in_print", null), [3]);
  await finds(films().not("in_print", "is", true), [2, 3, 6]);
  await finds(films().filter("in_print", "is", "unknown"), [3]);
  await finds(films().filter("in_print", "is", "not_null"), [1, 2, 4, 5, 6]);
});

test("like minds the case, ilike does not, and both take * and %", async () => {
  await finds(films().like("title", "%Salt%"), [1]);
  await finds(films().like("title", "%salt%"), []);
  await finds(films().like("title", "*Harbour"), [3]);
  await finds(films().like("title", "_ight%"), [2]);
  await finds(films().ilike("title", "%SALT%"), [1]);
  await finds(films().ilike("title", "été%"), [5]);
  await finds(films().ilike("title", "ÉTÉ*"), [5]);
  await finds(films().like("title", "100\\% %"), [4]);
  await finds(films().not("title", "like", "%e%"), [4, 5, 6]);
});

test("likeAllOf, likeAnyOf, ilikeAllOf and ilikeAnyOf", async () => {
  await finds(films().likeAllOf("title", ["%a%", "%r%"]), [3]);
  await finds(films().likeAnyOf("title", ["%Salt%", "Night%"]), [1, 2]);
  await finds(films().ilikeAllOf("title", ["%PAPER%", "%harb*"]), [3]);
  await finds(films().ilikeAnyOf("title", ["%SALT%", "night%"]), [1, 2]);
});

test("regexMatch and regexIMatch", async () => {
  await finds(films().regexMatch("title", "^(The|Night) "), [1, 2]);
  await finds(films().regexMatch("title", "^the "), []);
  await finds(films().regexIMatch("title", "^the "), [1]);
  await refuses(films().regexMatch("title", "(a"), 400, {
    code: "2201B",
    message: "invalid regular expression: missing ): (a",
    details: "in the pattern (a",
    hint: "The syntax is RE2's: no backreferences and no lookaround",
  });
});

test("isDistinct counts null as a value", async () => {
  await finds(films().isDistinct("year", 1979), [1, 4, 5, 6]);
  await finds(films().not("year", "isdistinct", 1979), [2, 3]);
});

test("in and notIn, with reserved characters in the values", async () => {
  await finds(films().in("id", [1, 3, 99]), [1, 3]);
  await finds(films().in("title", ["a, (b) c", "Night Ferry"]), [2, 6]);
  await finds(films().in("year", []), []);
  await finds(films().notIn("id", [1, 2, 3]), [4, 5, 6]);
  await finds(films().not("id", "in", "(1,2,3)"), [4, 5, 6]);
  await finds(films().not("title", "in", '("a, (b) c","Night Ferry")'), [1, 3, 4, 5]);
  await finds(films().in("in_print", [true]), [1, 4, 5]);
  await finds(films().in("gross", ["9007199254740993"]), [1]);
});

test("contains, containedBy and overlaps on JSON lists", async () => {
  await finds(films().contains("tags", ["sea"]), [2, 3]);
  await finds(films().contains("tags", '["sea","noir"]'), [2]);
  await finds(films().contains("tags", '["odd,comma"]'), [6]);
  await finds(films().contains("tags", ['"odd,comma"']), [6]);
  await finds(films().containedBy("tags", ["sea", "desert", "classic"]), [1, 3, 4]);
  await finds(films().overlaps("tags", ["noir", "classic"]), [1, 2, 6]);
  await finds(films().not("tags", "cs", '{"sea"}'), [1, 4, 6]);
});

test("contains and containedBy on JSON objects", async () => {
  await finds(films().contains("details", { language: "ja" }), [4]);
  await finds(films().contains("details", { sound: { mono: true } }), [1]);
  await finds(films().contains("details", { reels: [{ feet: 870 }] }), [1]);
  await finds(films().containedBy("details", { length: 95, language: "fr" }), [5]);
});

test("textSearch in all its types", async () => {
  await finds(films().textSearch("plot", "ferry"), [2, 4]);
  await finds(films().textSearch("plot", "ferry & !detective"), [4]);
  await finds(films().textSearch("plot", "'salt' | 'summers'"), [1, 5]);
  await finds(films().textSearch("plot", "night <-> ferry"), [2]);
  await finds(films().textSearch("plot", "fold:*"), [3]);
  await finds(films().textSearch("plot", "lost ferry", { type: "plain" }), [2, 4]);
  await finds(films().textSearch("plot", "lost ferry", { type: "phrase" }), [4]);
  await finds(films().textSearch("plot", '"lost ferry" or caravan', { type: "websearch" }), [1, 4]);
  await finds(films().textSearch("plot", "ferry -detective", { type: "websearch" }), [4]);
  await finds(films().textSearch("plot", "ferry", { config: "english" }), [2, 4]);
  await finds(films().textSearch("plot", "lost ferry", { config: "english", type: "plain" }), [2, 4]);
  await finds(films().not("plot", "fts", "ferry"), [1, 3, 5, 6]);
  await finds(films().textSearch("title", "ferry"), [2]);
});

test("textSearch in the full-text table itself", async () => {
  await gives(service.from("films_index").select("title").textSearch("plot", "caravan"), [{ title: "The Salt Road" }]);
  await gives(service.from("films_index").select("title").textSearch("films_index", "ferry").order("title"), [
    { title: "100% Cotton" },
    { title: "Night Ferry" },
  ]);
});

test("match joins equalities and leaves out what is undefined", async () => {
  await finds(films().match({ year: 1979, in_print: false, title: undefined }), [2]);
});

test("not, or, and, nested in each other", async () => {
  await finds(films().or("year.eq.1964,rating.gt.8"), [1, 2, 5]);
  await finds(films().or("id.eq.1,and(year.eq.1979,rating.is.null)"), [1, 3]);
  await finds(films().or("id.in.(1,2),title.eq.\"a, (b) c\""), [1, 2, 6]);
  await finds(films().or("year.not.is.null,not.and(rating.gt.3,rating.lt.4)"), [1, 2, 3, 4, 5]);
  await finds(films().or("year.eq.1964,year.eq.2004").or("rating.eq.9,rating.eq.6"), [5]);
  await finds(films().or("title.ilike.*ferry*,tags.cs.{classic}"), [1, 2, 6]);
  await finds(films().or('tags.cs.["sea"],details->>language.eq.ja'), [2, 3, 4]);
});

test("not negates every operator, and null is neither in nor out", async () => {
  await finds(films().not("year", "eq", 1979), [1, 4, 5]);
  await finds(films().not("year", "is", null), [1, 2, 3, 4, 5]);
  await finds(films().not("year", "gt", 1979), [1, 2, 3]);
});

test("filter takes any operator, with any and all", async () => {
  await finds(films().filter("year", "in", "(1964,1998)"), [1, 4]);
  await finds(films().filter("year", "eq(any)", "{1964,1998}"), [1, 4]);
  await finds(films().filter("rating", "gt(all)", "{6,7}"), [1, 2, 5]);
  await finds(films().filter("year", "not.eq(any)", "{1964,1998}"), [2, 3, 5]);
  await finds(films().filter("title", "like(any)", '{"a, (b)*",Night*}'), [2, 6]);
});

test("filters on places inside JSON", async () => {
  await finds(films().eq("details->>language", "ja"), [4]);
  await finds(films().gt("details->length", 100), [1, 4, 6]);
  await finds(films().eq("details->sound->>mono", "true"), [1]);
  await finds(films().eq("details->sound->mono", true), [1]);
  await finds(films().eq("details->reels->1->>feet", "870"), [1]);
  await finds(films().eq("details->reels->-1->>feet", "870"), [1]);
  await finds(films().is("details->>language", null), [1, 2, 3, 5, 6]);
  await finds(films().in("details->>length", ["88", "long"]), [2, 6]);
});

test("filters on embedded rows, before and after the embed", async () => {
  await gives(
    service.from("directors").select("name,films(title)").eq("films.year", 1979).order("id"),
    [
      { name: "Ada Marlow", films: [] },
      { name: "Bruno Tessari", films: [{ title: "Night Ferry" }, { title: "Paper Harbour" }] },
      { name: "Chiyo Arata", films: [] },
      { name: "Dov Lerner", films: [] },
    ],
  );
  await gives(
    service.from("directors").select("name,films!inner(title)").or("year.lt.1970,rating.eq.6", { referencedTable: "films" }).order("id"),
    [
      { name: "Ada Marlow", films: [{ title: "The Salt Road" }] },
      { name: "Chiyo Arata", films: [{ title: "100% Cotton" }] },
    ],
  );
  await finds(service.from("directors").select("id,films()").not("films", "is", null).order("id"), [1, 2, 3]);
  await finds(service.from("directors").select("id,films()").is("films", null), [4]);
  await finds(
    service.from("directors").select("id,films()").eq("films.year", 1964).or("films.not.is.null,name.like.Dov*").order("id"),
    [1, 4],
  );
});

test("what cannot be parsed is told with a hint", async () => {
  await refuses(films().filter("year", "foo", "1"), 400, {
    code: "PGRST100",
    message: "'foo' is not an operator",
    details: "in the filter year=foo",
    hint:
      "Write column=operator.value, for example year=eq.value; the operators are eq, neq, gt, gte, lt, lte, like, ilike, " +
      "match, imatch, in, is, isdistinct, fts, plfts, phfts, wfts, cs, cd, ov",
  });
});

test("what does not exist is told with what was meant", async () => {
  await refuses(films().eq("yaer", 1979), 400, {
    code: "42703",
    message: "column films.yaer does not exist",
    details: null,
    hint: 'Perhaps you meant to reference the column "films.year".',
  });
});

test("range operators are refused: SQLite has no ranges", async () => {
  const { data, error, status } = await films().rangeGt("year", "[1,2)");
  if (data !== null || status !== 400 || error.code !== "PGRST100") throw new Error(JSON.stringify({ status, error }));
});
