"""Random numbers have purposes: each with a number of its own, which it has had from the beginning."""

import ast
from pathlib import Path

import numpy as np
import pytest

import edm
from edm.base import streams
from edm.base.streams import Purpose
from edm.sampling.noise import latents, noise_source

NUMBERS = {
    "LATENT": 0, "CHURN": 1, "RESAMPLE": 2, "LOW": 3, "LOW_IMAGE": 4, "ORDER": 16, "SIGMA": 17, "NOISE": 18,
    "AUGMENT": 19, "DATA": 21, "VALIDATION": 22, "DROPOUT": 23, "LOOK": 24, "LOW_SIGMA": 25, "LOW_NOISE": 26,
    "SCENE": 92, "TRUE_LABEL": 231, "TRUE_SAMPLE": 232,
}  # fmt: skip
FIRST = {  # uniforms(5, purpose, [3], 1)
    Purpose.SIGMA: "0x1.7a146be56e226p-1",
    Purpose.VALIDATION: "0x1.ce95ceb24e802p-1",
    Purpose.SCENE: "0x1.18fb38167542ap-1",
}


def test_every_purpose_keeps_its_number():
    assert {name: int(purpose) for name, purpose in Purpose.__members__.items()} == NUMBERS


@pytest.mark.parametrize("purpose", FIRST, ids=lambda purpose: purpose.name)
def test_what_is_drawn_is_what_has_always_been_drawn(purpose):
    assert float(streams.uniforms(5, purpose, [3], 1)[0, 0]).hex() == FIRST[purpose]


def test_a_sample_s_latent_and_its_noise_are_drawn_for_different_purposes():
    latent, noise = latents([7], (4,)), noise_source([7])(0, latents([7], (4,)))
    for purpose, found in ((0, latent), (1, noise)):
        expected = np.random.default_rng([7, purpose]).standard_normal(4).astype(np.float32)
        assert found[0].tolist() == expected.tolist()


def test_nobody_draws_for_a_purpose_without_a_name():
    for file in Path(edm.__file__).parent.rglob("*.py"):
        for call in (node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)):
            if ast.unparse(call.func).rpartition(".")[2] in ("uniforms", "normals") and file.name != "streams.py":
                purpose = ast.unparse(call.args[1])
                assert purpose.rpartition(".")[0].endswith("Purpose"), f"{file.name}: {ast.unparse(call)}"
