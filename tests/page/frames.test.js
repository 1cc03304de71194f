import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Frames } from "../../assets/page/shared/frames.js";

let waiting = [];

/** The screen shows a frame. */
function frame(now = 0) {
  for (const callback of waiting.splice(0)) callback(now);
}

beforeEach(() => {
  waiting = [];
  globalThis.requestAnimationFrame = (callback) => waiting.push(callback);
});

test("what is asked for several times is painted once, and then nothing is waited for", () => {
  let paints = 0;
  const frames = new Frames(() => paints++);
  frames.active = true;
  frames.ask();
  frames.ask();
  assert.equal(waiting.length, 1);
  frame();
  assert.deepEqual([paints, waiting.length], [1, 0]);
});

test("what is out of view is painted when it comes back", () => {
  let paints = 0;
  const frames = new Frames(() => paints++);
  frames.ask();
  assert.equal(waiting.length, 0);
  frames.active = true;
  frame();
  assert.equal(paints, 1);
});

test("frames go on as long as something plays", () => {
  let paints = 0;
  const mover = { playing: true, tick: () => mover.playing };
  const frames = new Frames(() => paints++, mover);
  frames.active = true;
  for (let i = 0; i < 5; i++) frame(i);
  mover.playing = false;
  frame(5);
  assert.deepEqual([paints, waiting.length], [5, 0]);
});
