import assert from "node:assert/strict";
import { mock, test } from "node:test";

/** What is said on a channel is heard by all others, a moment later. */
class Channel {
  static all = new Set();
  #hears = () => {};

  constructor() {
    Channel.all.add(this);
  }

  addEventListener(_name, hears) {
    this.#hears = hears;
  }

  postMessage(data) {
    for (const other of Channel.all) if (other !== this) queueMicrotask(() => other.#hears({ data }));
  }
}
globalThis.BroadcastChannel = Channel;
globalThis.document = { hidden: false };
const { Connections } = await import("../../assets/page/shared/connections.js");

/** Time goes by, in small steps. */
async function pass(milliseconds) {
  for (let at = 0; at < milliseconds; at += 10) {
    mock.timers.tick(10);
    await new Promise(setImmediate);
  }
}

test("of many questions that take their time the oldest give way, and go on once there is room", async () => {
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const held = [];
  for (let k = 0; k < 6; k++) {
    const page = { connections: new Connections(), left: false };
    page.end = page.connections.begin(() => {
      page.left = true;
      page.end();
    }, false);
    held.push(page);
    await pass(20);
  }
  await pass(600);
  const left = held.map((page) => page.left);
  assert.deepEqual(left, [true, true, false, false, false, false]);
  let there = 0;
  for (const { connections } of held.slice(0, 2)) connections.room(new AbortController().signal).then(() => there++);
  await pass(1000);
  assert.equal(there, 0);
  for (const page of held.slice(2)) page.end();
  await pass(1000);
  assert.equal(there, 2);
  mock.timers.reset();
});

test("who never takes another's place waits for room", async () => {
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const left = [];
  for (let k = 0; k < 5; k++) {
    const end = new Connections().begin(() => {
      left.push(k);
      end();
    }, k === 4);
    await pass(20);
  }
  await pass(600);
  assert.deepEqual(left, [4]);
  mock.timers.reset();
});

test("what lasts as long as the page has a place of its own", async () => {
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const left = [];
  const ends = [];
  for (let k = 0; k < 6; k++) {
    ends[k] = new Connections().begin(
      () => {
        left.push(k);
        ends[k]();
      },
      false,
      k < 2,
    );
    await pass(20);
  }
  await pass(600);
  assert.deepEqual(left.sort(), [2, 3]);
  for (const end of ends) end();
  await pass(1000);
  mock.timers.reset();
});
