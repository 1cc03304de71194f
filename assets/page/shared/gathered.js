// Files that somebody drops or pastes: folders are walked, and each file keeps its path within them.

/**
 * path: with the folders that lead to it.
 * @typedef {{ file: File, path: string }} Given
 */

/** @type {(file: File) => Given} */
export const given = (file) => ({ file, path: file.webkitRelativePath || file.name });

/**
 * What they are called together: the folder that holds them all, or the name of the only one.
 * @param {Given[]} files
 */
export function titleOf(files) {
  const tops = new Set(files.map(({ path }) => (path.includes("/") ? path.split("/")[0] : "")));
  const [top] = tops;
  if (tops.size === 1 && top) return top;
  return files.length === 1 ? files[0].file.name.replace(/(\.tar)?\.[^.]*$/, "") : "";
}

/**
 * All files that are dropped. To be called while the event is under way: a browser forgets them afterwards.
 * @param {DataTransfer} carried
 * @returns {Promise<Given[]>}
 */
export async function gathered(carried) {
  const items = [...carried.items].filter(({ kind }) => kind === "file");
  const entries = items.map((item) => item.webkitGetAsEntry?.() ?? null);
  const files = [...carried.files].map(given);
  if (!entries.some((entry) => entry?.isDirectory)) return files;
  const found = await Promise.all(entries.map((entry) => (entry ? walked(entry) : [])));
  return found.flat();
}

/**
 * @param {FileSystemEntry} entry
 * @returns {Promise<Given[]>}
 */
async function walked(entry) {
  const path = entry.fullPath.replace(/^\//, "");
  if (!entry.isDirectory) {
    const one = /** @type {FileSystemFileEntry} */ (entry);
    /** @type {File} */
    const file = await new Promise((resolve, reject) => one.file(resolve, reject));
    return [{ file, path }];
  }
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  /** @type {Given[]} */
  const found = [];
  for (;;) {
    /** @type {FileSystemEntry[]} */
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject)); // a hundred at a time
    if (!some.length) return found;
    for (const inner of await Promise.all(some.map(walked))) found.push(...inner);
  }
}

const NUMBER = /^[-+−]?(\d+([.,]\d+)?|[.,]\d+)(e[-+]?\d+)?$/i;

/**
 * Text that was copied from a table, as a file: where numbers are the most of most of its lines; null: it is no table.
 * @param {string} text
 * @returns {Given | null}
 */
export function tableOf(text) {
  const cells = text.includes("\t") ? /\t/ : /[;,\s]+/; // to tell numbers by; how to read them is the server's
  const rows = text.split(/[\r\n]+/).filter((line) => line.trim());
  const numeric = rows.filter((line) => {
    const words = line.trim().split(cells);
    const numbers = words.filter((word) => NUMBER.test(word.trim())).length;
    return text.includes("\t") ? 2 * numbers >= words.length : 2 * numbers > words.length;
  });
  if (numeric.length < 2 || numeric.length < 0.8 * (rows.length - 1)) return null;
  const name = text.includes("\t") ? "Pasted.tsv" : "Pasted.csv";
  return { file: new File([text], name, { type: "text/plain" }), path: name };
}
