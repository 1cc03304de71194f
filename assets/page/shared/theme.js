// Light or dark: as somebody has chosen here, as the address says, or as the system is.
const KEPT = "edm-theme";
const system = matchMedia("(prefers-color-scheme: dark)");

/** What was chosen here. In a frame of another site, or with storage blocked, nothing is kept. */
function kept() {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return null;
  }
}

export function showTheme() {
  const said = kept() ?? new URLSearchParams(location.search).get("__theme");
  document.body.classList.toggle("dark", said === "dark" || (said !== "light" && system.matches));
}

/** With the system, when that changes. */
export function followTheme() {
  system.addEventListener("change", ({ matches }) => document.body.classList.toggle("dark", matches));
}

/** The other one, from now on. */
export function switchTheme() {
  const dark = document.body.classList.toggle("dark");
  try {
    localStorage.setItem(KEPT, dark ? "dark" : "light");
  } catch {
    // it lasts as long as the page
  }
}
