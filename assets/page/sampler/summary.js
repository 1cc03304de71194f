// What the page says about a result, in numbers and in a sentence.
import { element } from "../shared/dom.js";
import { written } from "../shared/interval.js";
import { typeset } from "../shared/mathematics.js";
import { number, rounded } from "../shared/numbers.js";
import { explained } from "../shared/terms.js";

/** @typedef {import("../shared/types.d.ts").Result} Result */
/** @typedef {import("../shared/messages.d.ts").Measures} Measures */

/**
 * Write it all into its places.
 * @param {ReturnType<typeof import("./layout.js").layout>} parts
 * @param {object} shown
 * @param {import("./asked.js").Asked} shown.main
 * @param {import("./asked.js").Asked} shown.pin
 * @param {Record<string, string> | null} shown.pinned  Settings of the pinned picture, if there is one.
 * @param {import("./settings.js").Settings} shown.settings
 * @param {import("./finding.js").Finding} shown.finding
 */
export function describe(parts, { main, pin, pinned, settings, finding }) {
  const { result } = main.picture;
  if (!result) return;
  parts.looking.dataset.sheet = main.picture.kind?.sheet;
  parts.main.numbers.replaceChildren(...metrics(pinned ? "now" : null, result, main));
  parts.pin.numbers.hidden = parts.main.caption.hidden = parts.pin.caption.hidden = !pinned;
  const sentence = summary(result, main.measures, settings);
  const { rivals } = finding;
  const said = [sentence, rivals.sentence].join(" ");
  if (parts.summary.dataset.said !== said) {
    parts.summary.dataset.said = said;
    parts.summary.replaceChildren(...explained(said), ...(rivals.sentence ? [" ", rivals.node] : []));
  }
  if (!pinned) return;
  const other = pin.picture.result;
  if (other) parts.pin.numbers.replaceChildren(...metrics("pinned", other, pin));
  const [here, there] = differences(settings.changedValues(), pinned, settings.boot.knobs);
  parts.main.caption.replaceChildren(...typeset(`now: ${here}`));
  parts.pin.caption.replaceChildren(...typeset(`pinned: ${there}`));
}

/**
 * The row of numbers under the stage; measures of an older picture are pale.
 * @param {string | null} label
 * @param {Result} result
 * @param {import("./asked.js").Asked} asked
 */
function metrics(label, result, { measures, behind }) {
  const milliseconds = result.milliseconds.toFixed(result.milliseconds < 10 ? 1 : 0);
  const items = [
    [number(result.run.evaluations), "evaluations", "NFE: calls of the denoiser for each sample"],
    [milliseconds, "ms", "time of the whole batch on the server"],
  ];
  if (measures?.error != null)
    items.push([
      rounded(measures.error),
      "error",
      "RMS distance to the exact solution of the same ODE from the same start",
    ]);
  else if (measures) items.push(["—", ...withoutError(measures)]);
  if (measures?.distance != null) {
    items.push([rounded(measures.distance), "distance to data", "sliced Wasserstein distance"]);
    items.push([
      rounded(measures.floor ?? 0),
      "for true samples",
      "the distance that as many true samples have: the least to hope for",
    ]);
  }
  return [
    ...(label ? [element("em", {}, label)] : []),
    ...items.map(([value, name, title], k) =>
      element("span", { title, class: behind && k > 1 && "behind" }, element("b", {}, value), ` ${name}`),
    ),
  ];
}

/**
 * Why there is no error: for the row of numbers, and in full.
 * @param {Measures} measures
 */
function withoutError({ stochastic, solvable }) {
  if (solvable === false)
    return [
      "error: no ODE",
      "with this guidance, or in two stages, steps do not follow one ODE whose solution they could be compared with",
    ];
  if (!stochastic) return ["error: not finite", "the samples have no bounds: take more steps"];
  return ["error: fresh noise", "a stochastic sampler has no ODE solution to be compared with"];
}

/**
 * One sentence for everybody, and for screen readers.
 * @param {Result} result
 * @param {Measures | null} measures
 * @param {import("./settings.js").Settings} settings
 */
function summary(result, measures, settings) {
  const { values, boot } = settings;
  const { S_churn } = values;
  const name = solverName(values, boot.knobs);
  const { run, levels, title } = result;
  let text = `${run.count} samples, ${title}, ${name}, N = ${levels.length - 1}`;
  if (S_churn > 0) text += `, S_churn = ${number(S_churn)}`;
  text += ledBy(settings);
  if (result.preview) return `${text}. A preview, by ${result.preview} from the same noise, until it is there.`;
  text += `: ${run.evaluations} evaluations, σ from ${number(levels[0])} to 0`;
  if (measures?.error != null) text += `, error ${rounded(measures.error)} to the exact ODE solution`;
  else if (measures) text += `, no ${withoutError(measures)[0]}`;
  if (measures?.distance != null)
    text += `, distance to the data ${rounded(measures.distance)} (true samples: ${rounded(measures.floor ?? 0)})`;
  const coupled = settings.guidance?.population ? ["These samples are one population, each drawn with the others"] : [];
  const led = measures?.led ? [besideDensities(measures.led)] : [];
  return [text, ...coupled, ...led, ...result.notes].map((t) => `${t}.`).join(" ");
}

/**
 * What leads the samples, and where.
 * @param {import("./settings.js").Settings} settings
 */
function ledBy({ guidance, guided, values, boot }) {
  if (!guidance) return "";
  const knob = boot.knobs.guidance;
  const title = knob.titles?.[knob.choices?.indexOf(guidance.name) ?? -1] ?? guidance.name;
  const sign = guidance.neutral == null ? "λ" : "w";
  const where = values.guidance_interval && guided ? ` for ${written(values.guidance_interval)} in σ` : "";
  return `, ${title}${guidance.name === "auto" || guidance.population ? "" : " guidance"}, ${sign} = ${number(values.guidance_weight)}${where}`;
}

const NEAR = 1.6; // times the distance that true samples have: no further away than chance

/**
 * Whether what guidance has made is one of the densities that it may be taken for, in numbers.
 * @param {NonNullable<Measures["led"]>} led
 */
function besideDensities({ label, weight, mean, spread, beside }) {
  const few = (/** @type {number} */ value) => number(Number(value.toFixed(2)));
  /** @type {(mean: number[]) => string} */
  const middle = (mean) => (mean.length > 1 ? `(${mean.map(few).join(", ")})` : few(mean[0]));
  const titles = beside.map(({ title }) => (weight == null ? title : title.replace("^w", `^${number(weight)}`)));
  const near = titles.filter((_, k) => beside[k].distance <= NEAR * beside[k].floor);
  const [first, second] = titles;
  const what = near.length ? near.join(" or ") : second ? `neither ${first} nor ${second}` : `not ${first}`;
  const moments = [
    `mean ${middle(mean)}, where ${beside.length > 1 ? "these have" : "that has"} ${beside.map((one) => middle(one.mean)).join(" and ")}`,
    `spread ${few(spread)}, not ${beside.map((one) => few(one.spread)).join(" and ")}`,
    `distance ${beside.map(({ distance }) => rounded(distance)).join(" and ")}`,
  ];
  const floor = rounded(Math.max(...beside.map((one) => one.floor)));
  if (near.length) moments[1] = moments[1].replace("not", "beside");
  return `What is sampled for ${label} is ${what}: ${moments.join("; ")} (true samples: ${floor})`;
}

/**
 * The solver's title, with those of its knobs that are not as usual.
 * @param {import("../shared/types.d.ts").Values} values
 * @param {Record<string, import("../shared/types.d.ts").Knob>} knobs
 */
function solverName(values, knobs) {
  const { choices, titles, uses } = knobs.solver;
  const k = choices?.indexOf(values.solver) ?? -1;
  const own = (uses?.[k] ?? []).filter((name) => values[name] !== knobs[name].default);
  const written = (/** @type {any} */ value) => (typeof value === "number" ? number(value) : String(value));
  const said = own.map((name) => `${knobs[name].symbol} = ${written(values[name])}`).join(", ");
  if (!said) return titles?.[k];
  return `${titles?.[k]}${own.includes("alpha") ? "'s family" : ""} (${said})`;
}

/**
 * What tells two settings apart, in words for each.
 * @param {Record<string, string>} now
 * @param {Record<string, string>} pinned
 * @param {import("../shared/messages.d.ts").Boot["knobs"]} knobs
 */
function differences(now, pinned, knobs) {
  const names = [...new Set([...Object.keys(now), ...Object.keys(pinned)])].filter(
    (name) => now[name] !== pinned[name],
  );
  /** @type {(values: Record<string, string>, name: string) => string} */
  const word = (values, name) => {
    if (["sigmas", "points"].includes(name)) return `${name} ${values[name] ? "by hand" : "computed"}`;
    return `${name} ${values[name] ?? knobs[name].default ?? "automatic"}`;
  };
  return [now, pinned].map((values) => names.map((name) => word(values, name)).join(", ") || "the same settings");
}
