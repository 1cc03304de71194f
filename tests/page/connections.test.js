import assert from "node:assert/strict";
import { test } from "node:test";
import { Connections } from "../../assets/page/shared/connections.js";

globalThis.document = { hidden: false };
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** So many pages of one browser, each with one question that takes its time. */
async function pages(count) {
  const held = [];
  for (let k = 0; k < count; k++) {
    const connections = new Connections();
    const page = { connections, left: false };
    page.end = connections.begin(() => {
      page.left = true;
      page.end();
    }, false);
    held.push(page);
    await pause(5);
  }
  return held;
}

test("of many questions that take their time the oldest give way, and go on once there is room", async () => {
  const held = await pages(6);
  await pause(600);
  assert.deepEqual(
    held.map(({ left }) => left),
    [true, true, false, false, false, false],
  );
  const nobody = new AbortController();
  let there = 0;
  for (const { connections } of held.slice(0, 2)) connections.room(nobody.signal).then(() => there++);
  await pause(400);
  assert.equal(there, 0);
  for (const page of held.slice(2)) page.end();
  await pause(700);
  assert.equal(there, 2);
  for (const { connections } of held) connections.close();
});
