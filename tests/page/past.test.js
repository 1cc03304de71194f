import assert from "node:assert/strict";
import { mock, test } from "node:test";

const listeners = {};
globalThis.window = {
  addEventListener: (name, hears) => {
    listeners[name] = [...(listeners[name] ?? []), hears];
  },
};
const { watchHand } = await import("../../assets/page/shared/hand.js");
const { Past } = await import("../../assets/page/shared/past.js");
watchHand();
const hand = (name) => listeners[name].forEach((hears) => hears({}));

/** Some settings, changed as a person does. */
function settings() {
  const values = { rho: 7, steps: 18 };
  const set = (changes) => Object.assign(values, changes);
  const tell = (before, after) =>
    Object.keys(after)
      .map((name) => `${name} ${before[name]} → ${after[name]}`)
      .join();
  const past = new Past({ get: (name) => values[name], set, tell });
  const change = (changes) => {
    past.note(changes);
    set(changes);
  };
  return { values, past, change };
}

test("a drag is one step, and the next drag of the same knob another", () => {
  const { values, past, change } = settings();
  for (const to of [5, 3]) {
    hand("pointerdown");
    for (const on of [1, 0.5, 0]) change({ rho: to + on });
    hand("pointerup");
  }
  assert.equal(past.undo(), "rho 3 → 5");
  assert.equal(past.undo(), "rho 5 → 7");
  assert.equal(past.undo(), null);
  assert.deepEqual(past.next, { undo: null, redo: "rho 7 → 5" });
  assert.equal(past.redo(), "rho 7 → 5");
  assert.deepEqual(values, { rho: 5, steps: 18 });
});

test("changes that follow each other quickly are one step, and others are not", () => {
  mock.timers.enable({ apis: ["Date"] });
  const { past, change } = settings();
  const clock = mock.method(performance, "now", () => 0);
  change({ rho: 6 });
  change({ rho: 5 });
  change({ steps: 9 });
  clock.mock.mockImplementation(() => 1000);
  change({ steps: 8 });
  assert.deepEqual([past.undo(), past.undo(), past.undo()], ["steps 8 → 9", "steps 9 → 18", "rho 5 → 7"]);
  clock.mock.restore();
  mock.timers.reset();
});

test("a new change ends what could be done again, and what makes no difference any more is passed over", () => {
  const { values, past, change } = settings();
  change({ rho: 3 });
  past.undo();
  change({ steps: 9 });
  assert.equal(past.redo(), null);
  values.steps = 18; // by going back, say
  assert.equal(past.undo(), null);
});
