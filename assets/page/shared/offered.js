// Which models and classifiers there are: those of runs come and go.

/** @typedef {import("./messages.d.ts").Model} Model */

/**
 * Take over news of them, models in the order of their training; the names that other models have now.
 * @param {import("./messages.d.ts").Boot} boot
 * @param {import("./messages.d.ts").Models} news
 */
export function renewed(boot, { names, new: fresh, thumbnails, classifiers }) {
  const { models } = boot;
  for (const model of fresh) model.thumbnail = thumbnails[model.run ?? ""];
  const replaced = fresh.map(({ name }) => name).filter((name) => models.some((model) => model.name === name));
  const added = new Set(fresh.map(({ name }) => name));
  const kept = models.filter(({ name, run }) => !run || (names.includes(name) && !added.has(name)));
  const all = [...kept, ...fresh];
  all.sort((a, b) => (a.family === b.family ? (a.images ?? 0) - (b.images ?? 0) : 0));
  Object.assign(boot, { models: all, classifiers });
  return replaced;
}
