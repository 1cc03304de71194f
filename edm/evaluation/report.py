"""What an evaluation finds, and reports of several models and settings as one table."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from edm.sampling.settings import Sampling


@dataclass(frozen=True)
class Report:
    """How good samples of a model are, and its denoiser at each noise level.

    dataset: what they were compared with; reference: how many samples of it. count: samples drawn, with `sampling`;
    evaluations: calls of the denoiser for each; seconds: of sampling.
    Images: frechet (d², in the units of `features`, which says what those are), precision and recall (0 to 1).
    Points: sliced_wasserstein, in the data's units. floor: what true samples read in place of the model's.
    sigmas, loss, score_error: noise levels inside the model's range; E‖D − y‖²/d at each on validation samples; the
    error of the score at each, see `edm.evaluation.scores`, where the data has an exact denoiser.
    """

    dataset: str
    reference: int
    count: int
    sampling: Sampling
    evaluations: int
    seconds: float
    floor: float
    sigmas: tuple[float, ...]
    loss: tuple[float, ...]
    score_error: tuple[float, ...] | None = None
    features: str | None = None
    frechet: float | None = None
    precision: float | None = None
    recall: float | None = None
    sliced_wasserstein: float | None = None

    @property
    def distance(self) -> float:
        """The number to compare by: Fréchet for images, sliced Wasserstein for points; less is better."""
        found = self.sliced_wasserstein if self.frechet is None else self.frechet
        assert found is not None  # a report has one of the two
        return found

    @property
    def distance_name(self) -> str:
        """What `distance` is, in words."""
        return "Fréchet distance" if self.sliced_wasserstein is None else "sliced Wasserstein distance"

    def document(self) -> dict:
        """As plain JSON data, without what does not apply."""
        fields = {**asdict(self), "sampling": self.sampling.document()}
        return {name: value for name, value in fields.items() if value is not None}


def markdown(rows: list[tuple[str, list[Report]]]) -> str:
    """A Markdown table: a row for each (title, reports), a column for each number of steps, the distance in it.

    The number of evaluations stands in the heading where all rows agree in it, else beside each distance. A last row
    for each dataset says what true samples read; below is what was measured. Rows must have reports of the same steps.
    """
    columns = list(zip(*(reports for _, reports in rows), strict=True))
    alike = all(len({report.evaluations for report in column}) == 1 for column in columns)
    headings = [f"N = {column[0].sampling.steps}" for column in columns]
    if alike:
        headings = [
            f"{heading}, {column[0].evaluations} NFE" for heading, column in zip(headings, columns, strict=True)
        ]
    lines = [["model", *headings], ["---", *("--:" for _ in columns)]]
    for title, reports in rows:
        cells = [f"{report.distance:.3g}" for report in reports]
        if not alike:
            cells = [f"{cell} ({report.evaluations} NFE)" for cell, report in zip(cells, reports, strict=True)]
        lines.append([title, *cells])
    floors = {report.dataset: report.floor for _, reports in rows for report in reports}
    for dataset, floor in floors.items():
        of = f" of {dataset}" if len(floors) > 1 else ""
        lines.append([f"*true samples{of}*", *(f"*{floor:.3g}*" for _ in columns)])
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
    measured: dict[str, list[str]] = {}
    for report in (report for _, reports in rows for report in reports):
        measured.setdefault(_measure(report), []).append(report.dataset)
    said = [f"{measure} of {', '.join(dict.fromkeys(datasets))}" for measure, datasets in measured.items()]
    return f"{table}\n\n{'; '.join(said)}; less is better."


def _measure(report) -> str:
    name = report.distance_name
    features = f" in {report.features}" if report.features else ""
    return f"{name[0].upper()}{name[1:]}{features} of {report.count} samples to {report.reference}"
