import assert from "node:assert/strict";
import { test } from "node:test";
import { doingAt, placeOf } from "../../assets/page/sampler/strip.js";

const doing = (name, acts = null) => ({ name, symbol: name, formula: name, help: name, acts });
const HEUN = [doing("state"), doing("denoiser"), doing("slope"), doing("step"), doing("correction", "110")];
const CHURNED = [doing("state"), doing("churn", "010"), doing("denoiser")];

test("the parts of a step light up one after the other, each for as long", () => {
  const lit = Array.from({ length: 10 }, (_, k) => doingAt(HEUN, 1 + (k + 0.5) / 10, 3));
  assert.deepEqual(lit, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]);
});

test("what a step does not do never lights up in it", () => {
  const last = new Set(Array.from({ length: 40 }, (_, k) => doingAt(HEUN, 2 + (k + 0.5) / 40, 3)));
  assert.deepEqual([...last], [0, 1, 2, 3]);
  assert.deepEqual(
    [0.4, 1.4, 2.4].map((u) => doingAt(CHURNED, u, 3)),
    [0, 1, 0],
  );
});

test("at the end nothing is done any more", () => {
  assert.equal(doingAt(HEUN, 3, 3), -1);
  assert.equal(doingAt(HEUN, 2.9999, 3), 3);
});

test("a part that is chosen is gone to in this step, or in the first later one that has it", () => {
  for (const [k, u, step] of [
    [3, 1.9, 1],
    [4, 2.5, 0], // the last step has no correction, so that it begins anew
    [0, 3, 2],
  ]) {
    const place = placeOf(HEUN, k, u, 3);
    assert.equal(Math.floor(place), step);
    assert.equal(doingAt(HEUN, place, 3), k);
  }
  assert.equal(Math.floor(placeOf(CHURNED, 1, 0.2, 3)), 1);
});
