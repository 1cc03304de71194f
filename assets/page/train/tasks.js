// Work on a run's checkpoint in the background, evaluations and many samples: how far each is, and what came of it.
import { button, element } from "../shared/dom.js";
import { compact, duration } from "../shared/numbers.js";
import { inWords, isOver } from "./states.js";
import { Written } from "./written.js";

/** @typedef {import("../shared/messages.d.ts").Task} Task */
/** @typedef {import("./types.d.ts").Run} Run */
/** What can be done with one: [action, title, help, whether it fits]. @type {[string, string, string, (task: Task) => boolean][]} */
const ACTIONS = [
  ["stop", "Stop", "What it has done so far is kept", (task) => !isOver(task) && task.state !== "stopping"],
  ["resume", "Resume", "Go on where it stopped", (task) => isOver(task) && task.state !== "finished"],
  ["delete", "Delete", "Delete it with what came of it", (task) => isOver(task)],
];

export class Tasks {
  node = element("div", { class: "tasks", role: "list", "aria-label": "Evaluations and samples", hidden: true });
  #written = new Written();

  /** @param {import("./types.d.ts").TrainPage} tab */
  constructor(tab) {
    this.tab = tab;
  }

  /**
   * @param {Run} run
   * @param {Task[]} tasks
   */
  show(run, tasks) {
    this.#written.set("tasks", { name: run.name, locked: run.locked, tasks }, () => {
      this.node.hidden = !tasks.length;
      this.node.replaceChildren(...tasks.map((task) => this.#row(run, task)));
    });
  }

  /**
   * @param {Run} run
   * @param {Task} task
   */
  #row(run, task) {
    const share = task.total ? Math.min((task.done ?? 0) / task.total, 1) : 0;
    const state = element(
      "span",
      { class: "state" },
      element("i", { class: "dot" }),
      inWords({ ...task, waits: false }),
    );
    const bar = element("i", { class: "bar", style: `--share: ${share.toFixed(3)}` });
    const found = task.found.map(([value, what]) => element("span", {}, element("b", {}, value), ` ${what}`));
    const told = found.length ? found : [element("span", {}, progressOf(task))];
    const actions = ACTIONS.filter(([, , , fits]) => !run.locked && fits(task)).map(([action, title, help]) => {
      const node = button({ class: "plain", "data-action": `task-${action}`, title: help }, title);
      node.addEventListener("click", () => this.#act(action, run, task));
      return node;
    });
    return element(
      "div",
      { class: "task", role: "listitem", "data-task": task.name, "data-state": task.state },
      element("b", { title: task.about }, task.name),
      state,
      element("span", { class: "metrics" }, ...told),
      ...actions,
      isOver(task) ? null : bar,
      task.sentence && element("p", {}, task.sentence),
    );
  }

  /** @type {(action: string, run: Run, task: Task) => Promise<void>} */
  async #act(action, run, { name }) {
    const question = `Delete ${name}, with what came of it?`;
    if (action === "delete" && !(await this.tab.asking.confirm(question, "Delete it"))) return;
    await this.tab.act(action, run.name, { task: name });
  }
}

/**
 * "1.2K / 5K images, 3 min left"; of one that has not begun what was asked for.
 * @param {Task} task
 */
function progressOf({ about, done, total, left, state }) {
  if (done == null || total == null) return about;
  const words = `${compact(done)} / ${compact(total)} images`;
  return state === "running" && left != null ? `${words}, ${duration(left)} left` : words;
}
