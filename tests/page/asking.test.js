import assert from "node:assert/strict";
import { test } from "node:test";
import { Asking } from "../../assets/page/train/asking.js";

test("a question that fails stands in no other's way", async () => {
  const server = {
    send: (_event, message, hears) => {
      if (message.do === "break") throw new Error("no");
      queueMicrotask(() => hears({ serial: message.serial, finished: true, body: { do: message.do, runs: [] } }));
      return () => {};
    },
  };
  const asking = new Asking(null, server);
  await assert.rejects(asking.ask("act", { do: "break" }), /no/);
  assert.deepEqual((await asking.ask("act", { do: "stop" })).body, { do: "stop", runs: [] });
});

test("questions of one kind are asked one after the other", async () => {
  const [sent, answers] = [[], []];
  const server = {
    send: (_event, { serial }, hears) => {
      sent.push(serial);
      answers.push(() => hears({ serial, finished: true, error: "no" }));
      return () => {};
    },
  };
  const asking = new Asking(null, server);
  const both = [asking.ask("act", { do: "stop" }), asking.ask("act", { do: "delete" })];
  await new Promise(setImmediate);
  assert.deepEqual(sent, [1]);
  answers[0]();
  await new Promise(setImmediate);
  assert.deepEqual(sent, [1, 2]);
  answers[1]();
  assert.deepEqual(
    (await Promise.all(both)).map(({ error }) => error),
    ["no", "no"],
  );
});
