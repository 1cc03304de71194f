// Which kinds of guidance a model can have, and what can guide it there. The server has the last word.

/** @typedef {import("../shared/messages.d.ts").Boot} Boot */
/** @typedef {import("../shared/messages.d.ts").Model} Model */
/** @typedef {import("../shared/messages.d.ts").Guidance} Guidance */
/** @typedef {[string, string][]} Options */

/** @type {(boot: Boot, model: Model) => Guidance[]} */
export function fitting(boot, model) {
  return boot.guidances.filter((kind) => {
    if (kind.name === boot.knobs.guidance.default) return true;
    if (kind.classes && kind.takes !== "classifier" && !model.classes.length) return false;
    if (kind.population) return !model.trained && model.shape.length === 1;
    return guidesOf(boot, model, kind).length > 0;
  });
}

/** [name, title] of each; "" stands for what is taken where none is named. @type {(boot: Boot, model: Model, kind: Guidance) => Options} */
export function guidesOf({ models, classifiers }, model, { takes, needs }) {
  const told = String(model.classes.map(([, name]) => name));
  if (takes === "classifier") {
    const exact = exactOf(models, model);
    /** @type {Options} */
    const own = exact ? [[exact === model ? "" : exact.name, "the exact p(c|x; σ)"]] : [];
    const fit = classifiers.filter(
      ({ shape, classes }) => String(shape) === String(model.shape) && (!told || String(classes) === told),
    );
    return [...own, ...fit.map(({ name, title }) => /** @type {[string, string]} */ ([name, title]))];
  }
  if (takes !== "model") return [];
  const shape = String(model.shape);
  const alike = models.filter((other) => other.trained && other !== model && String(other.shape) === shape);
  const same = alike.filter(
    (other) => other.dataset === model.dataset && (other.dataset || other.family === model.family),
  );
  if (needs) {
    const known = same.filter(({ classes }) => classes.length === model.classes.length);
    return known.sort((a, b) => rank(a, model) - rank(b, model)).map(({ name, title }) => [name, title]);
  }
  if (model.unconditional) return [["", "itself, without a class"]];
  return same.filter(({ unconditional }) => unconditional).map(({ name, title }) => [name, title]);
}

/**
 * A document of settings that shows what a run has learned: its youngest model, or what its classifier can guide.
 * @param {Boot} boot
 * @param {string} run
 * @returns {{ document?: import("../shared/types.d.ts").Values, sentence?: string }}
 */
export function ofRun(boot, run) {
  const youngest = boot.models.filter((model) => model.run === run).at(-1);
  if (youngest) return { document: { model: youngest.name } };
  const guide = boot.classifiers.find((classifier) => classifier.run === run);
  if (!guide) return { sentence: "Its first checkpoint is not here yet; try again in a moment." };
  const kind = boot.guidances.find(({ takes }) => takes === "classifier");
  const led = boot.models.filter(
    (model) => kind && guidesOf(boot, model, kind).some(([name]) => name === guide.name) && !model.run,
  );
  const first = led.find(({ trained }) => trained) ?? led[0];
  if (!kind || !first) return { sentence: "No model here is of these samples and classes, which it could guide." };
  const model = led.filter(({ family }) => family === first.family).at(-1) ?? first;
  const weight = (kind.neutral ?? 0) + 1;
  return { document: { model: model.name, guidance: kind.name, guide: guide.name, guidance_weight: weight } };
}

/** The exact denoiser whose p(c|x; σ) may guide a model: itself, or of what a network without classes has learned. @type {(models: Model[], model: Model) => Model | undefined} */
function exactOf(models, model) {
  if (!model.trained) return model.classes.length ? model : undefined;
  if (model.classes.length) return undefined;
  return models.find(({ name, trained, classes }) => name === model.dataset && !trained && classes.length > 0);
}

/**
 * The classes that samples may be of: the model's, or of a network that knows none those of the classifier that guides.
 * @param {Boot} boot
 * @param {Model} model
 * @param {{ takes: string } | null} kind
 * @param {string | null} guide
 * @returns {Model["classes"]}
 */
export function classesOf(boot, model, kind, guide) {
  if (model.classes.length || kind?.takes !== "classifier") return model.classes;
  const told = boot.classifiers.find(({ name }) => name === guide)?.classes;
  return told?.map((name) => [name, name]) ?? boot.models.find(({ name }) => name === guide)?.classes ?? [];
}

/** Earlier checkpoints of the model's own run first, the least trained before all. @type {(other: Model, model: Model) => number} */
function rank(other, model) {
  const mine = other.family === model.family && (other.images ?? 0) < (model.images ?? 0);
  return (mine ? 0 : 1e15) + (other.images ?? 0);
}
