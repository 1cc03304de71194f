import assert from "node:assert/strict";
import { test } from "node:test";
import { Store } from "../../assets/page/shared/store.js";

test("a follower runs at once and after each change", () => {
  const store = new Store({ steps: 18, rho: 7 });
  const seen = [];
  store.follow(() => seen.push(store.state.steps));
  store.set({ steps: 9 });
  store.tell();
  assert.deepEqual(seen, [18, 9, 9]);
  assert.deepEqual(store.state, { steps: 9, rho: 7 });
});

test("a follower whose signal has ended is left alone", () => {
  const store = new Store({ steps: 18 });
  const [life, other] = [new AbortController(), new AbortController()];
  let [runs, others] = [0, 0];
  store.follow(() => runs++, life.signal);
  store.follow(() => others++, other.signal);
  life.abort();
  store.set({ steps: 9 });
  store.follow(() => runs++, life.signal);
  assert.deepEqual([runs, others], [1, 2]);
});

test("a follower may end another one", () => {
  const store = new Store({ steps: 18 });
  const inner = new AbortController();
  let runs = 0;
  store.follow(() => store.state.steps === 9 && inner.abort());
  store.follow(() => runs++, inner.signal);
  store.set({ steps: 9 });
  store.set({ steps: 10 });
  assert.ok(runs <= 2);
});

test("a follower that fails is in nobody's way", () => {
  const failures = [];
  globalThis.reportError = (error) => failures.push(error.message);
  const store = new Store({ steps: 18 });
  const seen = [];
  store.follow(() => {
    if (store.state.steps === 9) throw new Error("no");
  });
  store.follow(() => seen.push(store.state.steps));
  store.set({ steps: 9 });
  assert.deepEqual([failures, seen], [["no"], [18, 9]]);
});
