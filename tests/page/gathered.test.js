import assert from "node:assert/strict";
import { test } from "node:test";
import { tableOf, titleOf } from "../../assets/page/shared/gathered.js";
import { pieces } from "../../assets/page/train/sending.js";

const file = (path, size = 1) => ({ file: new File([new Uint8Array(size)], path.split("/").at(-1)), path });

test("many small files travel together, and a large one in several pieces", () => {
  const files = [file("a", 3), file("b", 4), file("c", 25), file("d", 0), file("e", 10)];
  const sent = [...pieces(files, { bytes: 10, most: 3 })];
  assert.deepEqual(
    sent.map(({ more, parts }) => [more, ...parts.map(({ path, data }) => `${path} ${data.size}`)]),
    [
      [false, "a 3", "b 4"],
      [false, "c 10"],
      [true, "c 10"],
      [true, "c 5"],
      [false, "d 0", "e 10"],
    ],
  );
  const many = Array.from({ length: 7 }, (_, k) => file(String(k), 1));
  assert.deepEqual(
    [...pieces(many, { bytes: 100, most: 3 })].map(({ parts }) => parts.length),
    [3, 3, 1],
  );
  assert.deepEqual([...pieces([])], []);
});

test("cells that were copied from a spreadsheet are points, and sentences are none", () => {
  for (const text of ["1\t2\n3\t4", "x,y\n0.5,-1\n2e-3,4", "1,5;2,5\n3,5;4,5", "1 2\r\n3 4\r\n", "0.1\n0.2\n0.3"])
    assert.equal(tableOf(text)?.file.size, text.length, text);
  assert.equal(tableOf("1\t2\n3\t4")?.path, "Pasted.tsv");
  for (const text of [
    "",
    "7",
    "https://example.org/?a=1",
    "Chapter 1\nChapter 2\nand more",
    "1 is a number\nnot 2 words\nno",
  ])
    assert.equal(tableOf(text), null, text);
});

test("files are called by the folder that holds them all, or by the only one", () => {
  assert.equal(titleOf([file("pets/cats/1.png"), file("pets/dogs/1.png")]), "pets");
  assert.equal(titleOf([file("points.v2.csv")]), "points.v2");
  assert.equal(titleOf([file("a/1.png"), file("b/2.png")]), "");
  assert.equal(titleOf([file("a/1.png"), file("2.png")]), "");
});
