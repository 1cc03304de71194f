// Which models there are: those of runs come and go.

/** @typedef {import("./messages.d.ts").Model} Model */

/**
 * The models after news of them, in the order of their training, and the names that other models have now.
 * @param {Model[]} models
 * @param {import("./messages.d.ts").Models} news
 */
export function renewed(models, { names, new: fresh, thumbnails }) {
  for (const model of fresh) model.thumbnail = thumbnails[model.run ?? ""];
  const replaced = fresh.map(({ name }) => name).filter((name) => models.some((model) => model.name === name));
  const added = new Set(fresh.map(({ name }) => name));
  const kept = models.filter(({ name, run }) => !run || (names.includes(name) && !added.has(name)));
  const all = [...kept, ...fresh];
  all.sort((a, b) => (a.family === b.family ? (a.images ?? 0) - (b.images ?? 0) : 0));
  return { all, replaced };
}
