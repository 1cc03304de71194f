// @ts-nocheck
// What the page says about a result, in numbers and in a sentence.
import { element } from "../shared/dom.js";
import { number, rounded } from "../shared/numbers.js";

// The row of numbers under the stage.
export function metrics(label, result, measures) {
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
  else if (measures?.stochastic)
    items.push(["—", "error", "with S_churn > 0 there is no single ODE solution to compare with"]);
  if (measures?.distance != null) {
    items.push([rounded(measures.distance), "distance to data", "sliced Wasserstein distance"]);
    items.push([
      rounded(measures.floor),
      "for true samples",
      "the distance that as many true samples have: the least to hope for",
    ]);
  }
  return [
    ...(label ? [element("em", {}, label)] : []),
    ...items.map(([value, name, title]) => element("span", { title }, element("b", {}, value), ` ${name}`)),
  ];
}

// One sentence for everybody, and for screen readers.
export function summary(result, measures, values, knobs) {
  const name = solverName(values, knobs);
  const { S_churn } = values;
  const { run, levels, title } = result;
  let text = `${run.count} samples, ${title}, ${name}, N = ${levels.length - 1}`;
  if (S_churn > 0) text += `, S_churn = ${number(S_churn)}`;
  text += `: ${run.evaluations} evaluations, σ from ${number(levels[0])} to 0`;
  if (measures?.error != null) text += `, error ${rounded(measures.error)} to the exact ODE solution`;
  if (measures?.distance != null)
    text += `, distance to the data ${rounded(measures.distance)} (true samples: ${rounded(measures.floor)})`;
  return [text, ...result.notes].map((t) => `${t}.`).join(" ");
}

// The solver's title, with the knobs of its own that are not as usual.
function solverName(values, { solver, ...knobs }) {
  const k = solver.choices.indexOf(values.solver);
  const own = (solver.uses[k] ?? []).filter((name) => values[name] !== knobs[name].default);
  const said = own.map((name) => `${knobs[name].symbol} = ${number(values[name])}`).join(", ");
  return said ? `${solver.titles[k]}'s family (${said})` : solver.titles[k];
}

// What tells two settings apart, in words for each.
export function differences(now, pinned, knobs) {
  const names = [...new Set([...Object.keys(now), ...Object.keys(pinned)])].filter(
    (name) => now[name] !== pinned[name],
  );
  const word = (values, name) => {
    if (["sigmas", "points"].includes(name)) return `${name} ${values[name] ? "by hand" : "computed"}`;
    return `${name} ${values[name] ?? knobs[name].default ?? "automatic"}`;
  };
  return [now, pinned].map((values) => names.map((name) => word(values, name)).join(", ") || "the same settings");
}
