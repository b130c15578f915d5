// @vitest-environment jsdom
import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test } from "vitest";
import type { Place } from "./page";
import { Pager } from "./pager";

afterEach(cleanup);

const MIDDLE: Place = { first: 51, last: 100, total: 160, estimated: false, previous: 0, next: 100 };

/** Draw a pager, and note what it asks for. */
function draw(place: Partial<Place>) {
  const asked: (string | number)[] = [];
  render(
    <Pager
      place={{ ...MIDDLE, ...place }}
      size={50}
      onOffset={(offset) => asked.push(offset)}
      onLast={() => asked.push("last")}
      onSize={(size) => asked.push(`size ${size}`)}
      onCount={() => asked.push("count")}
    />,
  );
  return asked;
}

test.each<[Partial<Place>, string]>([
  [{}, "Rows 51 to 100 of 160"],
  [{ first: 1, last: 160 }, "160 rows"],
  [{ first: 1, last: 1, total: 1 }, "1 row"],
  [{ first: 101, last: 101, total: 101 }, "Row 101 of 101"],
  [{ first: 0, last: 0 }, "No rows"],
  [{ total: null }, "Rows 51 to 100"],
  [{ total: 1_234_567, estimated: true }, "Rows 51 to 100 of about 1,234,567"],
])("%j is said as %s", (place, said) => {
  draw(place);
  expect(screen.getByRole("status").textContent).toBe(said);
});

test("every step leads where it says", async () => {
  const asked = draw({ estimated: true });
  for (const name of ["First page", "Previous page", "Next page", "Last page", "Count exactly"]) {
    await userEvent.click(screen.getByRole("button", { name }));
  }
  await userEvent.selectOptions(screen.getByLabelText("Rows on a page"), "500");
  expect(asked).toStrictEqual([0, 0, 100, "last", "count", "size 500"]);
});

test("a step that leads nowhere keeps the focus and does nothing", async () => {
  const asked = draw({ previous: null, next: null });
  const steps = ["First page", "Previous page", "Next page", "Last page"].map((name) =>
    screen.getByRole("button", { name }),
  );
  for (const step of steps) {
    await userEvent.click(step);
  }
  expect(asked).toStrictEqual([]);
  expect(steps.map((step) => step.getAttribute("aria-disabled"))).toStrictEqual(["true", "true", "true", "true"]);
  expect(document.activeElement).toBe(steps[3]);
});

test("without a total there is a next page but no last", async () => {
  const asked = draw({ total: null });
  await userEvent.click(screen.getByRole("button", { name: "Last page" }));
  await userEvent.click(screen.getByRole("button", { name: "Next page" }));
  expect(asked).toStrictEqual([100]);
});
