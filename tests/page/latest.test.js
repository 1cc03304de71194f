import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { Latest } from "../../assets/page/shared/latest.js";

/** A server that keeps what it was sent, and a page that asks it. */
function page() {
  const told = { sent: [], shown: [], silent: 0, rested: [] };
  let listener = () => {};
  const server = {
    send: (_event, message) => told.sent.push(message.serial),
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
  return { requests, told, answer: (serial, finished = true) => listener({ serial, finished, body: {} }) };
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
  mock.timers.reset();
});
