// What is held of a run that is looked at closely: its curve, its losses per σ, the end of its log.
import { float32 } from "../shared/packed.js";

/** @typedef {import("./types.d.ts").Known} Known */

const MOST_POINTS = 6000; // before it is asked for anew
const MOST_FRAMES = 400; // before they are thinned

/** @returns {Known} */
const nothing = () => ({
  id: null,
  points: { images: [], loss: [], score: [], seconds: [], copies: [], low: [], high: [] },
  frames: [],
  sigmas: [],
  stride: 1,
  ticks: 0,
  gaps: 0,
  nonfinite: 0,
  design: null,
  cloud: null,
  log: [],
  disk: null,
  peak: null,
  tasks: [],
});

/**
 * What is held after some news, and whether its curve has changed.
 * @param {Known | undefined} before
 * @param {import("../shared/messages.d.ts").Closer} news
 * @returns {{ known: Known, changed: boolean }}
 */
export function held(before, news) {
  const known = news.anew || !before ? nothing() : before;
  const count = news.points.images.length;
  const columns = /** @type {(keyof Known["points"])[]} */ (Object.keys(known.points));
  for (const column of columns) known.points[column].push(...(news.points[column] ?? Array(count).fill(null)));
  const measured = news.frames.filter(({ errors }) => errors.length); // not of early ticks that tell of the loss alone
  known.frames = thinned(known, measured);
  if (news.sigmas.length) known.sigmas = news.sigmas;
  if (news.design) {
    known.design = news.design;
    known.cloud = news.design.points ? float32(news.design.points) : null;
  }
  known.ticks = news.ticks;
  known.gaps = news.gaps;
  known.nonfinite = news.nonfinite;
  known.log = news.log;
  known.disk = news.disk;
  known.peak = news.peak;
  known.tasks = news.tasks;
  known.id = news.id;
  return { known, changed: count > 0 || news.anew };
}

/**
 * The frames that are held, with the new ones: where that are too many, each second one.
 * @param {Known} known
 * @param {Known["frames"]} news
 */
function thinned(known, news) {
  if (!news.length) return known.frames;
  /** @param {Known["frames"][number]} frame */
  const kept = ({ index, last }) => !last || index % known.stride === 0;
  const frames = [...known.frames.filter(kept), ...news];
  if (frames.length <= MOST_FRAMES) return frames;
  known.stride *= 2;
  return frames.filter(({ index }, k) => index % known.stride === 0 || k === frames.length - 1);
}

/**
 * Whether so much is held that it should be asked for anew.
 * @param {Known | undefined} known
 */
export const isFull = (known) => (known?.points.images.length ?? 0) > MOST_POINTS;
