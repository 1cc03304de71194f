import assert from "node:assert/strict";
import { test } from "node:test";
import { bracket, positionAt, sigmaAt } from "../../assets/page/shared/levels.js";

const LEVELS = [80, 12, 3, 0.4, 0.002, 0];

test("positions and levels are each other's inverses", () => {
  for (let u = 0; u <= 5; u += 0.37) {
    assert.ok(Math.abs(positionAt(LEVELS, sigmaAt(LEVELS, u)) - u) < 1e-9, `at ${u}`);
  }
  LEVELS.forEach((sigma, i) => assert.ok(Math.abs(positionAt(LEVELS, sigma) - i) < 1e-12));
});

test("above the first level a run is at its beginning, and σ falls with the position", () => {
  assert.equal(positionAt(LEVELS, 1000), 0);
  const sigmas = Array.from({ length: 51 }, (_, i) => sigmaAt(LEVELS, i / 10));
  assert.ok(sigmas.every((sigma, i) => i === 0 || sigma < sigmas[i - 1]));
});

test("a position lies between the states that were sent", () => {
  assert.deepEqual(bracket({ index: [0, 2, 5] }, 3.5), [1, 2, 0.5]);
  assert.deepEqual(bracket({ index: [0, 2, 5] }, 5), [1, 2, 1]);
  assert.deepEqual(bracket({ index: [0] }, 3), [0, 0, 0]);
});
