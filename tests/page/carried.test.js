import assert from "node:assert/strict";
import { test } from "node:test";
import { carriedBy } from "../../assets/page/shared/carried.js";

const bytes = (text) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
const chunk = (name, data) => `${String.fromCharCode(0, 0, 0, data.length)}${name}${data}CRC_`;
const png = (...chunks) => bytes(`\x89PNG\r\n\x1a\n${chunks.join("")}`);

test("a PNG carries the text under our key, wherever it stands", () => {
  const settings = chunk("iTXt", "edm\0\0\0\0\0{\xc3\xa9}");
  assert.equal(carriedBy(png(chunk("IHDR", "x"), settings)), "{é}");
  assert.equal(carriedBy(png(chunk("iTXt", "edmonton\0\0\0\0\0x"), chunk("IDAT", "data"), settings)), "{é}");
  assert.equal(carriedBy(png(chunk("tEXt", "edm\0{}"), chunk("IEND", ""))), null);
});

test("a GIF carries the comment that begins with our key", () => {
  const head = "GIF89a\x01\0\x01\0\x80\0\0abcdef"; // two colours
  const loop = "!\xff\x0bNETSCAPE2.0\x03\x01\0\0\0";
  assert.equal(carriedBy(bytes(`${head}${loop}!\xfe\x05edm {\x01}\0,`)), "{}");
  assert.equal(carriedBy(bytes(`${head}!\xfe\x02hi\0,`)), null);
});

test("what is cut or no picture carries nothing, and ends", () => {
  assert.equal(carriedBy(png("\xff\xff\xff\xffiTXtedm")), null);
  assert.equal(carriedBy(bytes("GIF89a\x01\0\x01\0\0\0\0!\xfe\xffedm")), null);
  assert.equal(carriedBy(bytes("GIF8")), null);
  assert.equal(carriedBy(bytes("hello")), undefined);
  assert.equal(carriedBy(new Uint8Array()), undefined);
});
