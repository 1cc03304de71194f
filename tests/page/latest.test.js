import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { Latest } from "../../assets/page/shared/latest.js";

/** A server that keeps what it was sent, and a page that asks it. */
function page() {
  const told = { sent: [], ended: [], shown: [], silent: 0, rested: [] };
  let listener = () => {};
  let lose = () => {};
  const server = {
    send: (_event, { serial }, lost) => {
      told.sent.push(serial);
      lose = lost;
      return () => told.ended.push(serial);
    },
    hear: (_event, hears) => {
      listener = hears;
    },
  };
  const requests = new Latest(server, "ask", {
    build: () => ({}),
    show: ({ serial }) => told.shown.push(serial),
    silent: () => told.silent++,
    rested: ({ serial }) => told.rested.push(serial),
  });
  const answer = (serial, finished = true) => listener({ serial, finished, body: {} });
  return { requests, told, answer, lose: () => lose() };
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

test("without an answer it is asked once more, and then said", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const { requests, told } = page();
  requests.ask();
  mock.timers.tick(3000);
  assert.deepEqual([told.sent, told.silent], [[1, 2], 0]);
  mock.timers.tick(9000);
  assert.deepEqual([told.sent, told.silent], [[1, 2], 1]);
  assert.deepEqual(told.ended, [1, 2], "what nobody waits for any more");
  mock.timers.reset();
});

test("where the server cannot be reached it is asked once more soon, and then that is said", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const { requests, told, answer, lose } = page();
  requests.ask();
  lose();
  requests.ask();
  assert.deepEqual(told.sent, [1], "not while it is known to be away");
  mock.timers.tick(500);
  assert.deepEqual([told.sent, told.silent], [[1, 2], 0]);
  lose();
  mock.timers.tick(500);
  assert.deepEqual([told.sent, told.silent], [[1, 2], 1]);
  requests.ask();
  answer(3);
  assert.deepEqual([told.sent, told.shown], [[1, 2, 3], [3]], "back again");
  mock.timers.reset();
});

test("an answer that is cut off in the middle is asked for once more", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const { requests, told, answer, lose } = page();
  requests.ask();
  answer(1, false);
  lose();
  mock.timers.tick(500);
  answer(2);
  assert.deepEqual([told.sent, told.shown, told.silent], [[1, 2], [1, 2], 0]);
  mock.timers.reset();
});

test("what is not wanted any more is ended", () => {
  const { requests, told, answer, lose } = page();
  requests.ask();
  requests.drop();
  lose();
  assert.deepEqual([told.ended, requests.answered], [[1], true]);
  requests.ask();
  answer(3);
  assert.deepEqual(told.shown, [3]);
});
