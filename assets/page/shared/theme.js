// Light or dark: as somebody has chosen here, as the address says, or as the system is.
import { keep, kept } from "./storage.js";

const KEPT = "edm-theme";
const system = matchMedia("(prefers-color-scheme: dark)");

export function showTheme() {
  const said = kept(KEPT) ?? new URLSearchParams(location.search).get("__theme");
  document.body.classList.toggle("dark", said === "dark" || (said !== "light" && system.matches));
}

/** With the system, when that changes. */
export function followTheme() {
  system.addEventListener("change", ({ matches }) => document.body.classList.toggle("dark", matches));
}

/** The other one, from now on. */
export function switchTheme() {
  const dark = document.body.classList.toggle("dark");
  keep(KEPT, dark ? "dark" : "light");
}
