import assert from "node:assert/strict";
import { test } from "node:test";
import { ofRun } from "../../assets/page/sampler/guides.js";
import { lossFigure } from "../../assets/page/train/figures.js";

const CLASSES = ["0", "1"].map((name) => [name, name]);
const model = (name, more) => ({
  name,
  shape: [1, 8, 8],
  classes: CLASSES,
  trained: true,
  family: name,
  run: null,
  ...more,
});
const BOOT = {
  guidances: [
    { name: "none", takes: "" },
    { name: "classifier", takes: "classifier", neutral: 0, classes: true },
  ],
  classifiers: [{ name: "run-told_64", shape: [1, 8, 8], classes: ["0", "1"], run: "told" }],
  models: [
    model("exact", { trained: false }),
    model("points", { shape: [2] }),
    model("early", { family: "late" }),
    model("late"),
    model("run-own_64", { run: "own" }),
  ],
};

test("a run opens as its model, and a classifier's as the guide of the last model of its samples and classes", () => {
  assert.deepEqual(ofRun(BOOT, "own").document, { model: "run-own_64" });
  assert.deepEqual(ofRun(BOOT, "told").document, {
    model: "late",
    guidance: "classifier",
    guide: "run-told_64",
    guidance_weight: 1,
  });
  const untrained = { ...BOOT, models: BOOT.models.filter(({ trained }) => !trained) };
  assert.equal(ofRun(untrained, "told").document?.model, "exact");
  assert.match(ofRun({ ...BOOT, models: [] }, "told").sentence ?? "", /^No model/);
  assert.match(ofRun(BOOT, "new").sentence ?? "", /checkpoint is not here yet/);
});

test("the score's axis says what each goal measures", () => {
  const points = { images: [1], loss: [1], score: [1], low: [null], high: [null], seconds: [1], copies: [null] };
  const run = (name, error, over) => ({ name, points, tint: "c1", goal: { error, over, samples: true } });
  const view = { measure: "same", smooth: 0, logx: false, logy: false };
  const title = (runs) => lossFigure(runs, view).panels[0].y.title;
  assert.equal(title([run("a", "−log p", "p"), run("b", "−log p", "p")]), "E[−log p], p");
  assert.equal(title([run("a", "−log p", "p"), run("b", "λ·error", "λ")]), "E[−log p], p; or E[λ·error], λ");
});
