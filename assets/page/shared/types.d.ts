// What the parts of the page hand to each other. What the server sends is described where it is packed.

export type Rgb = [number, number, number];
export type ColorName =
  | "bg" | "panel" | "ink" | "mute" | "line" | "noise" | "data"
  | "vp" | "ve" | "iddpm" | "edm" | "yours" | "c1" | "c2" | "c3" | "c4";
/** The theme's colours: as CSS text, and as numbers under "…Rgb". */
export type Colors = { [name in ColorName]: string } & { [name in ColorName as `${name}Rgb`]: Rgb };

/** Settings by name. null: automatic. What a value can be is declared by its knob. */
export type Values = Record<string, any>;

/** A declared setting (edm.fields.knob, app.instruments.base.option). */
export interface Knob {
  default: any;
  symbol: string;
  help: string;
  choices?: string[] | null;
  titles?: string[];
  colors?: string[];
  /** Choices that are only shown while they are chosen. */
  folded?: string[];
  slider: [number, number] | null;
  log?: boolean;
  step?: number | null;
  /** What the ends of a logarithmic slider mean. */
  ends: [number | null, number | "inf" | null];
  section?: string;
  hidden?: boolean;
  list?: boolean;
  /** Other knobs, and their values with which this one is shown. */
  when?: Record<string, any[]>;
}

export interface Components {
  count: number;
  rows: string;
}
/** One Gaussian of a mixture. */
export interface Component {
  weight: number;
  std: number;
  mean: number[];
}

export interface Dataset {
  name: string;
  title: string;
  shape: number[];
  thumbnail?: string;
}

export interface Model extends Dataset {
  classes: [string, string][];
  count: number;
  trained: boolean;
  family: string;
  run: string | null;
  images: number | null;
  dataset: string | null;
  sigmaData: number | null;
  /** The noise levels that it is for; null: no bound. */
  range: [number | null, number | null];
  components?: Components;
}

export interface Design {
  name: string;
  title: string;
  about: string;
  sampling: Values;
}

/** A figure of the paper, as a preset. */
export interface Preset {
  name: string;
  title: string;
  paper: string;
  about: string;
  tab: string;
  show: string;
  values: Values;
  picture: string | null;
}

export interface Instrument {
  name: string;
  title: string;
  question: string;
  streams: boolean;
  /** Its module among the instruments' scripts. */
  script: string;
  knobs: Record<string, Knob>;
}

/** A tab as the server hands it over; what else is in it is for its kind. */
export interface TabBoot {
  name: string;
  title: string;
  kind: string;
}
export interface BenchBoot extends TabBoot {
  instruments: Instrument[];
}

/** What the page knows from the start. */
export interface Boot {
  knobs: Record<string, Knob>;
  /** The range of levels of each discretization. */
  ranges: Record<string, [number, number]>;
  usesAlpha: string[];
  designs: Design[];
  models: Model[];
  tabs: TabBoot[];
  figures: Preset[];
}

/** Models that have come or gone. clock: what the page knows by then. */
export interface ModelNews {
  clock: string;
  names: string[];
  new: Model[];
  choices: Choices;
}
/** What knobs offer now: by instrument, then by knob. */
export type Choices = Record<string, Record<string, { choices: string[]; titles: string[] }>>;

/** An answer of the server. */
export interface Answer<Body> {
  serial: number;
  finished: boolean;
  body: Body;
  error?: string;
}

/** States of a run that were sent: `index` among its levels, σ, t and s of each. */
export interface Run {
  shape: number[];
  count: number;
  index: number[];
  t: number[];
  sigma: number[];
  scale: number[];
  evaluations: number;
  x: string;
  denoised?: string;
}
export interface Field<Packed = string> {
  positions: Packed;
  arrows: Packed;
}
export interface Axis {
  t: number[];
  sigma: number[];
  scale: number[];
}
/** Body of a picture of samples. */
export interface Picture {
  model: string;
  title: string;
  sigmaData: number;
  levels: number[];
  notes: string[];
  milliseconds: number;
  run: Run;
  document: string;
  python: string;
  command: string;
  components?: Components;
  axis?: Axis;
  field?: Field;
}
/** The same, with what the page knows of its model. id: another for each that is painted differently. */
export interface Result extends Picture {
  id: string;
  range: Model["range"];
}
export interface Measures {
  error: number | null;
  distance: number | null;
  floor: number | null;
  stochastic: boolean;
}
/** The path of one particle from a level on. */
export interface Probe {
  level: number;
  sigma: number[];
  path: [number, number][];
}

/** What of a stage is shown, and how, as the address says it. */
export type View = Record<string, string>;
export type ViewChanges = Record<string, string | number | null>;
/** One switch: its name in the view, its choices as value -> title, what it does. */
export type Switch = [string, Record<string, string>, string];

export interface StageOptions {
  view: View;
  /** The whole canvas is for the picture: nothing floats above it. */
  contain?: boolean;
  /** It wants to be painted. */
  repaint(): void;
  /** A particle is dragged to a place in data units, or let go of. */
  onProbe?(position: [number, number] | null): void;
  onDrawn?(points: [number, number][]): void;
  /** An image was chosen. */
  onSelect?(k: number | null): void;
}
/** What paints samples on a canvas. */
export interface Stage {
  setResult(result: Result): void;
  /** u: position among the result's levels. */
  draw(u: number, colors: Colors): void;
}

/** A figure as data; see shared/plotly.js. */
export interface Figure {
  key?: string;
  columns?: number;
  sharedX?: boolean;
  panels: Panel[];
}
export interface Panel {
  title?: string;
  x?: ChartAxis;
  y?: ChartAxis;
  lines?: ChartLine[];
  marks?: Mark[];
  heat?: Heat;
  legend?: boolean;
  share?: number;
  /** At the right, in a figure of two charts. */
  beside?: boolean;
}
export interface ChartAxis {
  title?: string;
  log?: boolean;
  range?: number[];
  ticks?: string[];
  reversed?: boolean;
  hideTicks?: boolean;
  equal?: boolean;
  counts?: boolean;
}
export type Numbers = (number | null)[];
export interface ChartLine {
  name?: string | null;
  color?: string;
  dash?: string;
  mode?: string;
  x: number[];
  y: Numbers;
  low?: Numbers | null;
  high?: Numbers | null;
  width?: number;
  opacity?: number;
  size?: number;
  text?: string[];
  symbol?: string;
  place?: string;
  /** Of losses: λ by kind of weight. */
  weights?: Record<string, number[]>;
  /** Of losses: the least that any denoiser can have. */
  floor?: boolean;
}
export interface Mark {
  x?: number;
  y?: number;
  text?: string;
  color?: string;
  dash?: string;
}
export interface Heat {
  x: (string | number)[];
  y: (string | number)[];
  z: Numbers[];
  low?: Numbers[];
  high?: Numbers[];
  text?: string[][];
  title?: string;
  log?: boolean;
  both?: boolean;
  range?: [number, number];
}

/** What an address or a preset asks of a tab. show: which part of it. notice: a sentence about what was left out. */
export interface Opening {
  show?: string;
  values: Values;
  notice: string | null;
  pinned?: Values | null;
  view?: View;
}

/** What an address asks of the page: of the Sampler tab, and of the part of another one that is to be shown. */
export interface Opened {
  values: Values;
  pinned: Values | null;
  view: View;
  show: { tab: string; name: string; values: Values } | null;
  notice: string | null;
  models: ModelNews;
}

/** A tab of the page. main.js has the list of kinds. */
export interface Tab {
  /** It comes into view, or goes. */
  set active(active: boolean);
  open(opening: Opening): void;
  /** What the address says of it. */
  query(): Record<string, string>;
  /** Models have come, or gone: what knobs offer now. replaced: names that other models have now. */
  offer(choices: Choices, replaced: string[]): void;
  /** What is shown, as Python and as a command; "": there is none. */
  texts(): { python: string; command: string };
  savePng(): void;
  /** Where there is a table of what is shown. */
  saveCsv?(): void;
  /** A sentence in place; null: none. */
  say(sentence: string | null): void;
  recolor(colors: Colors): void;
}

/** What every tab is given. */
export interface Page {
  /** .explorer, whose data-… tell tests what is shown. */
  root: HTMLElement;
  boot: Boot;
  server: import("./server.js").Server;
  /** The address should follow. */
  changed(): void;
  /** The Sampler tab's settings that gave a picture. */
  yours(): Record<string, string>;
  /** Open a document of settings in the Sampler tab. */
  load(document: Values): void;
  /** Open the youngest checkpoint of a run there. */
  sample(run: string): void;
  takeModels(news: ModelNews): void;
  /** Up to when the models are known. */
  clock: string;
}
