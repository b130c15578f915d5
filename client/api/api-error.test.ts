import { expect, test } from "vitest";
import { errorOf, unanswered } from "./api-error";

const told = ({ status, code, message, details, hint }: ReturnType<typeof errorOf>) => ({
  status,
  code,
  message,
  details,
  hint,
});

test("an error of the API is told in its words", () => {
  const body = '{"code":"42703","message":"column films.titel does not exist","details":null,"hint":"Perhaps title"}';
  expect(told(errorOf(400, body))).toStrictEqual({
    status: 400,
    code: "42703",
    message: "column films.titel does not exist",
    details: null,
    hint: "Perhaps title",
  });
});

test("a problem document of a proxy is told by its title", () => {
  expect(told(errorOf(502, '{"type":"about:blank","title":"Bad gateway","status":502}'))).toStrictEqual({
    status: 502,
    code: "",
    message: "Bad gateway",
    details: null,
    hint: null,
  });
});

test.each([
  [502, "<html>502 Bad Gateway</html>", "The server is not reachable behind its proxy"],
  [429, "", "Too many requests at once"],
  [418, "short and stout", "The server answered with status 418"],
])("status %d with the body %j is told in plain words", (status, body, message) => {
  expect(errorOf(status, body).message).toBe(message);
});

test.each([
  [401, "PGRST301", { refusesToken: true, forbids: false }],
  [401, "PGRST303", { refusesToken: true, forbids: false }],
  [401, "42501", { refusesToken: false, forbids: true }],
  [403, "42501", { refusesToken: false, forbids: true }],
  [404, "PGRST205", { refusesToken: false, forbids: false }],
])("status %d with the code %s says whether the token or the role is at fault", (status, code, fault) => {
  const { refusesToken, forbids } = errorOf(status, JSON.stringify({ code, message: "no" }));
  expect({ refusesToken, forbids }).toStrictEqual(fault);
});

test("a server that does not answer is told apart from one that takes too long", () => {
  expect(unanswered(new TypeError("Failed to fetch")).message).toBe("The server did not answer");
  expect(unanswered(new DOMException("", "TimeoutError")).message).toBe("The server took too long to answer");
});
