// What explains the page to whoever asks: hints, the glossary, and sheets about figures.
import { Hints } from "../shared/hints.js";
import { know } from "../shared/terms.js";
import { Glossary } from "./glossary.js";
import { follow } from "./markdown.js";
import { Sheets } from "./sheets.js";

/**
 * @param {import("../shared/types.d.ts").Page} page
 * @param {{ glossary: HTMLDialogElement, list: HTMLDialogElement }} dialogs
 * @param {import("./lessons.js").Lessons} lessons
 * @param {(query: string) => void} open  Show what an address says.
 */
export function explain({ root, boot, server }, { glossary, list }, lessons, open) {
  know(boot.symbols);
  new Hints(root, new Glossary(glossary, list, server, lessons));
  new Sheets(root, server);
  follow(root, open);
}
