import assert from "node:assert/strict";
import test from "node:test";
import { meaningsOf } from "../../assets/page/lessons/glossary.js";
import { found, know } from "../../assets/page/shared/terms.js";

know(["∇ log p", "D(x; σ)", "σ_max", "x/s", "NFE", "D*", "σ", "α", "N", "D", "x", "k", "s", "d"]);

/** @param {string} text */
const symbols = (text) => found(text).flatMap(([piece, symbol]) => (symbol ? [piece] : []));

test("a text is cut at its symbols, the longest first, and stays whole", () => {
  assert.deepEqual(symbols("D(x; σ) − x is σ²·∇ log p, and D* an ideal D"), [
    "D(x; σ)",
    "x",
    "σ",
    "∇ log p",
    "D*",
    "D",
  ]);
  for (const text of ["", "σ", "35 NFE at σ = 80", "no symbol", "x/s and σ"])
    assert.equal(
      found(text)
        .map(([piece]) => piece)
        .join(""),
      text,
    );
});

test("letters of words, names, units and derivatives are no symbols", () => {
  assert.deepEqual(symbols("200 k images in 3 s, 1-D, EDM's, dx, x_test, |d²x/dt²|, maxσ"), []);
  assert.deepEqual(symbols("N = 18, s = 1"), ["N", "s"]);
  assert.deepEqual(symbols("x̂ and x"), ["x"]);
});

const META = { say: "", text: "", paper: "", lesson: "" };
const shift = { ...META, symbol: "α", forms: ["α"], of: ["shift"] };
const family = { ...META, symbol: "α", forms: ["α"], of: ["alpha"] };
const steps = { ...META, symbol: "N", forms: ["N"], of: [] };
const seed = { ...META, symbol: "seed", forms: [], of: ["seed"] };
const all = [shift, family, steps, seed];

test("a knob's symbol means what it means for that knob, a text's all that it may mean", () => {
  assert.deepEqual(meaningsOf(all, "α", "shift"), [shift]);
  assert.deepEqual(meaningsOf(all, "α", ""), [shift, family]);
  assert.deepEqual(meaningsOf(all, "N ≤", "most"), [steps]);
  assert.deepEqual(meaningsOf(all, "α = N", "other"), [steps]);
});

test("a word is explained where it is a knob's, or asked for as such", () => {
  assert.deepEqual(meaningsOf(all, "seed", "seed"), [seed]);
  assert.deepEqual(meaningsOf(all, "seed", ""), [seed]);
  assert.deepEqual(meaningsOf(all, "solver", "solver"), []);
});
