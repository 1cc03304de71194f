"""Jobs to try, of each kind that needs no run."""

from app.instruments.job import Figure
from app.training.reading import Reading
from app.work.films import Film
from app.work.levels import Levels
from app.work.measures import Measures
from app.work.numbers import Numbers
from app.work.pictures import Picture
from app.work.probes import Probe
from app.work.reveals import Reveal
from app.work.rivals import Rivals
from app.work.thumbnails import Thumbnails
from edm.experiments.experiment import Experiment
from edm.sampling.settings import Sampling

SMALL = Experiment(model="spiral", count=6, sampling=Sampling(steps=4, S_churn=3, S_tmax=float("inf"), seed=5))
DRAWN = Experiment(model="drawn", points=[[0, 0], [1, 0.5]], sampling=Sampling(sigmas=[50, 3, 0.2]))
KINDS = {
    "picture": Picture(experiment=SMALL, field={"aspect": 1.5, "follow": True}),
    "measures": Measures(experiment=DRAWN),
    "reveal": Reveal(step={"text": "x", "reveal": "{error(here)}"}, experiment=DRAWN),
    "rivals": Rivals(experiment=DRAWN),
    "levels": Levels(experiment=DRAWN.changed(sampling={"solver": "euler"})),
    "film": Film(experiment=SMALL),
    "probe": Probe(experiment=SMALL, level=1, position=[0.1, -0.3]),
    "numbers": Numbers(experiment=DRAWN.changed(count=3)),
    "thumbnails": Thumbnails(models=["two_moons", "spiral_mlp"]),
    "reading": Reading(data={"dataset": "two_moons"}),
    "figure": Figure(instrument="lanes", settings={"lanes": ["yours", "edm"], "nfe": 4}, yours=SMALL),
}
