"""Ranges as people write them."""

import math
import random
from itertools import pairwise

import pytest

import edm
from edm.base.fields import SettingsError
from edm.diagnostics import MAX_VALUES, parse_range
from edm.diagnostics.ranges import sweepable
from edm.timesteps import DISCRETIZATIONS


@pytest.mark.parametrize(
    ("text", "knob", "values"),
    [
        ("1-10 (+2)", "steps", [1, 3, 5, 7, 9]),
        ("10-1 (-3)", "rho", [10, 7, 4, 1]),
        ("10−1 (−3)", "rho", [10, 7, 4, 1]),
        ("0,10,30,80", "S_churn", [0, 10, 30, 80]),
        ("0.002-0.2 (x10)", "sigma_min", [0.002, 0.02, 0.2]),
        ("0.002–0.2(*10)", "sigma_min", [0.002, 0.02, 0.2]),
        ("80-10 (/2)", "sigma_max", [80, 40, 20, 10]),
        ("1e-3-1e-1 (×10)", "sigma_min", [0.001, 0.01, 0.1]),
        ("0.1-0.5 (+0.1)", "rho", [0.1, 0.2, 0.3, 0.4, 0.5]),
        ("1-5 [9]", "rho", [1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5]),
        ("0.01-1 [3]", "S_tmin", [0.01, 0.1, 1]),
        ("1-64 [5]", "steps", [1, 17, 32, 48, 64]),
        ("2-5", "steps", [2, 3, 4, 5]),
        ("5-5 (+1)", "rho", [5]),
        ("1-4 (+100)", "rho", [1]),
        ("0, 1-8 (x2), 50, ∞, inf", "S_tmax", [0, 1, 2, 4, 8, 50, math.inf]),
        ("Euler , heun", "solver", ["euler", "heun"]),
        ("all", "discretization", list(DISCRETIZATIONS)),
        ("none, 0.002", "sigma_min", [None, 0.002]),
        ("two_moons,digits_edm", "model", ["two_moons", "digits_edm"]),
    ],
)
def test_what_is_written_is_what_is_meant(text, knob, values):
    assert parse_range(text, knob) == values


def test_values_have_the_type_of_the_knob():
    assert all(type(value) is int for value in parse_range("1e0-9 (+4), 20", "steps"))
    assert all(type(value) is float for value in parse_range("1-9 (+4)", "rho"))


def test_steps_lead_from_end_to_end_whatever_the_numbers():
    """Random ranges: decimal steps land on the end exactly, and never beyond it."""
    draw = random.Random(0)
    for _ in range(200):
        first, step, count = draw.randint(0, 500), draw.randint(1, 99), draw.randint(2, MAX_VALUES)
        last = first + step * (count - 1)
        a, b, s = (f"{n / 100:.2f}" for n in (first, last, step))
        up, down = parse_range(f"{a}-{b} (+{s})", "S_churn"), parse_range(f"{b}-{a} (-{s})", "S_churn")
        assert up == [round((first + k * step) / 100, 2) for k in range(count)] == down[::-1]
        low, high = (first + 1) / 100, (last + 1) / 100
        spaced = parse_range(f"{low}-{high} [{count}]", "S_tmin")  # a log knob: equal ratios
        assert spaced[0] == low and spaced[-1] == high and len(spaced) == count
        ratios = [after / before for before, after in pairwise(spaced)]
        assert max(ratios) == pytest.approx(min(ratios), rel=1e-9)


@pytest.mark.parametrize(
    ("text", "knob", "said"),
    [
        ("", "rho", "no values"),
        (" , ", "rho", "comma"),
        ("10-1 (+3)", "rho", r"never arrives.*write 10-1 \(-3\)"),
        ("1-10 (-3)", "rho", r"never arrives.*write 1-10 \(\+3\)"),
        ("1-10 (+0)", "rho", "never arrives"),
        ("1-8 (x1)", "rho", "never arrives"),
        ("1-8 (x0.5)", "rho", "never arrives"),
        ("8-1 (x2)", "rho", r"write 8-1 \(/2\)"),
        ("1-8 (x0)", "rho", "never arrives"),
        ("1-8 (/0)", "rho", "never arrives"),
        ("0-8 (x2)", "S_churn", "write 0 by itself"),
        ("0-1 [5]", "S_tmin", "0 must stand by itself"),
        ("1-5", "rho", r"needs a step.*write 1-5 \[5\]"),
        ("1-5 [1]", "rho", "asks for 1 values"),
        ("1-10 (2)", "rho", "cannot be read after 10"),
        ("1;2", "rho", "cannot be read; write"),
        ("nan", "rho", "cannot be read"),
        ("1-inf (+1)", "S_tmax", "cannot be read"),
        ("٣", "S_churn", "cannot be read"),
        ("0-1e12 (+1)", "S_churn", r"1\.00e\+12 values; an axis holds 64"),
        ("1-1e12 (x1.0000001)", "S_churn", r"e\+8 values; an axis holds 64"),
        ("1-2 [999999999999]", "S_churn", "asks for 999999999999 values"),
        ("1-60 (+1), 61-90 (+1)", "S_churn", "more than 64 values"),
        ("1e999999999-2 (+1)", "S_churn", "too large or too small"),
        ("1-8 (x1e-400)", "S_churn", "too large or too small"),
        ("-3--1 (+1)", "S_churn", "S_churn = -3.*at least 0"),
        ("101", "rho", "at most 100"),
        ("inf", "rho", "at most 100"),
        ("1-2 (+0.5)", "steps", "whole number"),
        ("none", "rho", "a number"),
        ("euler,rk4", "solver", "rk4.*must be one of euler, heun"),
        ("all", "rho", "cannot be read"),
        ("nobody", "model", "nobody.*must be one of"),
        ("1", "sigmas", "cannot be an axis"),
        ("1", "colour", "cannot be an axis"),
    ],
)
def test_what_cannot_be_meant_gets_a_sentence_with_the_remedy(text, knob, said):
    with pytest.raises(edm.SettingsError, match=said):
        parse_range(text, knob)


def test_hostile_text_is_answered_and_never_hangs():
    """Backtracking in some of these, or counting one by one, would take longer than anybody waits for a test."""
    draw, alphabet = random.Random(1), "0123456789.-+eE,()[]x*/∞ infaleur\x00٣\n"
    texts = ["".join(draw.choices(alphabet, k=draw.randint(1, 40))) for _ in range(500)]
    texts += [c * 1990 for c in alphabet] + ["9" * 990 + "-" + "9" * 990 + "(", "1-2 " * 480, "[" * 900 + "(" * 900]
    texts += ["1-9 (+1e-300)", "1e300-1e-300 (/1.0000000000000000000001)", "1," * 900, "9" * 10**6]
    for text in texts:
        for knob in ("rho", "steps", "S_tmax", "solver"):
            try:
                assert 1 <= len(parse_range(text, knob)) <= MAX_VALUES
            except edm.SettingsError as error:
                assert knob in str(error) and len(str(error)) < 400


def test_every_knob_but_lists_can_be_an_axis():
    lists = {"sigmas", "points", "sampling"}
    assert set(sweepable()) == {*edm.Sampling.model_fields, *edm.Experiment.model_fields} - lists
    for knob in sweepable():
        default = {**edm.Sampling().model_dump(), **edm.Experiment().model_dump()}[knob]
        assert parse_range("none" if default is None else str(default), knob) == [default]


def test_intervals_are_written_as_two_levels():
    assert parse_range("none, 0.3-3, 0…1, 1 to 80", "guidance_interval") == [None, (0.3, 3), (0, 1), (1, 80)]
    for text, words in (("0.5", "is one noise level"), ("0-1 (+0.1)", "one interval"), ("3 - 1", "noise levels")):
        with pytest.raises(SettingsError, match=words):
            edm.Experiment(guidance_interval=parse_range(text, "guidance_interval")[0])
    assert parse_range("free,auto", "guidance") == ["free", "auto"]
    assert parse_range("digits_edm_020k,none", "guide") == ["digits_edm_020k", None]
