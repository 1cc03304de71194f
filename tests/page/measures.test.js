import assert from "node:assert/strict";
import { test } from "node:test";

const { read, term, write } = await import("../../assets/page/lessons/measures.js");

const SAID = [
  "error(here)",
  "error(here) / error(seven)",
  "error(here) < 0.5 * error(euler)",
  "order(here, 32, 256) > 1.9",
  "answers(other, 1e-3) - 2",
  "-2 * mean(here)",
];

test("what menus can say they read, and write as it was", () => {
  for (const text of SAID) assert.equal(write(read(text)), text);
});

test("its parts are a factor, a measure, a state and numbers", () => {
  const { left, sign, right } = read("2*loss( here , 0.5 )<error(b)");
  assert.deepEqual(left, { factor: "2", measure: "loss", state: "here", numbers: ["0.5"] });
  assert.deepEqual([sign, right], ["<", term("error", "b")]);
});

test("what they cannot say is left as it was typed", () => {
  for (const text of [
    "",
    "error(",
    "a < b",
    "error(here) + 1",
    "1 < error(here) < 2",
    "error(here) <= 1",
    "(1)",
    "error(here) ** 2",
  ])
    assert.equal(read(text), null, text);
});

test("a comma is read as a point, and a factor of one is left out", () => {
  assert.equal(write({ left: { ...term("error"), factor: "0,5" }, sign: "", right: term() }), "0.5 * error(here)");
  assert.equal(
    write({ left: { ...term("error"), factor: "1" }, sign: "<", right: term("", "here", "3") }),
    "error(here) < 3",
  );
});
