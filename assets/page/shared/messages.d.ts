// Messages between the server and the page. Written by `python -m app.schema`: change app/messages instead.

/** base64 of little-endian float32 */
export type Float32 = string;

/** base64 of 8-bit numbers */
export type Uint8 = string;

/** base64 of a PNG file */
export type Png = string;

/** What an address says. values, pinned: of experiments. notice: what was left out. */
export interface Address {
  values: Record<string, unknown>;
  pinned: Record<string, unknown> | null;
  view: Record<string, string>;
  show: Show | null;
  controls: Controls;
  lesson: LessonPlace | null;
  notice: string | null;
  models: Models | null;
}

/** What a step does, one thing after the other, and the chosen rows of Table 1 as [title, formula]. */
export interface Algorithm {
  doings: Doing[];
  rows: [string, string][];
}

/** What a visitor may do. sentence: why starting is off. limits: {} for who has none. upload: bytes. */
export interface Allowed {
  starting: boolean;
  sentence: string | null;
  limits: Record<string, number>;
  upload: number | null;
  teacher: boolean;
  name: string | null;
}

/** positions: [n, 2]. arrows: [n, 2], or [levels, n, 2]. */
export interface Arrows {
  positions: Float32;
  arrows: Float32;
}

export interface Axes {
  x: Ends;
  y: Ends;
}

export interface Axis {
  title?: string | null;
  log?: boolean | null;
  range?: [number, number] | null;
  hideTicks?: boolean | null;
}

/** Answers from low on and less than high; null: no end. Of a choice: its number twice. */
export interface Bar {
  low: number | null;
  high: number | null;
  count: number;
}

/** The set that was made, and its sheet. */
export interface Became {
  ok: true;
  dataset: Dataset;
  sheet: Sheet;
}

/** A density, and how far samples are from it; floor: how far as many true ones are. */
export interface Beside {
  title: string;
  mean: number[];
  spread: number;
  distance: number;
  floor: number;
}

/**
 * The lane with the least value with so many evaluations or fewer; used: those that it takes. heun: what Heun in EDM's
 * coordinates has with them. document: of its experiment, as JSON text.
 */
export interface Best {
  evaluations: number;
  lane: string;
  color: string;
  value: number;
  used: number;
  heun: number | null;
  document: string;
}

/**
 * classroom: the class has a teacher, whom its pages may follow. symbols: how texts write those that the glossary
 * explains, the longest first.
 */
export interface Boot {
  knobs: Record<string, Knob>;
  guidances: Guidance[];
  classifiers: Classifier[];
  ranges: Record<string, [number, number]>;
  designs: Design[];
  models: Model[];
  tabs: Tab[];
  figures: Figure[];
  lessons: LessonTitle[];
  measures: LessonMeasure[];
  classroom: boolean;
  symbols: string[];
}

/**
 * low: low-resolution images [count, *lowShape], the same at each σ_c. examples: of how many images the exact denoiser
 * is. waiting: for somebody to start the measuring.
 */
export interface Cascade {
  figure?: Chart | null;
  summary: string;
  python: string;
  notice?: Noticed | null;
  shape: number[];
  lowShape: number[];
  count: number;
  examples: number;
  waiting: boolean;
  low: Uint8 | null;
  levels: Stages[];
}

/** samples: [count, *shape]. problem: why there is nothing. document: of its experiment, as JSON text. */
export interface Cell {
  row: number;
  column: number;
  problem: string | null;
  value: number | null;
  low: number | null;
  high: number | null;
  document?: string | null;
  samples?: Float32 | Uint8 | null;
  count?: number | null;
}

export interface Chart {
  panels: Panel[];
  columns?: number | null;
  sharedX?: boolean | null;
}

/** x: [count, *shape]. done: its last state. */
export interface Checkpoint {
  count: number;
  x: Float32 | Uint8;
  done: boolean;
  field: Arrows | null;
}

export interface Churn {
  figure?: Chart | null;
  summary: string;
  python: string;
  notice?: Noticed | null;
  stage: Step | Cycles;
}

/** One of noisy samples, which may guide models of samples of its shape and of its classes. run: that it is of. */
export interface Classifier {
  name: string;
  title: string;
  shape: number[];
  classes: string[];
  run: string | null;
}

/**
 * What is new of one run. anew: forget what you had. ticks: how many in all; gaps: of them with a loss that is no
 * finite number; nonfinite: steps left out, since their gradients were not finite. peak: the share of what its GPUs
 * can compute that it gets of them, where that is known.
 */
export interface Closer {
  cursor: string;
  anew: boolean;
  points: Curve;
  stride: number;
  frames: Losses[];
  sigmas: number[];
  ticks: number;
  gaps: number;
  nonfinite: number;
  design?: Training | null;
  id: string | null;
  disk: number | null;
  peak: number | null;
  host: string | null;
  pid: number | null;
  log: string[];
  sample?: Frame | null;
  tasks: Task[];
}

/** A mixture's parameters. rows: [count, 2 + d] of weight, std, mean. labels: of which class each is, if it has any. */
export interface Components {
  count: number;
  rows: Float32;
  labels?: number[] | null;
}

/** Names of the panel's controls: which are shown, or which are put away; null: the address does not say. */
export interface Controls {
  only?: string[] | null;
  hide?: string[] | null;
}

/** title: of the network. sides: of patches that are tried. */
export interface Copies {
  figure?: Chart | null;
  summary: string;
  python: string;
  notice?: Noticed | null;
  shape: number[];
  title: string;
  sides: number[];
  network: Drawn | null;
  patches: Patch[];
}

/** parts: what the bytes of memory are for. precision: in which it computes; why: that one, or "". */
export interface Cost {
  seconds: number;
  bytes: number;
  parameters: number;
  precision: string;
  why: string;
  parts: Record<string, number>;
}

/**
 * Columns of a run's ticks. copies: the share of its samples that are copies of what it learns, where that is known.
 * low, high: of the loss in a bucket; null where a point is a tick.
 */
export interface Curve {
  images: (number | null)[];
  loss: (number | null)[];
  score: (number | null)[];
  seconds: (number | null)[];
  copies: (number | null)[];
  low: (number | null)[] | null;
  high: (number | null)[] | null;
}

/** reach: half the width of a picture of points. */
export interface Cycles {
  kind: "rounds";
  shape: number[];
  count: number;
  rows: Rounds[];
  columns: number[];
  reach?: number | null;
}

export interface Dataset {
  name: string;
  title: string;
  shape: number[];
  thumbnail: Float32 | Uint8 | null;
}

export interface Datasets {
  clock: string;
  list: Dataset[];
}

/**
 * Of the components, those of a class: what samples of it are to be like. weight: w of the tilted density whose score
 * guidance follows; null: there is none.
 */
export interface Density {
  label: number;
  weight: number | null;
}

/** A column of Table 1. sampling: a document. */
export interface Design {
  name: string;
  title: string;
  about: string;
  sampling: Record<string, unknown>;
}

/** What a run can be started on now, as choices of the form's knob, and the page's own device. */
export interface Devices {
  choices: string[];
  titles: string[];
  helps: string[];
  page: PageDevice;
}

/** A part of a step, see edm.experiments.algorithm. acts: "0110…", of each step; null: all do it. */
export interface Doing {
  name: string;
  symbol: string;
  formula: string;
  help: string;
  acts: string | null;
}

/** counted: an answer is counted; a teacher's is not. */
export interface Done {
  counted?: boolean;
}

/** A lesson in the making, as a document. */
export interface DraftRequest {
  serial?: number;
  lesson: Record<string, unknown>;
}

/**
 * What is wrong with a draft; of one that is good its word for links, and its text as a file. long: why that word is
 * no link to be sent around.
 */
export interface Drafted {
  problems: LessonProblem[];
  word: string;
  file: string;
  long: string | null;
}

/** What every live figure has. notice: where it is one of the paper's, with nothing changed. */
export interface Drawing {
  figure?: Chart | null;
  summary: string;
  python: string;
  notice?: Noticed | null;
}

/**
 * Samples x [count, *shape], the training image nearest to each, what it is called, and which are copies of it. share:
 * of all that were drawn, those that are copies.
 */
export interface Drawn {
  count: number;
  x: Uint8;
  nearest: Uint8;
  names: string[];
  copies: boolean[];
  share: number;
}

/** The settings that a picture carries, as it carries them. */
export interface DroppedRequest {
  serial?: number;
  settings: string;
}

export interface Ends {
  name: string;
  values: string[];
}

/** See app.instruments.sheets.Sheet. title: of what it is about. */
export interface Explained {
  title: string;
  axes: string;
  tries: string;
  paper: string;
  mistake: string;
}

/** Instead of an answer. error: a sentence. */
export interface Failed {
  serial: number;
  finished: true;
  error: string;
}

/** How far the reading is. */
export interface Far {
  done: number;
  total: number;
}

/** At one level: |D − D*| over the plane [cells, cells], where samples are likely, and arrows [arrows², 2]. */
export interface Field {
  index: number;
  most: number;
  gap: Float32;
  likely: Float32;
  arrows: Float32;
}

/** Where the class goes. move: another text for each place that it is brought to. */
export interface Followed {
  query: string;
  move: string;
}

/** See edm.diagnostics.Optimized; errors on other samples than those that levels were found for. */
export interface FoundLevels {
  elsewhere: number;
  before: number | null;
  predicted: number | null;
  runs: number;
}

/** Samples of a tick. Pictures: a grid as PNG, its sizes in pixels. Points: x [n, dimension], and the flow. */
export interface Frame {
  images: number;
  count?: number | null;
  columns?: number | null;
  tile?: number | null;
  gap?: number | null;
  png?: Png | null;
  dimension?: number | null;
  x?: Float32 | null;
  field?: Arrows | null;
}

export interface Glossary {
  symbols: Symbol[];
}

/** What a run can learn: what is measured at each σ, and over what it is averaged; samples: whether it draws any. */
export interface Goal {
  error: string;
  over: string;
  samples: boolean;
}

/** See edm.guidance.Guidance. takes: "", "classifier" or "model". neutral: the w that does nothing; null: none. */
export interface Guidance {
  name: string;
  takes: string;
  needs: boolean;
  neutral: number | null;
  classes: boolean;
  population: boolean;
}

/**
 * Pictures of one setting: samples [count, *shape], null until they are drawn. document: of its experiment, as JSON
 * text.
 */
export interface Guided {
  title: string;
  samples: Uint8 | null;
  document: string;
}

/** z, and its interval, by row and column. */
export interface Heat {
  title: string;
  x: string[];
  y: string[];
  z: ((number | null)[])[];
  low: ((number | null)[])[];
  high: ((number | null)[])[];
}

/** images: [n, *shape]. */
export interface Images {
  title: string;
  images: Uint8;
}

/** See app.instruments.base.Instrument. */
export interface Instrument {
  name: string;
  title: string;
  question: string;
  streams: boolean;
  script: string;
  knobs: Record<string, Knob>;
}

/** A line of the charts. error: why there is nothing of it. */
export interface Kind {
  title: string;
  color: string;
  error: string | null;
  pictures: Guided[];
}

/**
 * See edm.base.fields.knob. ends: values that the slider's two ends stand for. titles, helps, uses: of the choices, in
 * their order; uses: the fields that matter only with each, null: not said. families, own, forms, leaves: of the
 * choices too, where there are any: what each is one of, what fields are with it that are automatic, the names of its
 * forms, and the fields that change nothing with it. pairs: a list of solvers with their time steps: "lanes" as the
 * value itself, "range" as text. needs: a field without which this one changes nothing. instead: the fields in whose
 * place this one counts.
 */
export interface Knob {
  symbol: string;
  help: string;
  default: unknown;
  slider: [number, number] | null;
  log: boolean;
  step: number | null;
  ends: [unknown, unknown];
  unit: string;
  whole: boolean;
  choices: string[] | null;
  titles?: string[] | null;
  helps?: string[] | null;
  uses?: (string[] | null)[] | null;
  families?: string[] | null;
  own?: (Record<string, unknown>)[] | null;
  forms?: string[][] | null;
  leaves?: string[][] | null;
  needs?: string | null;
  instead?: string[] | null;
  section?: string | null;
  hidden?: boolean | null;
  colors?: string[] | null;
  list?: boolean | null;
  when?: Record<string, string[]> | null;
  pairs?: string | null;
}

/** error: why there is no picture. */
export interface Lane {
  title: string;
  color: string;
  error: string | null;
  picture: Picture | null;
  note?: string | null;
}

/** rows: of Table 1 that differ, with the text of each lane. */
export interface Lanes {
  figure?: Chart | null;
  summary: string;
  python: string;
  notice?: Noticed | null;
  rows: [string, string[]][];
  lanes: Lane[];
}

/**
 * What a teacher's page shows. on: the class goes there. query: the address. ask: the question of the lesson's step, a
 * document, where it has one.
 */
export interface LeadRequest {
  serial?: number;
  on: boolean;
  query: string;
  lesson?: string | null;
  step?: number;
  ask?: Record<string, unknown> | null;
}

/**
 * Samples of a class that guidance leads to, and the densities that they might be of. weight: w of the tilted one;
 * null: there is none.
 */
export interface Led {
  label: string;
  weight: number | null;
  mean: number[];
  spread: number;
  beside: Beside[];
}

/** A file, or a row of a table ("row 3"), and the end of a sentence about it. */
export interface LeftOut {
  name: string;
  reason: string;
}

/** An answer to choose. because: said to who chose it, where it is wrong. when: see edm.lessons. */
export interface LessonChoice {
  text: string;
  when: string;
  because: string;
}

/** See edm.lessons.Measure. numbers: what it asks for beside the state. */
export interface LessonMeasure {
  name: string;
  title: string;
  numbers: string[];
}

/** A lesson, and its step from 1 on. */
export interface LessonPlace {
  name: string;
  step: number;
}

/** See edm.lessons.Problem. */
export interface LessonProblem {
  step: number | null;
  field: string;
  sentence: string;
}

export interface LessonQuestion {
  kind: string;
  text: string;
  choices: LessonChoice[];
  truth: string;
  unit: string;
}

/** See edm.lessons.Step: what it says, what it opens, the controls that are shown, what is asked. */
export interface LessonStep {
  text: string;
  open: string;
  only: string[];
  control: string;
  states: Record<string, string>;
  ask: LessonQuestion | null;
  reveal: string;
  claims: string[];
}

/** A lesson in the list of all. tried: of each step the control to try, "" for none. */
export interface LessonTitle {
  name: string;
  title: string;
  about: string;
  paper: string;
  tried: string[];
}

/** low, high: a band around y. weights: how y is weighed, by name. floor: the least that is possible. of: whose. */
export interface Line {
  name?: string | null;
  color?: string | null;
  dash?: string | null;
  mode?: string | null;
  symbol?: string | null;
  place?: string | null;
  size?: number | null;
  width?: number | null;
  opacity?: number | null;
  x: (number | null)[];
  y: (number | null)[];
  low?: (number | null)[] | null;
  high?: (number | null)[] | null;
  text?: string[] | null;
  weights?: Record<string, (number | null)[]> | null;
  floor?: boolean | null;
  of?: string | null;
}

/** summaries: for each choice of λ, with which the page multiplies by itself. */
export interface Loss {
  figure?: Chart | null;
  summary: string;
  python: string;
  notice?: Noticed | null;
  summaries: Record<string, string>;
}

/** λ·error at each σ, of one tick; of a classifier −log p of the true class, and its accuracy there. */
export interface Losses {
  index: number;
  images: number;
  errors: (number | null)[];
  accuracy?: (number | null)[] | null;
}

/**
 * Of a cascade the samples of its base, from which each sample was made, and what the upsampler is told of them:
 * images, noised [count, *shape].
 */
export interface Low {
  images: Uint8;
  noised: Uint8;
  shape: number[];
}

/** A line across a panel: at a level y, or at x. */
export interface Mark {
  x?: number | null;
  y?: number | null;
  text?: string | null;
  color?: string | null;
}

/** See app.work.measures.measure. solvable: false where guidance leaves no ODE to be solved. */
export interface Measures {
  error: number | null;
  distance: number | null;
  floor: number | null;
  stochastic: boolean;
  solvable?: boolean | null;
  led?: Led | null;
}

/** serial: 0 where nobody waits for the answer. */
export interface MessageRequest {
  serial?: number;
}

/** Why a run will not fit into memory, and changes of the form with which it would. */
export interface Misfit {
  sentence: string;
  remedies: Remedy[];
}

/**
 * range: noise levels that it is for; null: no bound. classes: as written, and by name. unconditional: whether it can
 * be sampled without one. apart: lists of all leave it to links.
 */
export interface Model {
  name: string;
  title: string;
  shape: number[];
  classes: [string | number, string | number][];
  unconditional: boolean;
  count: number;
  trained: boolean;
  apart: boolean;
  family: string | null;
  run: string | null;
  images: number | null;
  dataset: string | null;
  sigmaData: number | null;
  range: [number | null, number | null];
  low?: Upsampler | null;
  components?: Components | null;
  thumbnail?: Float32 | Uint8 | null;
}

/**
 * What changed of the models of runs. names: of all. thumbnails: of all new ones, by run. classifiers: all that there
 * are now, those that ship, too. choices: instrument -> knob -> what it offers now.
 */
export interface Models {
  clock: string;
  names: string[];
  new: Model[];
  thumbnails: Record<string, Float32 | Uint8 | null>;
  classifiers: Classifier[];
  choices: Record<string, Record<string, Offered>>;
}

/** sample: null until there is one. */
export interface Moment {
  name: string;
  images: number;
  sample: Checkpoint | null;
}

/**
 * Of each sample the training image that is nearest to it: images [count, *shape], what it is called, or "", its
 * distance as a share of that to the second nearest, and whether the sample is a copy of it.
 */
export interface Nearest {
  images: Uint8;
  names: string[];
  shares: (number | null)[];
  copies: boolean[];
}

/** Why there is none, and what could be done about it. */
export interface NotTaken {
  ok: false;
  sentence: string;
  offers: Offer[];
}

/**
 * What to notice in a figure of the paper. holds: whether its claim does here; null: not drawn yet. told: the numbers
 * of what is drawn, and why where it does not.
 */
export interface Noticed {
  claim: string;
  holds: boolean | null;
  told: string;
}

/** What could be taken otherwise: the words of a button, and what to ask for then: values of one name. */
export interface Offer {
  name: string;
  given: string[];
  text: string;
}

export interface Offered {
  choices: string[];
  titles: string[];
}

/** What the page's address says after its "?". */
export interface OpenRequest {
  serial?: number;
  query: string;
}

/** The one that the teacher's page shows. round: another text each time that it is asked again. */
export interface OpenQuestion {
  lesson: string;
  step: number;
  round: string;
}

export interface Oracle {
  figure?: Chart | null;
  summary: string;
  python: string;
  notice?: Noticed | null;
  levels: number[];
  sigmaData: number;
  color: string;
  images: Strip | null;
  plane: Plane | null;
}

/**
 * Where the page itself computes, of choices. about: what that means. sharing: which runs train there, too. choosing:
 * whether this visitor may choose another.
 */
export interface PageDevice {
  device: string;
  choices: string[];
  titles: string[];
  about: string;
  sharing: string | null;
  choosing: boolean;
}

/** Trajectories and their error at each level. x: [levels, count, 2]. error: [levels - 1, count]. */
export interface Painted {
  x: Float32;
  sigma: number[];
  error: Float32;
  count: number;
  data: string;
  sigmaData: number;
}

/** x and D(x; σ), each [count, *shape]. */
export interface Pair {
  x: Float32 | Uint8;
  denoised: Float32 | Uint8;
}

/** note: a word inside it. beside: it stands at the side of the first. share: of the height. */
export interface Panel {
  title?: string | null;
  note?: string | null;
  share?: number | null;
  beside?: boolean | null;
  x?: Axis | null;
  y?: Axis | null;
  lines?: Line[] | null;
  marks?: Mark[] | null;
  heat?: Heat | null;
}

/** A moment of one step. */
export interface Part {
  x: Float32 | Uint8;
  denoised: Float32 | Uint8;
  name: string;
  title: string;
  sigma: number;
  note: string;
}

/** The samples of patches of one side; null until there are some. */
export interface Patch {
  side: number;
  drawn: Drawn | null;
}

/** Some pictures of a class, null: of all. images: [count, *shape]. */
export interface PictureRow {
  label: number | null;
  count: number;
  images: Uint8;
}

export interface Pictures {
  shape: number[];
  rows: PictureRow[];
}

/** The form of the Train tab. */
export interface PlanRequest {
  serial?: number;
  values: Record<string, string>;
}

/**
 * window: half its width, in units of √(σ² + σ_data²). y, n: [300, 2] of data and of noise. title: of what is painted;
 * none: |D − D*|.
 */
export interface Plane {
  title?: string | null;
  cells: number;
  arrows: number;
  window: number;
  fields: Field[];
  y: Float32;
  n: Float32;
}

/**
 * values: all that count. notes: why a value changes nothing. cost: null where it is not known yet. misfit: null where
 * it fits, as far as that is known.
 */
export interface Planned {
  values: Record<string, unknown>;
  command: string;
  notes: Record<string, string>;
  cost: Cost | null;
  misfit: Misfit | null;
}

/** Some of the points [count, dimension] in their file's own units; names of the coordinates, if it has any. */
export interface Points {
  count: number;
  dimension: number;
  x: Float32;
  labels: number[] | null;
  names: string[];
}

/** An answer to the question of a lesson's step: a number, or which choice, from 0 on. */
export interface PredictRequest {
  serial?: number;
  lesson: string;
  step: number;
  answer: number;
}

/** What a network tells, by its letter, in words and in Table 1; its samples in each number of dimensions. */
export interface Prediction {
  title: string;
  what: string;
  formula: string;
  color: string;
  cells: Samples[];
}

/** components: of the data, in their plane. */
export interface Predictions {
  figure?: Chart | null;
  summary: string;
  python: string;
  notice?: Noticed | null;
  dimensions: number[];
  rows: Prediction[];
  components: Components;
}

/** best: the table of a race of solvers. */
export interface Race {
  figure?: Chart | null;
  summary: string;
  python: string;
  notice?: Noticed | null;
  best: Best[];
}

export interface Remedy {
  title: string;
  changes: Record<string, unknown>;
}

/** What comes of a lesson's step: the document of one, and the settings that are shown. */
export interface RevealRequest {
  serial?: number;
  step: Record<string, unknown>;
  values: Record<string, unknown>;
}

/** What comes of a step. truth: the number that was asked for. right: which choices are, from 0 on. */
export interface Revealed {
  told: string;
  truth: number | null;
  right: number[];
}

/**
 * A method that does better with at most as many evaluations: its error, as that of Measures, and what of the settings
 * to change for it.
 */
export interface Rival {
  method: string;
  evaluations: number;
  error: number;
  sampling: Record<string, unknown>;
}

/** best: of those that are tried; null: none has a finite error, or there is none to be had. */
export interface Rivals {
  best: Rival | null;
}

/** x, denoised: their spread. */
export interface Round {
  index: number;
  sigma: number;
  x: number;
  denoised: number;
  picture: Pair;
}

export interface Rounds {
  title: string;
  color: string;
  rounds: Round[];
}

/**
 * A run in the list. waits: for its turn on its device. total: images; minutes: which are not known in images yet.
 * device: in words. usage: of its GPUs, while it trains there, in words. learns: which goal; pictures: whether it
 * learns images, not points.
 */
export interface Row {
  name: string;
  state: string;
  waits: boolean;
  images: number | null;
  total: number | null;
  minutes: number | null;
  loss: number | null;
  rate: number | null;
  left: number | null;
  memory: number | null;
  usage: string | null;
  device: string | null;
  owner: string | null;
  started: number | null;
  sentence: string | null;
  remedies: Remedy[];
  checkpoint: number | null;
  command: string | null;
  column: string | null;
  dataset: string | null;
  learns: string;
  pictures: boolean;
}

/** titles: of both. same: whether nothing tells them apart; null while that is computed. verdict: a sentence. */
export interface Sameness {
  figure?: Chart | null;
  summary: string;
  python: string;
  notice?: Noticed | null;
  titles: [string, string];
  same: boolean | null;
  verdict: string;
  rows: Verdict[];
}

/** In the plane of their data, x [n, 2]; distance: their median to the data, in all dimensions. */
export interface Samples {
  distance: number;
  x: Float32;
}

/** What the page knows of a run. sample: images of the newest samples that it has. */
export interface Seen {
  cursor?: string;
  sample?: number | null;
}

/** A lesson that is to have a short address. page: the address of this page, as the browser has opened it. */
export interface ShareRequest {
  serial?: number;
  lesson: Record<string, unknown>;
  page: string;
}

/**
 * name: for links to it on this server. address: of such a link for phones, and code its QR code, as an image's
 * address. sentence: instead of them, why phones cannot reach it.
 */
export interface Shared {
  name: string;
  address: string;
  code: string | null;
  sentence: string | null;
}

/**
 * Pictures at one σ_c, [count, *shape], null until there are some: low-resolution images with their noise, and what
 * the network and the exact denoiser make of them. document: of the experiment, as JSON text.
 */
export interface Stages {
  sigma: number;
  noised: Uint8 | null;
  network: Uint8 | null;
  ideal: Uint8 | null;
  document: string;
}

export interface Step {
  kind: "step";
  shape: number[];
  count: number;
  moments: Part[];
  data?: Float32 | string | null;
  sigmaData?: number | null;
}

export interface Strip {
  shape: number[];
  sigmas: number[];
  rows: Images[];
}

/** curve: one row, as a line. plan: what it will take. waiting: for somebody to start it. */
export interface Sweep {
  figure?: Chart | null;
  summary: string;
  python: string;
  notice?: Noticed | null;
  axes: Axes;
  shape: number[];
  curve: boolean;
  plan?: string | null;
  cells: Cell[];
  waiting?: boolean | null;
}

/** See edm.lessons.glossary.Symbol. */
export interface Symbol {
  symbol: string;
  say: string;
  text: string;
  paper: string;
  forms: string[];
  of: string[];
  lesson: string;
}

/** kind: which script shows it. The rest is there for some kinds: instruments, or the form of the Train tab. */
export interface Tab {
  name: string;
  title: string;
  kind: string;
  instruments?: Instrument[] | null;
  short?: Record<string, Knob> | null;
  fields?: Record<string, Knob> | null;
  minutes?: number | null;
  datasets?: Dataset[] | null;
  curves?: Record<string, string[] | null> | null;
  script?: string | null;
  tasks?: TaskKind[] | null;
  goals?: Record<string, Goal> | null;
}

/** Sample settings as a film or a drawing, in the page's theme. */
export interface TakeawayRequest {
  serial?: number;
  values: Record<string, unknown>;
  form: "gif" | "svg";
  look: "light" | "dark";
}

/** A file to be saved: its name, and its content as base64. */
export interface Taken {
  name: string;
  content: string;
}

/** answered, of: how many of the class. */
export interface Tally {
  answered: number;
  of: number;
  bars: Bar[];
}

/**
 * Work on a checkpoint of a run, in the background. about: what was asked for, in words. done, total: images. left: s.
 * found: what came of it, (value, what it is) each.
 */
export interface Task {
  name: string;
  kind: string;
  state: string;
  about: string;
  done: number | null;
  total: number | null;
  left: number | null;
  sentence: string | null;
  found: [string, string][];
}

/**
 * What can be done with a run's checkpoint in the background. knobs: what it asks for. points: whether it can be with
 * a model of points, too.
 */
export interface TaskKind {
  name: string;
  title: string;
  about: string;
  points: boolean;
  knobs: Record<string, Knob>;
}

/** Of a model, by name; null where there is none. */
export interface Thumbnail {
  model: string;
  thumbnail: Float32 | Uint8 | null;
}

/** Trained models, by name, of which the page has no thumbnail. */
export interface ThumbnailsRequest {
  serial?: number;
  models: string[];
}

/** σ(t) and s(t) along the time axis of the paper's Figure 3. */
export interface TimeAxis {
  t: number[];
  sigma: number[];
  scale: number[];
}

/**
 * What a page of a classroom is told, whenever it is otherwise. teacher: whose page it is. mine: this page leads.
 * here: how many students are, for the teacher. tally: for the teacher, and for all once it is shown. reveal: shown
 * with what comes of the step.
 */
export interface Told {
  teacher: boolean;
  led: Followed | null;
  mine: boolean;
  here: number | null;
  open: OpenQuestion | null;
  tally: Tally | null;
  shown: boolean;
  reveal: boolean;
}

/** count: pictures of each setting, of the same latents. waiting: for somebody to start the measuring. */
export interface Tradeoff {
  figure?: Chart | null;
  summary: string;
  python: string;
  notice?: Noticed | null;
  shape: number[];
  count: number;
  waiting: boolean;
  lines: Kind[];
}

/** Where a run's training falls: p_train as a density in ln σ over a grid; its data, if they are points [n, 2]. */
export interface Training {
  grid: (number | null)[];
  density: (number | null)[];
  points: Float32 | null;
}

export interface TrainingTime {
  figure?: Chart | null;
  summary: string;
  python: string;
  notice?: Noticed | null;
  shape: number[];
  data: string | null;
  color: string;
  checkpoints: Moment[];
}

/**
 * The states of a run so far. x: [len(index), count, *shape] of x/s as Float32; of images at constant contrast as
 * Uint8, and so denoised. index: of the states that are sent. since: of so many of them the page has the images from
 * the preview before, and here are the others. evaluations: of each sample.
 */
export interface Trajectory {
  shape: number[];
  count: number;
  index: number[];
  t: number[];
  sigma: number[];
  scale: number[];
  evaluations: number;
  x: Float32 | Uint8;
  denoised?: Uint8 | null;
  since?: number | null;
}

export interface Truncation {
  figure?: Chart | null;
  summary: string;
  python: string;
  notice?: Noticed | null;
  painted?: Painted | null;
}

/** Why the form's values make no run, and which are at fault. */
export interface Unplanned {
  error: string;
  fields: string[];
}

/**
 * Of a model that makes images larger: of how many pixels they are, which base and which σ_c are taken where nobody
 * says, and the most noise that it was trained with.
 */
export interface Upsampler {
  resolution: number;
  base: string;
  noise: number;
  most: number;
}

/** A row of Table 1 of both. proof: the largest difference, in words; "" where there is none to look for. */
export interface Verdict {
  title: string;
  a: string;
  b: string;
  verdict: "identical" | "same" | "different";
  proof: string;
}

/** The picture's width over its height, and whether its window follows σ. aspect: None of a hidden one. */
export interface Window {
  aspect?: number | null;
  follow?: boolean;
}

/** What was done, and to which runs. */
export interface Act {
  do: string;
  runs: string[];
}

/** share: of the search that is done. sigmas: the best so far, without the final 0, and their error. found: at the end. */
export interface Levels {
  share: number;
  sigmas: number[];
  error: number | null;
  found?: FoundLevels | null;
}

/**
 * evaluations: calls of the denoiser that a sample takes. document: of the experiment, as JSON text. precision: what
 * its network computes in, if it has one. preview: what stands in its place for a moment, in words.
 */
export interface Picture {
  model: string;
  title: string;
  sigmaData: number | null;
  levels: number[];
  evaluations: number;
  notes: string[];
  milliseconds: number;
  precision: "float32" | "bf16" | null;
  preview?: string | null;
  run: Trajectory;
  document: string;
  python: string;
  command: string;
  algorithm: Algorithm;
  components?: Components | null;
  density?: Density | null;
  axis?: TimeAxis | null;
  field?: Arrows | null;
  nearest?: Nearest | null;
  low?: Low | null;
}

/** level: where it begins. sigma: of the levels from there. path: x/s at each. */
export interface Probe {
  level: number;
  sigma: number[];
  path: number[][];
}

/** N. */
export interface Steps {
  steps: number;
}

/** One of the paper's, and the instrument that shows it. claim: what to notice. */
export interface Figure {
  name: string;
  title: string;
  paper: string;
  about: string;
  claim: string;
  tab: string;
  show: string;
  values: Record<string, unknown>;
  picture: string;
}

/** What an address shows: a tab, and what of it. */
export interface Show {
  tab: string;
  name: string;
  values: Record<string, unknown>;
}

/** What becomes of the answers. reveal: with what comes of the step. */
export interface ShowRequest {
  serial?: number;
  do: "show" | "hide" | "again";
  reveal?: boolean;
}

export interface Lesson {
  name: string;
  title: string;
  about: string;
  paper: string;
  order: number;
  steps: LessonStep[];
}

/**
 * Something to be done: to a run, with the form's values, to an upload, or to the page itself. token: of a start, the
 * same for each time that it is asked for. device: where the page shall compute. task: of a run, that is meant instead
 * of it.
 */
export interface ActRequest {
  serial?: number;
  do: string;
  run?: string | null;
  values?: Record<string, string> | null;
  changes?: Record<string, string> | null;
  data?: string | null;
  token?: string | null;
  device?: string | null;
  task?: string | null;
}

/** An instrument's settings, and those of the Sampler tab. */
export interface FigureRequest {
  serial?: number;
  values: Record<string, unknown>;
  yours?: Record<string, unknown> | null;
}

/** Samples of a run at some ticks. */
export interface FilmRequest {
  serial?: number;
  run: string;
  images: number[];
}

/** A lesson, by what stands in a link; or the one in a file, whose text this is. */
export interface LessonRequest {
  serial?: number;
  name?: string;
  text?: string | null;
}

/** Sample settings whose noise levels shall be found. */
export interface LevelsRequest {
  serial?: number;
  values: Record<string, unknown>;
}

/** Sample settings. field: where arrows are wanted. moving: while a knob is being moved. */
export interface PictureRequest {
  serial?: number;
  values: Record<string, unknown>;
  field?: Window | null;
  moving?: boolean;
}

/** What the page knows already, of everything. runs: those that it looks at closely. */
export interface PollRequest {
  serial?: number;
  clock?: string;
  models?: string;
  datasets?: string | null;
  runs?: Record<string, Seen | null>;
}

/** The path of one particle from position at noise level level. */
export interface ProbeRequest {
  serial?: number;
  values: Record<string, unknown>;
  field?: Window | null;
  moving?: boolean;
  position: number[];
  level: number;
}

/** The form of the Train tab, whose data shall be read. */
export interface ReadingRequest {
  serial?: number;
  values: Record<string, string>;
}

/** What one is looking at, by its name: an instrument's, a stage's or a tab's. */
export interface SheetRequest {
  serial?: number;
  name: string;
}

/** Sample settings, whose N shall be the largest that costs at most so many evaluations. */
export interface StepsRequest {
  serial?: number;
  values: Record<string, unknown>;
  evaluations: number;
}

/** frames: those that are there, of the ticks that were wanted. */
export interface Film {
  run: string;
  wanted: number[];
  frames: Frame[];
}

/**
 * What is new. rows: those that changed. order: of all names, if that did. runs: those that are looked at closely;
 * null: gone. more: there is more of their history. locked: of the rows, those that are somebody else's. devices: null
 * where there is nothing to choose, but the CPU.
 */
export interface Poll {
  clock: string;
  rows: Row[];
  order: string[] | null;
  models: Models | null;
  room: Allowed;
  datasets: Datasets | null;
  devices: Devices | null;
  locked: string[];
  live: boolean;
  runs: Record<string, Closer | null>;
  more: boolean;
}

/**
 * What data say of how to train on them. share: of the work that is done. figure: null while they are read. numbers:
 * what is advised, (symbol, value) each. values: of the form's fields.
 */
export interface Reading {
  share: number;
  figure: Chart | null;
  numbers: [string, string][];
  sentences: string[];
  values: Record<string, number>;
}

/**
 * What a set holds. counts: of the first classes. left_out: the first of them that are missed; omitted: how many those
 * are; hidden: others, such as what macOS adds to a zip.
 */
export interface Sheet {
  count: number;
  shape: number[];
  classes: number;
  class_names: string[];
  counts: number[];
  held_out: number;
  left_out: LeftOut[];
  omitted: number;
  hidden: number;
  notes: string[];
  offers: Offer[];
  pictures?: Pictures | null;
  points?: Points | null;
}

export interface Requests {
  ask: PictureRequest;
  askPinned: PictureRequest;
  measure: PictureRequest;
  measurePinned: PictureRequest;
  rivals: PictureRequest;
  steps: StepsRequest;
  levels: LevelsRequest;
  probe: ProbeRequest;
  take: TakeawayRequest;
  thumbnails: ThumbnailsRequest;
  loss: FigureRequest;
  oracle: FigureRequest;
  preconditioning: FigureRequest;
  curvature: FigureRequest;
  clocks: FigureRequest;
  truncation: FigureRequest;
  order: FigureRequest;
  patches: FigureRequest;
  times: FigureRequest;
  prediction: FigureRequest;
  training: FigureRequest;
  guide: FigureRequest;
  churn: FigureRequest;
  lanes: FigureRequest;
  walk: FigureRequest;
  race: FigureRequest;
  sweep: FigureRequest;
  tradeoff: FigureRequest;
  cascade: FigureRequest;
  led: FigureRequest;
  sameness: FigureRequest;
  poll: PollRequest;
  plan: PlanRequest;
  act: ActRequest;
  film: FilmRequest;
  reading: ReadingRequest;
  lesson: LessonRequest;
  reveal: RevealRequest;
  draft: DraftRequest;
  share: ShareRequest;
  class: MessageRequest;
  lead: LeadRequest;
  show: ShowRequest;
  predict: PredictRequest;
  glossary: MessageRequest;
  sheet: SheetRequest;
  boot: MessageRequest;
  open: OpenRequest;
  drop: DroppedRequest;
}

export interface Answers {
  ask: Picture;
  askPinned: Picture;
  measure: Measures;
  measurePinned: Measures;
  rivals: Rivals;
  steps: Steps;
  levels: Levels;
  probe: Probe;
  take: Taken;
  thumbnails: Thumbnail;
  loss: Loss;
  oracle: Oracle;
  preconditioning: Drawing;
  curvature: Drawing;
  clocks: Drawing;
  truncation: Truncation;
  order: Drawing;
  patches: Copies;
  times: Drawing;
  prediction: Predictions;
  training: TrainingTime;
  guide: Oracle;
  churn: Churn;
  lanes: Lanes;
  walk: Lanes;
  race: Race;
  sweep: Sweep;
  tradeoff: Tradeoff;
  cascade: Cascade;
  led: Lanes;
  sameness: Sameness;
  poll: Poll;
  plan: Planned | Unplanned;
  act: Act;
  film: Film;
  reading: Reading;
  lesson: Lesson;
  reveal: Revealed;
  draft: Drafted;
  share: Shared;
  class: Told;
  lead: Done;
  show: Done;
  predict: Done;
  glossary: Glossary;
  sheet: Explained;
  boot: Boot;
  open: Address;
  drop: Address;
}

/** serial: of the request. finished: no better answer follows. */
export interface Answer<Body> {
  serial: number;
  finished: boolean;
  body: Body;
  error?: undefined;
}

/** What goes back to an event, again and again until it is finished. */
export type Reply<Name extends keyof Answers> = Answer<Answers[Name]> | Failed;
