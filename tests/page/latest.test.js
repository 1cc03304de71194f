import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { Latest } from "../../assets/page/shared/latest.js";

/** A server that keeps what it was sent, and a page that asks it. */
function page({ there = true, show = () => {} } = {}) {
  const told = { sent: [], asked: [], ended: [], shown: [], silent: 0, rested: [] };
  const listeners = new Map();
  let lose = () => {};
  let wish = 0;
  const server = {
    there: async () => there,
    send: (_event, { serial, wish }, hears, lost) => {
      told.sent.push(serial);
      told.asked.push(wish);
      listeners.set(serial, hears);
      lose = lost;
      return () => told.ended.push(serial);
    },
  };
  const requests = new Latest(server, "ask", {
    build: () => ({ wish }),
    show: ({ serial }) => {
      told.shown.push(serial);
      show(serial);
    },
    silent: () => told.silent++,
    rested: ({ serial }) => told.rested.push(serial),
  });
  const answer = (serial, finished = true) => listeners.get(serial)({ serial, finished, body: {} });
  const move = (to) => {
    wish = to;
    requests.ask();
  };
  return { requests, told, answer, move, lose: () => lose() };
}

/** Time goes by, and what was awaited meanwhile is there. */
async function pass(milliseconds) {
  mock.timers.tick(milliseconds);
  for (let i = 0; i < 5; i++) await Promise.resolve();
}

/** With a clock of its own. */
function timed(name, body) {
  test(name, async () => {
    mock.timers.enable({ apis: ["setTimeout"] });
    await body();
    mock.timers.reset();
  });
}

test("while one request is under way, many changes make one more", () => {
  const { requests, told, answer } = page();
  for (let i = 0; i < 10; i++) requests.ask();
  assert.deepEqual(told.sent, [1]);
  answer(1);
  answer(2);
  assert.deepEqual([told.sent, told.shown, told.rested], [[1, 2], [1, 2], [2]]);
});

test("an answer that is older than what is shown is no news", () => {
  const { requests, told, answer } = page();
  requests.ask();
  answer(1, false);
  requests.ask();
  answer(2);
  answer(1);
  assert.deepEqual(told.shown, [1, 2]);
});

timed("a server that is there and takes its time is waited for, and nobody blames it", async () => {
  const { requests, told, answer } = page();
  requests.ask();
  for (let i = 0; i < 20; i++) await pass(3000);
  assert.deepEqual([told.sent, told.ended, told.silent], [[1], [], 0]);
  answer(1);
  assert.deepEqual(told.shown, [1]);
});

timed("a server that hangs is asked anew, and that it is away is said", async () => {
  const { requests, told } = page({ there: false });
  requests.ask();
  await pass(3000);
  assert.deepEqual([told.ended, told.silent], [[1], 1]);
  await pass(500);
  assert.deepEqual(told.sent, [1, 2]);
});

timed("a stream that is cut is asked for again, quietly, however often that happens", async () => {
  const { requests, told, answer, lose } = page();
  requests.ask();
  for (let serial = 1; serial < 6; serial++) {
    answer(serial, false);
    lose();
    await pass(500);
  }
  answer(6);
  assert.deepEqual([told.shown, told.silent], [[1, 2, 3, 4, 5, 6], 0]);
});

timed("the last of the moves made while the server is away is asked for once it is back", async () => {
  const { told, answer, move, lose } = page({ there: false });
  move("first");
  for (let i = 0; i < 30; i++) {
    lose();
    move(`move ${i}`);
    await pass(2000);
  }
  assert.ok(told.silent > 0);
  assert.ok(told.sent.length > 20, "it is asked on");
  answer(told.sent.at(-1));
  assert.equal(told.asked.at(-1), "move 29");
  assert.deepEqual(told.shown, told.sent.slice(-1));
});

timed("of what is not wanted any more nothing is shown, however late it comes", async () => {
  const { requests, told, answer, lose } = page();
  requests.ask();
  requests.drop();
  answer(1);
  lose();
  await pass(10_000);
  assert.deepEqual([told.ended, told.sent, told.shown, requests.answered], [[1], [1], [], true]);
  requests.ask();
  answer(3);
  assert.deepEqual(told.shown, [3]);
});

test("a page that fails to show an answer is told, and asks on", () => {
  const failures = [];
  globalThis.reportError = (error) => failures.push(error.message);
  const { requests, told, answer } = page({
    show: (serial) => {
      if (serial === 1) throw new Error("no");
    },
  });
  requests.ask();
  requests.ask();
  answer(1);
  answer(2);
  assert.deepEqual([failures, told.sent, told.shown, told.rested], [["no"], [1, 2], [1, 2], [2]]);
});
