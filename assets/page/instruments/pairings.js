// A solver with its time steps, as text and as parts: solver:knob=value/time steps:knob=value@column. What it means is
// the server's (edm/diagnostics/pairings.py).

export const PAIR = "pair"; // an axis that is one

/** @typedef {{ name: string, knobs: Record<string, string> }} Part */
/** @typedef {{ solver: Part, grid: Part, column: string }} Pairing  Of a column alone, names are empty. */

/**
 * @param {string} text
 * @returns {Part}
 */
function part(text) {
  const [name, ...given] = text.split(":").map((word) => word.trim());
  return { name, knobs: Object.fromEntries(given.map((one) => one.split("=", 2))) };
}

/** @param {Part} part */
const written = ({ name, knobs }) =>
  [name, ...Object.entries(knobs).map(([knob, value]) => `${knob}=${value}`)].join(":");

/**
 * @param {string} text
 * @returns {Pairing}
 */
export function readPairing(text) {
  const [pair, column = ""] = text.trim().split("@");
  const [first, second = ""] = pair.split("/");
  return { solver: part(first), grid: part(second), column };
}

/**
 * @param {Pairing} pairing
 * @returns {string}
 */
export function writePairing({ solver, grid, column }) {
  return written(solver) + (grid.name ? `/${written(grid)}` : "") + (column ? `@${column}` : "");
}

/**
 * The solver and the time steps of a column of Table 1, to begin with.
 * @param {import("../shared/messages.d.ts").Design} design
 */
export function pairingOf({ name, sampling }) {
  const plain = (/** @type {any} */ entry) => ({ name: String(entry), knobs: {} });
  return writePairing({ solver: plain(sampling.solver), grid: plain(sampling.discretization), column: name });
}

/**
 * The list with one of its items elsewhere.
 * @template T
 * @param {T[]} list
 * @param {number} from
 * @param {number} to
 */
export function moved(list, from, to) {
  const rest = list.filter((_, k) => k !== from);
  return [...rest.slice(0, to), list[from], ...rest.slice(to)];
}
