// @ts-nocheck
// What a run can be doing, in words, and when it is over.

export const WORDS = {
  queued: "waiting",
  running: "running",
  paused: "paused",
  stopping: "stopping",
  stopped: "stopped",
  finished: "finished",
  failed: "failed",
  interrupted: "interrupted",
};

export const OVER = ["stopped", "finished", "failed", "interrupted"];
