// A range of noise levels on a log axis, with two handles. Each is a slider of its own, for the keyboard, for touch, and
// for screen readers; what is between them is what is meant.
import { button, element } from "./dom.js";
import { hint } from "./hints.js";
import { symbolOf } from "./mathematics.js";
import { clamp, number } from "./numbers.js";

/** @typedef {import("./types.d.ts").Knob} Knob */
/** @typedef {import("./widgets.js").Binding} Binding */
/** @typedef {[number, number]} Interval */

const STEPS = 240;
const AXIS = /** @type {Interval} */ ([0.002, 80]); // its ends, which stand for 0 and for all above
const MOST = 1e5; // a noise level that no other is above

/** @type {(sigma: number) => number} */
const toStep = (sigma) =>
  sigma <= AXIS[0] ? 0 : Math.min(STEPS, Math.round((Math.log(sigma / AXIS[0]) / Math.log(AXIS[1] / AXIS[0])) * STEPS));

/** @type {(step: number) => number} */
function toSigma(step) {
  if (step <= 0) return 0;
  if (step >= STEPS) return MOST;
  return Number((AXIS[0] * (AXIS[1] / AXIS[0]) ** (step / STEPS)).toPrecision(3));
}

/** As people read it. @type {(interval: Interval | null) => string} */
export const written = (interval) =>
  interval ? `${number(interval[0])} – ${interval[1] >= MOST ? "∞" : number(interval[1])}` : "all σ";

/**
 * What somebody typed: "0.3 – 2", "0.3, 2"; null: all. The server refuses what cannot be.
 * @param {string} text
 * @returns {(number | string)[] | null}
 */
export function read(text) {
  const parts = text
    .trim()
    .split(/[\s,;–…]+|(?<=\d)-/)
    .filter(Boolean);
  if (parts.length < 2) return parts.length && !/^(all|auto|none)/i.test(parts[0]) ? [parts[0], MOST] : null;
  const [low, high] = parts.map((part) =>
    /^(∞|inf)/i.test(part) ? MOST : Number.isFinite(Number(part)) ? Number(part) : part,
  );
  return low === "all" ? null : [low, high];
}

/**
 * @param {Knob} knob
 * @param {Binding} binding  Its value is [low, high], or null: all.
 */
export function interval(knob, { name, get, set, follow, idle = () => false }) {
  const now = () => /** @type {Interval} */ (get() ?? [0, MOST]);
  const handles = ["lowest", "highest"].map((which, end) => {
    const label = `${which} guided noise level`;
    const attributes = {
      type: "range",
      min: 0,
      max: STEPS,
      step: 1,
      "aria-label": label,
      "data-knob": `${name}.${end}`,
    };
    const handle = element("input", attributes);
    handle.addEventListener("input", () => move(end, Number(handle.value)));
    return handle;
  });
  const value = element("input", { class: "value", type: "text", "aria-label": `${name}, value`, "data-knob": name });
  const reset = button({ class: "reset", "aria-label": `Reset ${name}` });
  const track = element("div", { class: "interval" }, ...handles);
  const node = element(
    "div",
    { class: "knob", "data-row": name },
    element("label", { html: "σ" }),
    track,
    value,
    reset,
  );
  value.addEventListener("change", () => set(read(value.value)));
  reset.addEventListener("click", () => set(null));
  hint(node, knob.help, symbolOf(knob));

  /** One handle never passes the other. @type {(end: number, step: number) => void} */
  function move(end, step) {
    const steps = now().map(toStep);
    steps[end] = end === 0 ? clamp(step, 0, steps[1] - 1) : clamp(step, steps[0] + 1, STEPS);
    const both = /** @type {Interval} */ (steps.map(toSigma));
    set(steps[0] === 0 && steps[1] === STEPS ? null : both);
    handles[end].value = String(steps[end]);
  }

  follow(() => {
    const chosen = now();
    const steps = chosen.map(toStep);
    for (const [end, handle] of handles.entries()) {
      if (Number(handle.value) !== steps[end]) handle.value = String(steps[end]);
      handle.setAttribute("aria-valuetext", chosen[end] >= MOST ? "no bound" : `σ = ${number(chosen[end])}`);
    }
    // of two that lie on each other, the one that can move away is on top
    track.classList.toggle("high", steps[0] > STEPS / 2);
    track.style.setProperty("--from", `${(100 * steps[0]) / STEPS}%`);
    track.style.setProperty("--to", `${(100 * steps[1]) / STEPS}%`);
    if (document.activeElement !== value) value.value = written(get() ?? null);
    node.classList.toggle("changed", get() != null);
    node.classList.toggle("auto", get() == null);
    node.classList.toggle("idle", idle());
    reset.disabled = get() == null;
    reset.title = get() == null ? "" : "Back to all noise levels";
  });
  return node;
}
