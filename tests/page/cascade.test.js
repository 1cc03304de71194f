// What an upsampler can begin with: models of its low-resolution images, or true ones.
import assert from "node:assert/strict";
import test from "node:test";
import { baseOf, bases } from "../../assets/page/sampler/cascade.js";

/** @type {(name: string, shape: number[], more?: object) => any} */
const model = (name, shape, more = {}) => ({ name, shape, trained: true, low: null, ...more });
const upsampler = model("up", [3, 32, 32], { low: { resolution: 16, base: "second", noise: 0.1, most: 0.3 } });
const models = [
  model("first", [3, 16, 16]),
  model("second", [3, 16, 16]),
  model("exact", [3, 16, 16], { trained: false }),
  model("grey", [1, 16, 16]),
  model("tiny", [3, 16, 16], { low: { resolution: 8 } }),
  upsampler,
];
/** @type {any} */
const boot = { models };

test("a base is a network of the low-resolution images that begins with nothing itself", () => {
  assert.deepEqual(
    bases(boot, upsampler).map(({ name }) => name),
    ["first", "second"],
  );
  assert.deepEqual(bases(boot, models[0]), []);
});

test("where none is named it is the one that the server takes, and true images are no model", () => {
  assert.equal(baseOf(boot, upsampler, null)?.name, "second");
  assert.equal(baseOf(boot, upsampler, "first")?.name, "first");
  assert.equal(baseOf(boot, upsampler, "data"), null);
});
