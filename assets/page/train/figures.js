// Curves of runs: the loss over images, and the error per σ with p_train beneath.

/** @typedef {import("./types.d.ts").Run} Run */
/** @typedef {import("./types.d.ts").Shown} Shown */
/** @typedef {import("../shared/types.d.ts").Numbers} Numbers */
/** @typedef {import("../shared/types.d.ts").ChartLine} Line */
/** @typedef {import("../shared/types.d.ts").Figure} Figure */

const OVERLAID = ["c1", "c2", "c3", "c4", "ink", "mute"];
const EARLIER = 7; // faint curves of earlier ticks

/**
 * The colour of each run: its design's where that tells them apart, otherwise one after the other.
 * @param {Run[]} runs
 * @returns {Record<string, string>}
 */
export function tintsOf(runs) {
  const columns = runs.map(({ column }) => column);
  const byDesign = new Set(columns).size === runs.length && !columns.includes(null);
  return Object.fromEntries(
    runs.map(({ name, column }, k) => [name, (byDesign && column) || OVERLAID[k % OVERLAID.length]]),
  );
}

/**
 * An average that forgets: of its weight, `share` is what was before. Gaps stay gaps.
 * @param {Numbers} values
 * @param {number} share
 */
export function smoothed(values, share) {
  let [sum, weight] = [0, 0];
  return values.map((value) => {
    if (value == null) return null;
    sum = share * sum + (1 - share) * value;
    weight = share * weight + (1 - share);
    return sum / weight;
  });
}

/** The number by which ticks of a run compare. @param {import("../shared/messages.d.ts").Goal} goal */
export const meanOf = ({ error }) => `E[${error}]`;

/**
 * The loss over the images seen.
 * @param {Shown[]} runs
 * @param {{ measure: string, smooth: number, logx: boolean, logy: boolean }} view
 * @returns {Figure}
 */
export function lossFigure(runs, { measure, smooth, logx, logy }) {
  if (measure === "copies") return copiesFigure(runs, logx);
  const column = measure === "train" ? "loss" : "score";
  const several = runs.length > 1;
  const lines = runs.flatMap(({ name, points: all, tint }) => {
    const points = measured(all, column);
    const y = points[column];
    const few = y.length < 60;
    const sparse = few || y.some((value, i) => value != null && y[i - 1] == null && y[i + 1] == null);
    /** @type {Line} */
    const strong = {
      name: several ? name : null,
      color: tint,
      x: points.images,
      y: smooth > 0 ? smoothed(y, smooth) : y,
      mode: sparse ? "lines+markers" : "lines", // one between two gaps is no line
      size: 4,
      width: 2.2,
    };
    if (column === "loss" && points.low.some((value) => value != null)) Object.assign(strong, band(points));
    return smooth > 0 && !few ? [{ color: tint, x: points.images, y, width: 1, opacity: 0.3 }, strong] : [strong];
  });
  const scores = new Set(runs.map(({ goal }) => `${meanOf(goal)}, ${goal.over}`));
  const title = measure === "train" ? "loss, mean since the tick before" : [...scores].join("; or ");
  return {
    key: `${measure}${logx}${logy}`,
    panels: [{ x: imagesSeen(runs, logx), y: { title, log: logy }, lines }],
  };
}

/**
 * How many of the samples at each tick are copies of what is learned: as they are, since each is a count of few.
 * @param {Shown[]} runs
 * @param {boolean} logx
 * @returns {Figure}
 */
function copiesFigure(runs, logx) {
  const lines = runs.map(({ name, points, tint }) => ({
    name: runs.length > 1 ? name : null,
    color: tint,
    x: points.images.filter((_, k) => points.copies[k] != null),
    y: points.copies.flatMap((share) => (share == null ? [] : [100 * share])),
    mode: "lines+markers",
    size: 4,
    width: 2.2,
  }));
  const y = { title: "samples that are copies, %", range: [-2, 102] };
  return { key: `copies${logx}`, panels: [{ x: imagesSeen(runs, logx), y, lines }] };
}

/**
 * @param {Shown[]} runs
 * @param {boolean} logx
 */
function imagesSeen(runs, logx) {
  const last = Math.max(1, ...runs.map(({ points }) => points.images.at(-1) ?? 0));
  const first = Math.min(last, ...runs.map(({ points }) => points.images.find((images) => images) ?? last));
  const range = logx ? [first / 1.2, Math.max(last, 2 * first) * 1.1] : [0, last * 1.04];
  return { title: "images seen", log: logx, counts: true, range };
}

/**
 * Without what was never to be measured, which is no gap: the score at an early tick that tells of the loss alone, the
 * loss of the untrained network.
 * @param {Shown["points"]} points
 * @param {"loss" | "score"} column
 */
function measured(points, column) {
  const { images, loss } = points;
  const kept = points[column].map(
    (value, k) => value != null || (column === "loss" ? images[k] !== 0 : loss[k] == null),
  );
  if (kept.every(Boolean)) return points;
  const columns = Object.entries(points).map(([name, values]) => [name, values.filter((_, k) => kept[k])]);
  return /** @type {Shown["points"]} */ (Object.fromEntries(columns));
}

/**
 * Where the server has put many points into one, their least and most.
 * @param {Shown["points"]} points
 */
function band({ low, high, loss }) {
  return { low: low.map((value, i) => value ?? loss[i]), high: high.map((value, i) => value ?? loss[i]) };
}

/**
 * Which ticks the figure of losses per σ shows at a moment of the timeline: where that is the same, so is the figure.
 * @param {Shown[]} runs
 * @param {number | null} images
 */
export const ticksAt = (runs, images) =>
  runs.map(({ name, frames }) => `${name} ${frames.findLast((frame) => seenBy(frame, images))?.index}`).join();

/**
 * λ·error per σ, of a classifier its accuracy, at a moment of the timeline: that tick strong, earlier ones faint, p_train
 * beneath.
 * @param {Shown[]} runs
 * @param {number | null} images
 * @returns {Figure}
 */
export function sigmaFigure(runs, images) {
  const several = runs.length > 1;
  const faint = several ? 3 : EARLIER;
  const errors = runs.flatMap(({ name, frames, sigmas, tint }) => {
    const until = frames.filter((frame) => seenBy(frame, images));
    const now = until.at(-1);
    if (!now) return [];
    /** @type {(frame: { errors: Numbers, accuracy?: Numbers | null }, more: Partial<Line>) => Line} */
    const line = (frame, more) => ({ color: tint, x: sigmas, y: frame.accuracy ?? frame.errors, ...more });
    const earlier = spread(until.slice(0, -1), faint).map((frame, k, all) =>
      line(frame, { width: 1.2, opacity: 0.12 + (0.28 * (k + 1)) / all.length }),
    );
    return [...earlier, line(now, { name: several ? name : null, width: 2.6, mode: "lines+markers", size: 4 })];
  });
  const values = runs.flatMap(({ frames }) => frames.flatMap(({ errors: y }) => y)).filter((value) => value != null);
  const telling = runs.filter(({ frames }) => frames.some(({ accuracy }) => accuracy)).length;
  const most = telling ? 1.04 : Math.min(1.6, 1.08 * Math.max(0.1, ...values));
  const error = "λ(σ) · error, EDM’s λ";
  const both = telling && telling < runs.length ? `accuracy, or ${error}` : "accuracy at σ";
  const title = telling ? both : error;
  const density = runs.flatMap(({ design, tint }) =>
    design?.grid.length ? [{ color: tint, x: design.grid, y: design.density, width: 1.8 }] : [],
  );
  const x = { log: true, range: [0.004, 100] };
  return {
    sharedX: true,
    key: "sigma",
    panels: [
      {
        share: 2.6,
        x: { ...x, hideTicks: true },
        y: { title, range: [0, most] },
        lines: errors,
      },
      { x: { ...x, title: "σ" }, y: { title: "p<sub>train</sub>", hideTicks: true }, lines: density },
    ],
  };
}

/** @type {(tick: { images: number }, images: number | null) => boolean} */
const seenBy = (tick, images) => images == null || tick.images <= images;

/**
 * So many of a list, closer together at its beginning, where training changes most.
 * @template Item
 * @param {Item[]} list
 * @param {number} count
 */
function spread(list, count) {
  if (list.length <= count) return list;
  const places = Array.from({ length: count }, (_, k) => Math.round(list.length ** (k / (count - 1)) - 1));
  return [...new Set(places)].map((place) => list[place]);
}

/**
 * All numbers that are shown, as a table.
 * @param {Shown[]} runs
 */
export function csvOf(runs) {
  const [errors] = runs.map(({ goal }) => goal.error.replace("λ·", "lambda*").replace("−", "-"));
  /** @type {(string | number | null)[][]} */
  const rows = [["run", "images", "seconds", "loss", "loss_low", "loss_high", `E[${errors}]`, "copies"]];
  for (const { name, points } of runs)
    points.images.forEach((images, i) => {
      const { seconds, loss, low, high, score, copies } = points;
      rows.push([name, images, seconds[i], loss[i], low[i], high[i], score[i], copies[i]]);
    });
  rows.push([], ["run", "images", "sigma", errors, "accuracy"]);
  for (const { name, frames, sigmas } of runs)
    for (const { images, errors, accuracy } of frames) {
      errors.forEach((error, i) => {
        rows.push([name, images, sigmas[i], error, accuracy?.[i] ?? null]);
      });
    }
  return rows.map((row) => `${row.map((value) => value ?? "").join(",")}\n`).join("");
}
