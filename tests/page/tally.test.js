import assert from "node:assert/strict";
import { test } from "node:test";
import { between } from "../../assets/page/lessons/tally.js";

const asked = { kind: "number", unit: "times", text: "", truth: "", choices: [] };

test("a bar says which numbers it counts, and where it has no end", () => {
  assert.equal(between({ low: 2, high: 3, count: 1 }, asked), "2 – 3");
  assert.equal(between({ low: -0.2, high: 0, count: 1 }, asked), "−0.2 – 0");
  assert.equal(between({ low: null, high: 2, count: 1 }, asked), "< 2 times");
  assert.equal(between({ low: 30, high: null, count: 1 }, { ...asked, unit: "" }), "≥ 30");
});

test("noise levels go from noise to data", () => {
  assert.equal(between({ low: 0.8, high: 2, count: 1 }, { ...asked, kind: "mark" }), "2 – 0.8");
});
