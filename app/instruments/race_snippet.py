"""The race that is shown, in Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from edm.diagnostics import MEASURES


def python(
    chosen: Mapping[str, tuple[str, dict]], model: str, count: int, seeds: Sequence[int], measure: str,
    budgets: Sequence[int], solved: int,
) -> str:  # fmt: skip
    """chosen: lane -> (name of its model, its settings). model: whose latents and data these are. solved: steps of the
    solutions that errors are measured from."""
    listed = "\n".join(f"    {title!r}: {lane!r}," for title, lane in chosen.items())
    to_data = f"diagnostics.to_data(edm.Experiment(model={model!r}), {measure!r})"
    return f"""import edm
from edm import diagnostics

chosen = {{
{listed}
}}
starts = {{
    seed: edm.runner.start(edm.Experiment(model={model!r}, count={count}, sampling={{"seed": seed}}))
    for seed in {list(seeds)}
}}
latents = {{seed: z for seed, (z, _) in starts.items()}}
labels = starts[{seeds[0]}][1]
lanes = {{
    title: diagnostics.Lane(edm.models.load(name).denoiser, edm.Sampling.parse(sampling), labels)
    for title, (name, sampling) in chosen.items()
}}
measure = {to_data if MEASURES[measure].against else "'error'"}
for point in diagnostics.race(lanes, latents, {list(budgets)}, measure, reference_steps={solved}):
    print(point.lane, point.steps, point.evaluations, point.value, point.low, point.high)
"""
