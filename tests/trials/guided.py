"""What guidance gains and costs: the measurement that ships, made anew.

python -m tests.trials guidance          # the table of `edm.evaluation.measured`; about half an hour of two cores
python -m app.work.guided_runs FOLDER    # the same, resumed from FOLDER, and written down for the page
"""

from __future__ import annotations

from app.work import guided_runs


def guidance(folder, dice):
    """Precision, recall and distance of digits over the weights of every kind of guidance, and over intervals."""
    found = {}
    for name, report in guided_runs.measured(str(folder / "kept")):
        found[name] = report
        known = guided_runs.recorded().get(name)
        yield f"{name}: {report.frechet:.4f}" + (f", recorded {known.frechet:.4f}" if known else "")
        assert known is None or abs(report.frechet - known.frechet) < 1e-3, "what ships reads otherwise"
    yield from ["", *guided_runs.tables(found).splitlines()]
