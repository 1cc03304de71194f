"""Samples measured over the weights of guidance: the same latents for all, and one table of what is found."""

import json

import pytest

import edm
from edm.__main__ import main
from edm.evaluation import Progress, Weighed, evaluate, over_weights, weighed

FEW = edm.Sampling(steps=3)
EXACT = edm.Experiment(model="digits", guidance="free", sampling=FEW)


@pytest.fixture(scope="module")
def found():
    """Of exact digits at three weights."""
    return list(over_weights(EXACT, [1, 1.5, 6], count=60, reference=200))


def reports(events):
    return {event.weight: event.report for event in events if isinstance(event, Weighed)}


def test_progress_runs_over_all_weights_and_each_report_comes_when_it_is_finished(found):
    assert list(reports(found)) == [1, 1.5, 6]
    done = [event.done for event in found if isinstance(event, Progress)]
    assert done == sorted(done) and {event.total for event in found if isinstance(event, Progress)} == {180}
    assert isinstance(found[-1], Weighed)


def test_a_weight_of_no_guidance_reads_what_the_model_alone_does(found):
    alone = edm.last(evaluate(edm.data.load("digits").denoiser, "digits", FEW, count=60, reference=200, intervals=True))
    one = reports(found)[1]
    assert (one.frechet, one.precision, one.intervals) == (alone.frechet, alone.precision, alone.intervals)
    assert one.evaluations == alone.evaluations < reports(found)[6].evaluations


def test_a_model_has_to_leave_the_class_open():
    with pytest.raises(ValueError, match="leave the class open"):
        over_weights(EXACT.changed(label=3), [1])
    with pytest.raises(ValueError, match="no weights"):
        over_weights(EXACT, [])


def test_what_is_kept_is_not_drawn_again(found, tmp_path, monkeypatch):
    asked = {"count": 60, "reference": 200, "keep": tmp_path}
    first = reports(over_weights(EXACT, [1.5], **asked))
    kept = sum(path.stat().st_mtime_ns for path in tmp_path.rglob("*.npy"))
    again = list(over_weights(EXACT, [1.5], **asked))
    assert first[1.5].intervals == reports(again)[1.5].intervals == reports(found)[1.5].intervals
    assert kept == sum(path.stat().st_mtime_ns for path in tmp_path.rglob("*.npy"))
    assert {event.done for event in again if isinstance(event, Progress)} == {0, 60}


def test_the_verdict_says_where_the_distance_is_least_and_whether_that_is_chance(found):
    events = [event for event in found if isinstance(event, Weighed)]
    said, by_weight = weighed.verdict(events, 1), reports(found)
    best = min((1.5, 6), key=lambda weight: by_weight[weight].frechet)
    assert f"at w = {best:g}; without it is {by_weight[1].frechet:.3f}" in said
    assert weighed.verdict(events, None) == "" == weighed.verdict(events[:1], 1)
    assert weighed.gain(by_weight[1], by_weight[1]).startswith("no difference beyond chance")
    low, high = weighed.gain(by_weight[1], by_weight[6]), weighed.gain(by_weight[6], by_weight[1])
    assert low.startswith("less") and high.startswith("more")


def command(capsys, *arguments):
    quick = ("--guidance=free", "--steps=2", "--count=40", "--reference=60", "--device=cpu")
    assert main(["evaluate", "digits", *quick, *arguments]) == 0
    return capsys.readouterr()


def test_the_command_prints_one_table_with_intervals(capsys):
    out, progress = command(capsys, "--guidance-weights=1,2")
    lines = out.splitlines()
    assert lines[0].split() == ["w", "NFE", "Fréchet", "distance", "precision", "recall", "inception", "score"]
    assert [line.split()[:2] for line in lines[1:3]] == [["1", "3"], ["2", "6"]]
    assert "jackknife" in out and "without it is" in lines[-1] and progress.count("40 samples") == 2
    table, _ = command(capsys, "--guidance-weights=1,2", "--markdown")
    assert table.startswith("| model | w | NFE | Fréchet distance |") and table.count("| digits | ") == 2
    told = json.loads(command(capsys, "--guidance-weights=2", "--json").out)
    assert told[0]["guidance"] == "free" and told[0]["guidance_weight"] == 2
    assert told[0]["intervals"]["recall"]["low"] <= told[0]["recall"]
    assert "2 evaluations" not in command(capsys, "--guidance_weight=2").out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["digits", "--guidance-weights=1,2"], "needs a guidance: add --guidance"),
        (["digits", "--guidance=free", "--guidance-weights=many"], "many"),
        (["digits", "--guidance=tilted", "--guidance_weight=2"], "one population"),
        (["digits", "--guidance=fancy"], "guidance = 'fancy'"),
        (["two_moons_mlp", "--guidance=auto", "--guide=spiral_mlp", "--guidance-weights=2"], "of images"),
        (["digits", "--guidance=free", "--guidance-weights=2", "--queue"], "one weight"),
    ],
)
def test_mistakes_are_sentences(arguments, words, capsys):
    assert main(["evaluate", *arguments, "--count=40", "--steps=2"]) == 2
    assert words in capsys.readouterr().err
