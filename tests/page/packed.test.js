import assert from "node:assert/strict";
import { test } from "node:test";
import { continued, uint8 } from "../../assets/page/shared/packed.js";

const three = uint8(btoa("\x01\x02\x03"));

test("what a preview brings follows what the one before has brought", () => {
  assert.deepEqual([...continued(three, 3, uint8(btoa("\x04\xff")))], [1, 2, 3, 4, 255]);
  assert.deepEqual([...continued(three, 2, uint8(btoa("\x07")))], [1, 2, 7]);
});

test("what is whole owes nothing to what was there", () => {
  assert.deepEqual([...continued(three, 0, uint8(btoa("\x09")))], [9]);
});
