import assert from "node:assert/strict";
import { test } from "node:test";

const { Draft, empty, parsed } = await import("../../assets/page/lessons/draft.js");

/** A draft with steps that open these. */
function draft(...opens) {
  const made = new Draft(() => {});
  for (const open of opens) made.add(open, []);
  return made;
}
const opens = ({ document }) => document.steps.map(({ open }) => open).join();

test("a step is added after the one that is chosen", () => {
  const made = draft("a", "b");
  made.choose(0);
  made.add("c", ["rho"]);
  assert.equal(opens(made), "a,c,b");
  assert.deepEqual([made.chosen, made.step.only], [1, ["rho"]]);
});

test("steps change places, and what is chosen goes along", () => {
  const made = draft("a", "b", "c");
  assert.equal(made.move(2, -1), 1);
  assert.deepEqual([opens(made), made.chosen], ["a,c,b", 1]);
  assert.equal(made.move(0, -1), 0);
  assert.equal(opens(made), "a,c,b");
});

test("what is deleted, moved and copied can be taken back, and done again", () => {
  const made = draft("a", "b");
  made.remove(0);
  assert.deepEqual([opens(made), made.step], ["b", null]);
  made.undo();
  made.copy(0);
  assert.equal(opens(made), "a,a,b");
  made.document.steps[0].text = "x";
  assert.equal(made.document.steps[1].text, "");
  made.undo();
  made.redo();
  assert.equal(opens(made), "a,a,b");
  for (let k = 0; k < 9; k++) made.undo();
  assert.deepEqual(made.document, empty());
  assert.deepEqual(made.next, { undo: false, redo: true });
});

test("what is typed in one field is taken back at once, and in another field by itself", () => {
  const made = draft("a");
  for (const text of ["H", "Hi"]) made.edit({ text }, "text");
  for (const reveal of ["S", "So"]) made.edit({ reveal }, "reveal");
  made.undo();
  assert.deepEqual([made.step.text, made.step.reveal], ["Hi", ""]);
  made.undo();
  assert.equal(made.step.text, "");
});

test("a draft is found again as it was left, and of anything else nothing is taken", () => {
  const made = draft("a", "b");
  made.edit({ text: "Two" }, "text");
  const again = draft();
  again.restore(JSON.parse(JSON.stringify(made)));
  assert.deepEqual([again.document, again.chosen], [made.document, 1]);
  for (const text of [null, "", "{", "null", "3"]) assert.equal(parsed(text).draft, undefined);
  for (const odd of [null, 3, {}, { document: { steps: "x" } }, { document: { steps: [null] } }]) {
    const other = draft("a");
    other.restore(odd);
    assert.equal(opens(other), "a");
  }
  again.restore({ document: { title: "t", steps: [{ text: "x" }] }, chosen: 7 });
  assert.deepEqual([again.chosen, again.document.steps[0].only], [-1, []]);
});
