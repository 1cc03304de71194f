// What the parts of the page hand to each other. What comes from the server, and goes to it, is in messages.d.ts.
import type * as Sent from "./messages.d.ts";

export type Rgb = [number, number, number];
export type ColorName =
  | "bg" | "panel" | "ink" | "mute" | "line" | "noise" | "data"
  | "vp" | "ve" | "iddpm" | "edm" | "flow" | "yours" | "c1" | "c2" | "c3" | "c4";
/** The theme's colours: as CSS text, and as numbers under "…Rgb". */
export type Colors = { [name in ColorName]: string } & { [name in ColorName as `${name}Rgb`]: Rgb } & {
  /** What the size of all type is multiplied with. */
  type: number;
};

/** Settings by name. null: automatic. What a value can be is declared by its knob. */
export type Values = Record<string, any>;

/** One Gaussian of a mixture. */
export interface Component {
  weight: number;
  std: number;
  mean: number[];
  label: number | null;
}
/** Where arrows are, and where they point, unpacked. */
export interface Field {
  positions: Float32Array;
  arrows: Float32Array;
}

/** A setting as it is declared. folded: choices that are only shown while they are chosen. */
export interface Knob extends Sent.Knob {
  folded?: string[];
}
export interface Instrument extends Omit<Sent.Instrument, "knobs"> {
  knobs: Record<string, Knob>;
}
/** A tab made of instruments, as the server hands it over. */
export type BenchBoot = Omit<Sent.Tab, "instruments"> & { instruments: Instrument[] };

/** A picture, with what the page knows of its model. id: another for each that is painted differently. */
export interface Result extends Omit<Sent.Picture, "sigmaData"> {
  id: string;
  sigmaData: number;
  range: Sent.Model["range"];
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

/** A figure as data; see shared/plotly.js. What the server draws, and what the page adds to it. */
export interface Figure extends Omit<Sent.Chart, "panels"> {
  /** As long as it is the same, zooming is kept. */
  key?: string;
  panels: Panel[];
}
export interface Panel extends Omit<Sent.Panel, "x" | "y" | "lines"> {
  x?: ChartAxis | null;
  y?: ChartAxis | null;
  lines?: ChartLine[] | null;
}
export interface ChartAxis extends Omit<Sent.Axis, "range"> {
  range?: number[] | null;
  /** Its numbers count something: 20k. */
  counts?: boolean;
}
export type Numbers = (number | null)[];
export type ChartLine = Sent.Line;

/** What an address or a preset asks of a tab. show: which part of it. notice: a sentence about what was left out. */
export interface Opening {
  show?: string;
  values: Values;
  notice: string | null;
  pinned?: Values | null;
  view?: View;
}

/** What of a tab is found again: plain data, which it can be opened with. */
export type Saved = Omit<Opening, "notice">;

/** A tab of the page. main.js has the list of kinds. */
export interface Tab {
  /** It comes into view, or goes. */
  set active(active: boolean);
  open(opening: Opening): void;
  state(): Saved;
  /** What somebody has changed of what is shown; null: nothing that could be undone. */
  get past(): import("./past.js").Past | null;
  /** What the address says of it. */
  query(): Record<string, string>;
  /** Models have come, or gone: what knobs offer now. replaced: names that other models have now. */
  offer(choices: Sent.Models["choices"], replaced: string[]): void;
  /** What is shown, as Python and as a command; "": there is none. */
  texts(): { python: string; command: string };
  savePng(): void;
  /** Where there is a table of what is shown. */
  saveCsv?(): void;
  /** A sentence in place; null: none. */
  say(sentence: string | null): void;
  /** Where data can be brought: files that were dropped or pasted. */
  bring?(files: import("./gathered.js").Given[]): void;
  /** And pictures that are pasted one by one. */
  paste?(picture: import("./gathered.js").Given): void;
  recolor(colors: Colors): void;
}

/** What every tab is given. */
export interface Page {
  /** .explorer, whose data-… tell tests what is shown. */
  root: HTMLElement;
  boot: Sent.Boot;
  server: import("./server.js").Server;
  /** The address should follow. */
  changed(): void;
  /** Somebody goes elsewhere on the page: from there, Back leads here. */
  visit(go: () => void): void;
  /** The Sampler tab's settings that gave a picture. */
  yours(): Record<string, string>;
  /** Open a document of settings in the Sampler tab. */
  load(document: Values): void;
  /** Open the youngest checkpoint of a run there. */
  sample(run: string): void;
  takeModels(news: Sent.Models): void;
  /** Where the page computes, and what is to happen when somebody chooses another device. */
  takeDevice(device: Sent.PageDevice, move: (device: string) => Promise<void>): void;
  /** A sentence in the tab that is shown; null: none. */
  say(sentence: string | null): void;
  /** Up to when the models are known. */
  clock: string;
}
