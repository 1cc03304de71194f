"""What an evaluation finds, and reports of several models and settings as one table."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from edm.evaluation.estimates import Interval
from edm.evaluation.features import INCEPTION
from edm.sampling.settings import Sampling


@dataclass(frozen=True)
class Report:
    """How good samples of a model are, and its denoiser at each noise level.

    dataset: what they were compared with; reference: how many samples of it, where that is known; statistics: the name
    of the file that says how they are spread, if one was given. count: samples drawn, with `sampling`;
    evaluations: calls of the denoiser for each; seconds: of sampling.
    Images: frechet (d², in the units of `features`, which says what those are), precision and recall (0 to 1);
    inception_score: see `edm.evaluation.variety`; of our own classifier, so that it is none of Inception's.
    intervals: by the names of these numbers, where they were asked for.
    repeats: d² of each set of samples, where there are several, of which frechet is the least.
    copies: share of the samples that are copies of a training image (`edm.evaluation.copies`), of sets not too large.
    Points: sliced_wasserstein, in the data's units. floor: what true samples read in place of the model's.
    sigmas, loss, score_error: noise levels inside the model's range; E‖D − y‖²/d at each on validation samples; the
    error of the score at each, see `edm.evaluation.scores`, where the data has an exact denoiser.
    """

    dataset: str
    reference: int | None
    count: int
    sampling: Sampling
    evaluations: int
    seconds: float
    floor: float | None = None
    sigmas: tuple[float, ...] = ()
    loss: tuple[float, ...] = ()
    score_error: tuple[float, ...] | None = None
    features: str | None = None
    frechet: float | None = None
    precision: float | None = None
    recall: float | None = None
    sliced_wasserstein: float | None = None
    statistics: str | None = None
    repeats: tuple[float, ...] | None = None
    copies: float | None = None
    inception_score: float | None = None
    intervals: dict[str, Interval] | None = None

    @property
    def distance(self) -> float:
        """The number to compare by: Fréchet for images, sliced Wasserstein for points; less is better."""
        found = self.sliced_wasserstein if self.frechet is None else self.frechet
        assert found is not None  # a report has one of the two
        return found

    @property
    def distance_name(self) -> str:
        """What `distance` is, in words: FID where the features are Inception's, and nowhere else."""
        if self.sliced_wasserstein is not None:
            return "sliced Wasserstein distance"
        return "FID" if self.features == INCEPTION else "Fréchet distance"

    @property
    def measure(self) -> str:
        """The same with whose features they are."""
        return self.distance_name if self.features in (None, INCEPTION) else f"Fréchet distance in {self.features}"

    @property
    def against(self) -> str:
        """With what the samples were compared: how many of the data, or statistics in which file."""
        return f"the statistics of {self.statistics}" if self.statistics else f"{self.reference}"

    def document(self) -> dict:
        """As plain JSON data, without what does not apply."""
        fields = {**asdict(self), "sampling": self.sampling.document(), "measure": self.measure}
        return {name: value for name, value in fields.items() if value is not None and value != ()}


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
        cells = [_cell(report) for report in reports]
        if not alike:
            cells = [f"{cell} ({report.evaluations} NFE)" for cell, report in zip(cells, reports, strict=True)]
        lines.append([title, *cells])
    floors = {report.dataset: report.floor for _, reports in rows for report in reports if report.floor is not None}
    for dataset, floor in floors.items():
        of = f" of {dataset}" if len(floors) > 1 else ""
        lines.append([f"*true samples{of}*", *(f"*{floor:.3g}*" for _ in columns)])
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
    measured: dict[str, list[str]] = {}
    for report in (report for _, reports in rows for report in reports):
        measured.setdefault(_measure(report), []).append(report.dataset)
    said = [f"{measure} of {', '.join(dict.fromkeys(datasets))}" for measure, datasets in measured.items()]
    return f"{table}\n\n{'; '.join(said)}; less is better."


def _cell(report) -> str:
    """The distance; beside it those of all repeats."""
    several = ", ".join(f"{distance:.3g}" for distance in report.repeats or ())
    return f"{report.distance:.3g}" + (f" [{several}]" if several else "")


def _measure(report) -> str:
    measure = report.measure
    least = f", the least of {len(report.repeats)}," if report.repeats else ""
    return f"{measure[0].upper()}{measure[1:]} of {report.count} samples{least} to {report.against}"
