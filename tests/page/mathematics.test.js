import assert from "node:assert/strict";
import test from "node:test";
import { markup, parse, plain } from "../../assets/page/shared/mathematics.js";

test("what stands below and above a symbol is set below and above it", () => {
  assert.equal(
    markup("(σ_max^(1/ρ) + i/(N−1)·(σ_min^(1/ρ) − σ_max^(1/ρ)))^ρ"),
    "(σ<sub>max</sub><sup>1/ρ</sup> + i/(N−1)·(σ<sub>min</sub><sup>1/ρ</sup> − σ<sub>max</sub><sup>1/ρ</sup>))<sup>ρ</sup>",
  );
  assert.equal(
    markup("σ_max²·(σ_min²/σ_max²)^(i/(N−1))"),
    "σ<sub>max</sub>²·(σ<sub>min</sub>²/σ<sub>max</sub>²)<sup>i/(N−1)</sup>",
  );
  assert.equal(markup("u_⌊j₀ + ½⌋, u_j, u_{j+1}"), "u<sub>⌊j₀ + ½⌋</sub>, u<sub>j</sub>, u<sub>j+1</sub>");
  assert.equal(markup("|D_θ − D*| at σ_data = 0.5"), "|D<sub>θ</sub> − D*| at σ<sub>data</sub> = 0.5");
});

test("what stands under a root is one part, with its own scripts", () => {
  const [root] = parse("√(e^(½β_d·t² + β_min·t) − 1)");
  assert.ok("root" in root);
  assert.equal(markup("√(σ² + σ_data²)"), "√(σ² + σ<sub>data</sub>²)");
  assert.equal(parse("√t").length, 1);
});

test("the names of runs and models, and what is HTML already, stay as they are", () => {
  for (const text of [
    "two_moons_mlp",
    "my_min",
    "a_1",
    "v_2 and x_test",
    "S<sub>noise</sub> = 1",
    "2^",
    "(open",
    "run_max_3",
  ])
    assert.equal(markup(text), text);
});

test("where nothing can be set, what stands below follows after a space", () => {
  assert.equal(plain("S_churn"), "S churn");
  assert.equal(plain("steps"), "steps");
});
