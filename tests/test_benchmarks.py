"""What the benchmarks count, and when they fail. Nothing is measured here, and no server is started."""

import asyncio
import base64
import json
import math
import random
import subprocess
import time
from types import SimpleNamespace

import numpy as np
import pytest

from edm.base import precisions
from tests.benchmarks import __main__ as command
from tests.benchmarks import before
from tests.benchmarks.crowd import SAMPLES, STEPS, Crowd, Tally, levels, states_of, visit
from tests.benchmarks.protocol import Fault, Lines
from tests.benchmarks.sides import Sides
from tests.benchmarks.table import Row, heading, interval, machine
from tests.benchmarks.visitors import outcome
from tests.loop import run


def test_the_interval_of_nine_goes_from_the_second_to_the_eighth():
    assert interval([5, 1, 4, 2, 9, 3, 8, 7, 6]) == (2, 8)


@pytest.mark.parametrize("count", [6, 9, 12, 25])
def test_the_interval_holds_the_median_95_times_in_100(count):
    dice, held = random.Random(count), 0
    for _ in range(2000):
        low, high = interval([dice.expovariate(1) for _ in range(count)])
        held += low <= math.log(2) <= high
    assert 0.94 < held / 2000 < 1
    narrower = interval(range(count))[0] + 2  # values outside on each side, if it went one further in
    assert 2 * sum(math.comb(count, k) for k in range(narrower)) / 2**count > 0.05


SLOW, FAST = (1.1,) * 9, (1.4,) * 9


@pytest.mark.parametrize(
    ("row", "met", "failed"),
    [
        (Row("a time", 400, "ms", 50), False, False),
        (Row("a ratio", 1, asked=1.35, more=True, ratios=FAST), True, False),
        (Row("a ratio", 1, asked=1.35, more=True, ratios=SLOW), False, True),
        (Row("of few repeats", 1, asked=1.35, more=True, ratios=SLOW[:8]), False, False),
        (Row("not surely", 1, asked=1.35, more=True, ratios=(1.3,) * 7 + (1.36,) * 2), False, False),
        (Row("a cost", None, asked=1.02, ratios=SLOW), False, True),
        (Row("a cost", None, asked=1.2, ratios=SLOW), True, False),
        (Row("not asked", 1, ratios=SLOW), None, False),
    ],
    ids=lambda value: value.what if isinstance(value, Row) else "",
)
def test_only_a_ratio_that_is_surely_not_what_is_asked_fails(row, met, failed):
    assert (row.met, row.failed) == (met, failed)


def test_a_line_says_figure_budget_and_what_was_before():
    ratios = (1.3, 1.31, 1.32, 1.33, 1.36, 1.37, 1.38, 1.39, 1.4)
    said = Row("a network", 82.34, "ms", 1.35, 112.1, more=True, ratios=ratios).line().split("  ")
    assert [part.strip() for part in said if part.strip()] == [
        "a network",
        "≥ 1.35 ×",
        "met",
        "112 → 82.3 ms, 1.36 × [1.31, 1.39]",
    ]
    assert Row("lost", 3, "", 0).line().split() == ["lost", "≤", "0", "missed", "3"]
    assert Row("rate", 28.4, "", before=10).line().split() == ["rate", "10", "→", "28.4"]


def test_the_heading_names_the_machine_and_says_where_there_is_nothing_to_compare_with(tmp_path, monkeypatch):
    assert "torch" in machine() and "cores" in machine() and "/" not in machine().replace("AVX", "")
    assert "is not here" in heading("abc", False) and "abc → now" in heading("abc", True)
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    monkeypatch.setattr(before, "ROOT", tmp_path)
    with before.tree_before() as tree:
        assert tree is None


@pytest.mark.parametrize(("ratios", "code"), [(SLOW, 1), (FAST, 0)])
def test_the_exit_code_is_that_of_the_ratios(ratios, code, monkeypatch, capsys):
    rows = [Row("missed", 400, "ms", 50), Row("a ratio", 1, asked=1.35, more=True, ratios=ratios)]
    monkeypatch.setattr(command, "part", lambda name: SimpleNamespace(rows=lambda options, tree: rows))
    monkeypatch.setattr(before, "BEFORE", "no-such-commit")
    assert command.main(["network"]) == code
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()[-2:]] == ["missed", "a"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["visitors", "--model", "digits"], "name one in the plane, such as eight_gaussians"),
        (["visitors", "--model", "no-such"], "no-such"),
        (["visitors", "--lesson", "no-such"], "no-such"),
        (["visitors", "--count", "0"], "--count must be more than 0, and finite"),
        (["visitors", "--seconds", "inf"], "--seconds must be more than 0, and finite"),
    ],
)
def test_what_cannot_be_measured_is_refused_in_a_sentence(arguments, said, capsys):
    try:
        code = command.main(arguments)
    except SystemExit as ended:
        code = ended.code
    assert code == 2 and said in capsys.readouterr().err


CROWD = Crowd("", visitors=3, seconds=0.12, every=0.02)


def answer(serial, rho, cut=0, **changes):
    states = np.random.default_rng(serial).normal(size=(STEPS + 1, SAMPLES, 2)).astype("<f4")
    x = base64.b64encode(states.tobytes()[: states.nbytes - cut]).decode()
    run = {"index": list(range(STEPS + 1)), "count": SAMPLES, "x": x, **changes}
    return {"serial": serial, "finished": True, "body": {"levels": levels(rho).tolist(), "run": run}}


def test_an_answer_that_is_right_is_its_states():
    found = states_of(json.dumps(answer(3, 7.0)), 3, 7.0)
    assert found.shape == (STEPS + 1, SAMPLES, 2)


NAN = base64.b64encode(np.full((STEPS + 1, SAMPLES, 2), np.nan, "<f4").tobytes()).decode()


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (answer(4, 7.0), "serial"),
        ({"serial": 3, "finished": True, "error": "N is too small"}, "N is too small"),
        (answer(3, 7.0) | {"finished": False}, "preview"),
        (answer(3, 6.9), "another state"),
        (answer(3, 7.0, cut=12), "particles"),
        (answer(3, 7.0, count=399), "particles"),
        (answer(3, 7.0, index=[0, 40]), "levels"),
        (answer(3, 7.0, x=NAN), "finite"),
        (answer(3, 7.0, x="AAA"), "cut off"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_answer_that_is_wrong_in_any_way_is_lost(wrong, why):
    with pytest.raises(Fault, match=why):
        states_of(json.dumps(wrong), 3, 7.0)


def test_a_move_that_waits_while_a_newer_one_comes_is_overtaken_and_not_lost():
    tally = Tally()
    assert tally.take() is None
    for move in range(3):
        tally.due(move, 0.1 * move)
    assert tally.take() == (2, 0.2) and tally.take() is None
    assert (tally.asked, tally.overtaken, tally.faults) == (1, 2, [])


class Side:
    """One side of a comparison: it computes a number, or `halved` in bf16, and takes so many seconds for it; `prepared`
    is what it was asked for."""

    def __init__(self, number, seconds, halved=2.03):
        self.numbers, self.seconds, self.prepared = {"fp32": number, "bf16": halved}, seconds, []

    def ask(self, prepare=None, times=None, **arguments):
        if prepare is None:
            return {"seconds": self.seconds}
        self.prepared.append(arguments["with"])
        return {"check": [1, self.numbers[self.prepared[-1]["precision"]]]}


def compared(now, before=None):
    return list(Sides(now, before).rows("network", "5 M", {"channels": 64}, "cpu", 1.35))


def test_bf16_is_judged_beside_the_float32_of_before_and_float32_must_not_be_slower(monkeypatch):
    monkeypatch.setattr(precisions, "fast_bf16", lambda device: device.type == "cpu")
    now, before = Side(2, 0.05), Side(2, 0.1)
    same, halved = compared(now, before)
    assert (same.asked, halved.asked) == (1, 1.35) and "± 2 %" in halved.what and "bf16" not in same.what
    assert (halved.now, halved.before, halved.ratios) == (50, 100, (2.0,) * 9) and halved.met
    exact = {"channels": 64, "device": "cpu", "precision": "fp32"}
    assert now.prepared == [exact, {**exact, "precision": "bf16"}] and before.prepared == [exact] * 2


def test_a_processor_without_bf16_is_judged_by_its_float32(monkeypatch):
    monkeypatch.setattr(precisions, "fast_bf16", lambda device: False)
    (row,) = compared(Side(2, 0.1), Side(2, 0.1))
    assert (row.asked, row.failed) == (1.35, True)
    (alone,) = compared(Side(2, 0.1))
    assert (alone.now, alone.before, alone.ratios, alone.failed) == (100, None, (), False)


@pytest.mark.parametrize("now", [Side(2.001, 0.1), Side(2, 0.1, halved=2.1)], ids=["fp32", "bf16"])
def test_sides_that_compute_something_else_are_not_compared(now, monkeypatch):
    monkeypatch.setattr(precisions, "fast_bf16", lambda device: True)
    with pytest.raises(AssertionError, match="apart"):
        compared(now, Side(2, 0.1))
    assert len(now.prepared) == (1 if now.numbers["fp32"] != 2 else 2)


class Slow:
    """A client whose first answer comes when all moves are due; the moves that it was asked for."""

    def __init__(self, fault=None):
        self.asked, self.fault = [], fault

    async def ask(self, event, message):
        self.asked.append(message["serial"] - 2)
        await asyncio.sleep(CROWD.seconds if len(self.asked) == 1 else 0)
        if self.fault:
            raise self.fault
        return json.dumps(answer(message["serial"], float(message["values"]["rho"])))


def visited(client):
    tally, kept = Tally(), []

    async def one():
        await visit(CROWD, client, 1, time.perf_counter(), tally, lambda *pair: kept.append(pair))

    run(one())
    return tally, kept


def test_a_visitor_has_one_question_on_its_way_and_asks_for_the_newest_when_the_answer_is_there():
    client = Slow()
    tally, kept = visited(client)
    assert client.asked[0] == 0 and client.asked[-1] == 5 and len(client.asked) < 4
    assert tally.asked == len(client.asked) == len(tally.took) == len(kept)
    assert tally.asked + tally.overtaken == 6 and not tally.faults
    assert tally.took[0] >= CROWD.seconds  # from when it was due


@pytest.mark.parametrize(
    ("fault", "why"),
    [(TimeoutError(), "no answer in"), (ConnectionResetError("reset"), "reset"), (Fault("HTTP/1.1 500"), "500")],
)
def test_a_question_without_an_answer_is_lost_and_the_visitor_goes_on(fault, why):
    tally, kept = visited(Slow(fault))
    assert len(tally.faults) == tally.asked > 1 and all(why in said for said in tally.faults)
    assert not kept and not tally.took


def test_no_two_moves_ask_for_the_same_state():
    crowd = Crowd("", visitors=100)
    states = [crowd.message(visitor, move)["values"]["rho"] for visitor in range(100) for move in range(-1, 120)]
    assert len(set(states)) == len(states)


def test_all_visitors_together_make_one_line():
    first = {"took": [0.1, 0.2], "asked": 3, "overtaken": 1, "faults": ["no answer in 12 s"]}
    second = {"took": [0.3, 0.4, 4.0], "asked": 3, "overtaken": 0, "faults": []}
    found = outcome(Crowd("", visitors=2, seconds=10), [first, second], 0.03, 0.1, 1)
    assert found.line() == "2 visitors: 5 answers, p50 300 ms, p95 3280 ms, lost 2"
    assert "6 moves were asked for, 1 were overtaken" in found.more() and "1 answers took more than 3 s" in found.more()
    assert "2 to 3 answers" in found.more() and "20.0 ms" in found.more() and "not what the library" in found.more()


def test_lines_are_read_in_whatever_pieces_they_come():
    """Questions on one connection, each answered in chunks; the last is cut off."""
    serials = []

    async def serve(reader, writer):
        while head := await reader.readuntil(b"\r\n\r\n"):
            length = int(head.lower().partition(b"content-length: ")[2].split()[0])
            document = json.loads(await reader.readexactly(length))
            serials.append((head.split()[1], document["serial"]))
            body = b'{"first": 1}\n{"last": "\xc3\xa9"}\n'
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for piece in (body[:5], body[5:20], body[20:]):
                writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                await writer.drain()
            if document["serial"] == 3:
                break
            writer.write(b"0\r\n\r\n")
        writer.close()

    async def ask():
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            client = Lines(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
            found = [await client.ask("ask", {"serial": serial}) for serial in (1, 2)]
            with pytest.raises(EOFError):
                await client.ask("ask", {"serial": 3})
            client.leave()
            return found

    assert run(ask()) == ['{"last": "é"}'] * 2
    assert serials == [(b"/explorer-ask/ask", serial) for serial in (1, 2, 3)]
