// How the first of the chosen runs is, and what can be done with it.
import { button, element } from "../shared/dom.js";
import { looking } from "../shared/looking.js";
import { bytes, compact, duration, percent } from "../shared/numbers.js";
import { SILENCE } from "../shared/server.js";
import { copy, download } from "../shared/takeaway.js";
import { inWords, isOver } from "./states.js";
import { Tasks } from "./tasks.js";
import { Written } from "./written.js";

/** @typedef {import("./types.d.ts").Run} Run */
/** @typedef {import("../shared/messages.d.ts").Knob} Knob */
/** @typedef {Pick<import("./types.d.ts").Known, "disk" | "peak" | "log" | "tasks">} Closer */
/** @typedef {{ sentence: string | null, log: string[], remedies: Run["remedies"] }} Why */
/**
 * A button. fits: whether it is there for a run.
 * @typedef {object} Action
 * @property {string} name
 * @property {string} title
 * @property {string} help
 * @property {(run: Run, node: HTMLButtonElement) => void} does
 * @property {(run: Run) => boolean} fits
 * @property {boolean} [plain]  It stands back behind the others.
 */

/** Of what can be downloaded: [what the server calls it, how the file's name ends]. @type {Record<string, string[][]>} */
const FILES = {
  model: [
    ["model", ".safetensors"],
    ["card", ".md"],
  ],
  tensorboard: [["tensorboard", "-tensorboard.zip"]],
};

export class Heading {
  /** @type {Run | null} */
  run = null;
  #written = new Written();

  /** @param {import("./types.d.ts").TrainPage} tab */
  constructor(tab) {
    this.tab = tab;
    this.title = element("h2", {});
    this.word = element("b", {});
    const state = element("span", { class: "state" }, element("i", { class: "dot" }), this.word);
    this.numbers = element("span", { class: "metrics" });
    this.command = element("textarea", { class: "unseen", readonly: true, tabindex: -1, "aria-hidden": "true" });
    this.why = element("div", { class: "why", hidden: true });
    this.actions = this.#actions().map((action) => ({ action, node: this.#button(action) }));
    const buttons = element("div", { class: "actions" }, ...this.actions.map(({ node }) => node));
    const line = element("div", { class: "heading" }, this.title, state, this.numbers, looking("train"));
    this.tasks = new Tasks(tab);
    this.node = element("div", { class: "training" }, line, buttons, this.why, this.tasks.node, this.command);
  }

  /**
   * @param {Run[]} runs
   * @param {Closer | undefined} known  Of the first, if it was looked at already.
   */
  show(runs, known) {
    const [run] = runs;
    const names = runs.map(({ name }) => name);
    this.run = run;
    this.command.value = run.command ?? "";
    this.title.textContent = runs.length > 2 ? `${run.name} + ${runs.length - 1} more` : names.join(" + ");
    this.node.dataset.state = run.state;
    this.word.textContent = inWords(run);
    this.#written.set("numbers", numbersOf(run, known), (items) =>
      this.numbers.replaceChildren(
        ...items.map(([value, name]) => element("span", {}, element("b", {}, value), ` ${name}`)),
      ),
    );
    for (const { action, node } of this.actions) node.hidden = !action.fits(run);
    this.tasks.show(run, known?.tasks ?? []);
    this.#written.set("why", whyOf(run, known?.log ?? []), (why) => this.#explain(why, run.name));
  }

  /**
   * Why it ended, the end of its log, and what would help.
   * @param {Why | null} why
   * @param {string} name
   */
  #explain(why, name) {
    this.why.hidden = !why;
    if (!why) return;
    const remedies = why.remedies.map(({ title, changes }) => {
      const remedy = button({ class: "pin", "data-remedy": title }, title);
      const texts = /** @type {Record<string, string>} */ (changes);
      remedy.addEventListener("click", () => this.tab.act("resume", name, { changes: texts }));
      return remedy;
    });
    const sentence = element("p", { role: "alert" }, why.sentence ?? "It ended without a word.");
    const log = why.log.length ? [element("pre", {}, why.log.join("\n"))] : [];
    this.why.replaceChildren(sentence, ...log, element("div", {}, ...remedies));
  }

  /** @param {Action} action */
  #button({ name, title, help, does, plain }) {
    const node = button({ class: plain ? "plain" : "pin", "data-action": name, title: help }, title);
    node.addEventListener("click", () => this.run && does(this.run, node));
    return node;
  }

  /** @returns {Action[]} */
  #actions() {
    const mine = (/** @type {Run} */ run) => !run.locked;
    const draws = (/** @type {Run} */ run) => this.tab.boot.goals[run.learns].samples;
    const act = (/** @type {string} */ action) => (/** @type {Run} */ run) => this.tab.act(action, run.name);
    return [
      {
        name: "sample",
        title: "Open in Sampler",
        help: "Sample from its newest checkpoint",
        does: (run) => this.tab.page.sample(run.name),
        fits: (run) => Boolean(run.checkpoint) && draws(run),
      },
      {
        name: "guide",
        title: "Use as guide",
        help: "Lead samples of a model of the same data by its newest checkpoint",
        does: (run) => this.tab.page.sample(run.name),
        fits: (run) => Boolean(run.checkpoint) && !draws(run),
      },
      {
        name: "pause",
        title: "Pause",
        help: "Hold it where it is",
        does: act("pause"),
        fits: (run) => run.state === "running" && mine(run),
      },
      {
        name: "unpause",
        title: "Go on",
        help: "Go on from where it is held",
        does: act("unpause"),
        fits: (run) => run.state === "paused" && mine(run),
      },
      {
        name: "stop",
        title: "Stop",
        help: "End it, with a checkpoint; it can be resumed",
        does: act("stop"),
        fits: (run) => ["running", "queued", "paused"].includes(run.state) && mine(run),
      },
      {
        name: "resume",
        title: "Resume",
        help: "Go on from its last checkpoint",
        does: act("resume"),
        fits: (run) => isOver(run) && run.state !== "finished" && mine(run),
      },
      {
        name: "more",
        title: "More images …",
        help: "Go on to a greater length",
        does: (run) => this.#extend(run),
        fits: (run) => run.state === "finished" && mine(run),
      },
      ...this.tab.boot.tasks.map(({ name, title, about, knobs, points }) => ({
        name: `begin-${name}`,
        title: `${title} …`,
        help: about,
        does: (/** @type {Run} */ run) => this.#begin(name, `${title}: ${run.name}`, knobs, run),
        fits: (/** @type {Run} */ run) =>
          Boolean(run.checkpoint) &&
          draws(run) &&
          (points || run.pictures) &&
          (isOver(run) || run.state === "paused") &&
          mine(run),
      })),
      {
        name: "export",
        title: "Export",
        help: "Download the model as a file, with a card that says what it is",
        does: (run, node) => this.#take(run, node, "model"),
        fits: (run) => Boolean(run.checkpoint),
        plain: true,
      },
      {
        name: "tensorboard",
        title: "TensorBoard",
        help: "Download the metrics as logs for TensorBoard",
        does: (run, node) => this.#take(run, node, "tensorboard"),
        fits: (run) => (run.images ?? 0) > 0,
        plain: true,
      },
      {
        name: "command",
        title: "Copy command",
        help: "The very command that trains this run, for a terminal",
        does: (_run, node) => copy(this.command, node),
        fits: (run) => Boolean(run.command),
        plain: true,
      },
      {
        name: "delete",
        title: "Delete",
        help: "Delete the run with all it has learned",
        does: (run) => this.#delete(run),
        fits: (run) => isOver(run) && mine(run),
        plain: true,
      },
    ];
  }

  /** @param {Run} run */
  async #delete({ name }) {
    const question = `Delete ${name}, with its checkpoints and samples? Nothing of it stays.`;
    if (await this.tab.asking.confirm(question, "Delete it")) this.tab.act("delete", name);
  }

  /** @type {(kind: string, title: string, knobs: Record<string, Knob>, run: Run) => Promise<void>} */
  async #begin(kind, title, knobs, run) {
    await this.tab.asking.fill(title, knobs, (values) => this.tab.attempt(kind, run.name, { values }));
  }

  /** @param {Run} run */
  async #extend({ name, images, total }) {
    const question = `${name} has seen ${(images ?? 0).toLocaleString("en")} images. How many shall it be in all?`;
    const wish = { title: "Images in all", value: 2 * (total ?? 0) };
    const entered = await this.tab.asking.enter(question, "Go on", wish);
    if (entered) this.tab.act("resume", name, { changes: { images: entered.replaceAll(",", "") } });
  }

  /**
   * @param {Run} run
   * @param {HTMLButtonElement} node
   * @param {string} kind
   */
  async #take({ name }, node, kind) {
    node.disabled = true; // until it is here, or it is said why it is not
    for (const [what, ending] of FILES[kind]) {
      const sentence = await this.#fetched(`explorer-runs/${name}/${what}`, name + ending);
      this.tab.say(sentence, "run");
      if (sentence) break;
    }
    node.disabled = false;
  }

  /**
   * Download a file of the server; a sentence if there is none.
   * @param {string} place
   * @param {string} name
   * @returns {Promise<string | null>}
   */
  async #fetched(place, name) {
    try {
      const answer = await fetch(new URL(place, document.baseURI));
      if (!answer.ok) return (await answer.json()).sentence;
      download(await answer.blob(), name);
      return null;
    } catch {
      return (await this.tab.page.server.there()) ? "The download was interrupted; try again." : SILENCE;
    }
  }
}

/**
 * @param {Run} run
 * @param {Closer | undefined} known
 */
function numbersOf({ state, images, total, minutes, rate, left, memory, device, usage }, known) {
  const { peak = null, disk = null } = known ?? {};
  const seen = images ?? 0;
  const of = total == null && minutes ? [`images, of ${minutes} min`] : [];
  const items = [of.length ? [compact(seen), ...of] : [`${compact(seen)} / ${compact(total ?? seen)}`, "images"]];
  const runs = state === "running";
  if (runs && rate) items.push([compact(rate), peak == null ? "images/s" : `images/s, ${percent(peak)} of peak`]);
  if (runs && left != null) items.push([duration(left), "left"]);
  if (memory) items.push([bytes(memory), "memory"]);
  if (disk) items.push([bytes(disk), "disk"]);
  if (device) items.push([device, usage ?? ""]);
  return items;
}

/**
 * @param {Run} run
 * @param {string[]} log
 * @returns {Why | null}
 */
function whyOf({ state, sentence, remedies }, log) {
  if (["failed", "interrupted"].includes(state)) return { sentence, log: log.slice(-5), remedies };
  return sentence ? { sentence, log: [], remedies: [] } : null;
}
