// What a run can be doing, in words, and when it is over.

/** @type {Record<string, string>} */
const WORDS = {
  queued: "waiting",
  running: "running",
  paused: "paused",
  stopping: "stopping",
  stopped: "stopped",
  finished: "finished",
  failed: "failed",
  interrupted: "interrupted",
};
const OVER = ["stopped", "finished", "failed", "interrupted"];

/** @param {{ state: string, waits: boolean }} run */
export const inWords = ({ state, waits }) => (waits ? "waits for its turn" : (WORDS[state] ?? state));

/** @param {{ state: string }} run */
export const isOver = ({ state }) => OVER.includes(state);
