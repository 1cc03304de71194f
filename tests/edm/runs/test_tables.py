"""What a run has measured, as a table."""

import io
import json
import math

import pandas as pd
import pytest

from edm import runs
from edm.__main__ import main
from edm.training.loop import train
from edm.training.recording import record
from tests.edm.runs import points


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A runs folder with one run, moons, of two ticks."""
    place = tmp_path_factory.mktemp("runs")
    for _ in record(train(points()), place / "moons"):
        pass
    return place


def test_a_run_s_history_is_a_table_of_what_its_file_holds(folder):
    lines = [json.loads(line) for line in (folder / "moons" / "metrics.jsonl").read_text().splitlines()]
    table = runs.history("moons", folder)
    assert table.index.name == "images" and table.index.tolist() == [line["images"] for line in lines] == [320, 640]
    for name in ("loss", "seconds", "rate", "nonfinite"):
        assert table[name].tolist() == [line[name] for line in lines]
    assert table.filter(like="σ = ").to_numpy().tolist() == [line["validation"] for line in lines]
    assert len(set(table)) == 4 + len(lines[0]["sigmas"])
    pd.testing.assert_frame_equal(runs.history(folder / "moons"), table)


def test_the_command_prints_the_table_as_csv_or_writes_it(folder, tmp_path, capsys):
    assert main(["runs", "history", "moons", f"--runs={folder}"]) == 0
    printed = capsys.readouterr().out
    assert main(["runs", "history", "moons", f"--runs={folder}", f"--out={tmp_path / 'moons.csv'}"]) == 0
    assert (tmp_path / "moons.csv").read_bytes().decode() == printed
    pd.testing.assert_frame_equal(pd.read_csv(io.StringIO(printed), index_col="images"), runs.history("moons", folder))


def test_what_is_not_measured_is_nan_and_costs_no_other_line(tmp_path):
    (tmp_path / "metrics.jsonl").write_text(
        '{"images": 1, "loss": NaN, "sigmas": [0.1, 1], "validation": [2, null]}\nhello\n'
        '{"images": 2, "loss": "much", "sigmas": 3}\n{"images": 3, "loss": 0.5, "sigmas": [1], "validation": [4]}\n'
        '{"images": 4, "lo'
    )
    table = runs.history(tmp_path)
    assert table.index.tolist() == [1, 2, 3] and list(table.filter(like="σ")) == ["σ = 0.1", "σ = 1"]
    assert [*map(math.isnan, table["loss"])] == [True, True, False]
    assert table["σ = 1"].dropna().to_dict() == {3: 4.0} and table["σ = 0.1"].dropna().to_dict() == {1: 2.0}


def test_a_run_that_has_measured_nothing_is_an_empty_table_and_one_that_is_not_there_a_sentence(tmp_path):
    assert runs.history(tmp_path).empty
    with pytest.raises(ValueError, match="there is no run 'moons'"):
        runs.history("moons", tmp_path)
