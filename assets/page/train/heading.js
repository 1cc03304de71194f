// @ts-nocheck
// How the first of the chosen runs is, and what can be done with it.
import { element } from "../shared/dom.js";
import { bytes, compact, duration } from "../shared/numbers.js";
import { copy, download } from "../shared/takeaway.js";
import { OVER, WORDS } from "./states.js";

const FILES = {
  model: [
    ["model", ".safetensors"],
    ["card", ".md"],
  ],
  tensorboard: [["tensorboard", "-tensorboard.zip"]],
};

export class Heading {
  // page: {asking, act(action, run, more), sample(model)}.
  constructor(page) {
    Object.assign(this, { page, known: {} });
    this.title = element("h2", {});
    this.state = element("span", { class: "state" }, element("i", { class: "dot" }), element("b", {}));
    this.numbers = element("span", { class: "metrics" });
    this.buttons = element("div", { class: "actions" });
    this.command = element("textarea", { class: "unseen", readonly: true, tabindex: -1, "aria-hidden": "true" });
    this.why = element("div", { class: "why", hidden: true });
    const line = element("div", { class: "heading" }, this.title, this.state, this.numbers);
    this.node = element("div", { class: "training" }, line, this.buttons, this.why, this.command);
    this.actions = this.make();
  }

  show(runs, { disk, log = [] }) {
    const [run] = runs;
    this.run = run;
    this.command.value = run.command ?? "";
    this.title.textContent =
      runs.length > 2 ? `${run.name} + ${runs.length - 1} more` : runs.map(({ name }) => name).join(" + ");
    this.node.dataset.state = run.state;
    this.state.lastChild.textContent = WORDS[run.state] ?? run.state;
    const items = [[`${compact(run.images)} / ${compact(run.total ?? run.images)}`, "images"]];
    if (run.state === "running" && run.rate) items.push([compact(run.rate), "images/s"]);
    if (run.state === "running" && run.left != null) items.push([duration(run.left), "left"]);
    if (run.memory) items.push([bytes(run.memory), "memory"]);
    if (disk) items.push([bytes(disk), "disk"]);
    if (run.device) items.push([run.device, ""]);
    this.set("numbers", items, () =>
      this.numbers.replaceChildren(
        ...items.map(([value, name]) => element("span", {}, element("b", {}, value), ` ${name}`)),
      ),
    );
    for (const [node, fits] of this.actions) node.hidden = !fits(run);
    const broken = ["failed", "interrupted"].includes(run.state);
    const why = broken
      ? { sentence: run.sentence, log: log.slice(-5), remedies: run.remedies }
      : run.sentence
        ? { sentence: run.sentence, log: [], remedies: [] }
        : null;
    this.set("why", why, () => this.explain(why, run));
  }

  set(name, value, write) {
    const key = JSON.stringify(value);
    if (this.known[name] === key) return;
    this.known[name] = key;
    write();
  }

  // Why it ended, the end of its log, and what would help.
  explain(why, run) {
    this.why.hidden = !why;
    if (!why) return;
    const remedies = why.remedies.map(({ title, changes }) => {
      const button = element("button", { type: "button", class: "pin", "data-remedy": title }, title);
      button.addEventListener("click", () => this.page.act("resume", run.name, { changes }));
      return button;
    });
    const log = why.log.length ? element("pre", {}, why.log.join("\n")) : null;
    this.why.replaceChildren(
      ...[
        element("p", { role: "alert" }, why.sentence ?? "It ended without a word."),
        log,
        element("div", {}, ...remedies),
      ].filter(Boolean),
    );
  }

  // [button, whether it fits a run]
  make() {
    const over = ({ state }) => OVER.includes(state);
    const mine = (run) => !run.locked;
    const can = (action, more) => () => this.page.act(action, this.run.name, more);
    const button = (action, title, help, does, fits, kind = "pin") => {
      const node = element("button", { type: "button", class: kind, "data-action": action, title: help }, title);
      node.addEventListener("click", () => does(node));
      this.buttons.append(node);
      return [node, fits];
    };
    const asked = async (question, yes, action) =>
      (await this.page.asking.confirm(question, yes)) && this.page.act(action, this.run.name);
    return [
      button(
        "sample",
        "Open in Sampler",
        "Sample from its newest checkpoint",
        () => this.page.sample(this.run.name),
        (run) => run.checkpoint,
      ),
      button("pause", "Pause", "Hold it where it is", can("pause"), (run) => run.state === "running" && mine(run)),
      button(
        "unpause",
        "Go on",
        "Go on from where it is held",
        can("unpause"),
        (run) => run.state === "paused" && mine(run),
      ),
      button(
        "stop",
        "Stop",
        "End it, with a checkpoint; it can be resumed",
        () => asked(`Stop ${this.run.name}? It saves a checkpoint first and can be resumed later.`, "Stop it", "stop"),
        (run) => ["running", "queued", "paused"].includes(run.state) && mine(run),
      ),
      button(
        "resume",
        "Resume",
        "Go on from its last checkpoint",
        can("resume"),
        (run) => over(run) && run.state !== "finished" && mine(run),
      ),
      button(
        "more",
        "More images …",
        "Go on to a greater length",
        () => this.extend(),
        (run) => run.state === "finished" && mine(run),
      ),
      button(
        "export",
        "Export",
        "Download the model as a file, with a card that says what it is",
        (node) => this.take(node, "model"),
        (run) => run.checkpoint,
        "plain",
      ),
      button(
        "tensorboard",
        "TensorBoard",
        "Download the metrics as logs for TensorBoard",
        (node) => this.take(node, "tensorboard"),
        (run) => run.images > 0,
        "plain",
      ),
      button(
        "command",
        "Copy command",
        "The very command that trains this run, for a terminal",
        (node) => copy(this.command, node),
        (run) => run.command,
        "plain",
      ),
      button(
        "delete",
        "Delete",
        "Delete the run with all it has learned",
        () =>
          asked(
            `Delete ${this.run.name}, with its checkpoints and samples? Nothing of it stays.`,
            "Delete it",
            "delete",
          ),
        (run) => over(run) && mine(run),
        "plain",
      ),
    ];
  }

  async extend() {
    const images = await this.page.asking.confirm(
      `${this.run.name} has seen ${this.run.images.toLocaleString("en")} images. How many shall it be in all?`,
      "Go on",
      { title: "Images in all", value: 2 * this.run.total },
    );
    if (images) this.page.act("resume", this.run.name, { changes: { images: images.replaceAll(",", "") } });
  }

  async take(node, kind) {
    const { name } = this.run;
    node.disabled = true;
    for (const [what, file] of FILES[kind]) {
      const sentence = await fetched(`explorer-runs/${name}/${what}`, `${name}${file}`);
      this.page.say(sentence);
      if (sentence) break;
    }
    node.disabled = false;
  }
}

// Download a file of the server; resolves with a sentence if there is none.
async function fetched(place, name) {
  try {
    const answer = await fetch(new URL(place, document.baseURI));
    if (!answer.ok) return (await answer.json()).sentence;
    download(await answer.blob(), name);
    return null;
  } catch {
    return "The server does not answer. Is it still running?";
  }
}
