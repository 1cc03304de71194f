// Numbers: within bounds, and as people read them.

/** @type {(value: number, low: number, high: number) => number} */
export const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
/** @type {(a: number, b: number, f: number) => number} */
export const lerp = (a, b, f) => a + (b - a) * f;

/**
 * Four significant digits, without trailing zeros.
 * @param {number | null | undefined} value
 */
export function number(value) {
  if (value == null) return "";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : String(value);
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return String(value);
  return String(Number(value.toPrecision(4)));
}

/**
 * Two significant digits of a measured distance; float64 noise is 0.
 * @param {number} value
 */
export function rounded(value) {
  if (value < 1e-12) return "0";
  return value < 0.01 ? value.toExponential(1) : value.toPrecision(2);
}

/**
 * The same in a sentence: 0.0079.
 * @param {number} value
 */
export const short = (value) => number(Number(value.toPrecision(2)));

/**
 * 20480 -> "20K".
 * @param {number} count
 */
export function compact(count) {
  return new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 2 }).format(count);
}

/**
 * 95 -> "1 min 35 s".
 * @param {number} seconds
 */
export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
  if (whole < 5400) return `${Math.round(whole / 60)} min`;
  return whole < 172800 ? `${(whole / 3600).toFixed(1)} h` : `${(whole / 86400).toFixed(1)} days`;
}

/**
 * 0.375 -> "38 %"; of little two digits.
 * @param {number} share
 */
export function percent(share) {
  if (share < 0.001) return share > 0 ? "< 0.1 %" : "0 %";
  return share < 0.0995 ? `${Number((100 * share).toPrecision(2))} %` : `${Math.round(100 * share)} %`;
}

/**
 * 3e8 -> "300 MB".
 * @param {number} count
 */
export function bytes(count) {
  if (count < 1e6) return `${Math.max(1, Math.round(count / 1e3))} kB`;
  return count < 1e9 ? `${Math.round(count / 1e6)} MB` : `${(count / 1e9).toFixed(1)} GB`;
}
