// What the parts of the Train tab hand to each other.
import type * as Sent from "../shared/messages.d.ts";
import type { Field, Page } from "../shared/types.d.ts";
import type { Asking } from "./asking.js";

/** A run in the list. locked: somebody else's. */
export interface Run extends Sent.Row {
  locked: boolean;
}

/**
 * What is held of a run that is looked at closely. stride: of the frames, since it is thinned. ticks, gaps, nonfinite:
 * as the server sends them.
 */
export interface Known {
  id: string | null;
  points: Record<keyof Sent.Curve, (number | null)[]>;
  frames: Loss[];
  sigmas: number[];
  stride: number;
  ticks: number;
  gaps: number;
  nonfinite: number;
  design: Sent.Training | null;
  /** Its data, where they are points. */
  cloud: Float32Array | null;
  log: string[];
  disk: number | null;
  peak: number | null;
  tasks: Sent.Task[];
}
/** The loss per σ of a tick. last: there may be a later one, which takes its place. */
export interface Loss extends Sent.Losses {
  last?: boolean;
}
/** A chosen run with what is held of it, what it learns, and the colour of its curve. */
export interface Shown extends Run, Known {
  tint: string;
  goal: Sent.Goal;
}

/** A tick's samples: points, or a grid of pictures. */
export interface Points {
  images: number;
  x: Float32Array;
  dimension: number;
  field: Field | null;
}
export interface Pictures {
  images: number;
  image: HTMLImageElement;
  count: number;
  columns: number;
  /** Pixels of one, and between two. */
  tile: number;
  gap: number;
}

/** What the server says of the form, and of what an address may hold. */
export interface TrainBoot extends Sent.Tab {
  short: Record<string, Sent.Knob>;
  fields: Record<string, Sent.Knob>;
  minutes: number;
  datasets: Sent.Dataset[];
  curves: Record<string, string[] | null>;
  script: string;
  tasks: Sent.TaskKind[];
  goals: Record<string, Sent.Goal>;
}

/** What the tab gives to its parts. */
export interface TrainPage {
  page: Page;
  boot: TrainBoot;
  asking: Asking;
  say(sentence: string | null, cause?: import("./notices.js").Cause): void;
  /** Something of the form is another than before. */
  changed(): void;
  start(contrast: boolean): void;
  /** Do something to a run. */
  act(action: string, run: string, more?: Partial<Sent.ActRequest>): Promise<void>;
  /** The same; says why it could not be done, or null. */
  attempt(action: string, run: string, more?: Partial<Sent.ActRequest>): Promise<string | null>;
}
