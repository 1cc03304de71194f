"""Small runs that tests share."""

from edm.training.settings import Training


class Memory:
    """A launcher whose workers are numbers, which live for as long as nobody says otherwise.

    submitted: (name of the run, place) of each; living: what is known of each; ended: (number, by force?) as asked.
    listens: whether workers end when they are asked to.
    """

    def __init__(self, listens: bool = True):
        self.listens, self.submitted, self.living, self.ended = listens, [], [], []

    def places(self):
        return ["cpu"]

    def submit(self, folder, place):
        self.submitted.append((folder.name, place))
        self.living.append(True)
        return {"job": len(self.living) - 1}

    def alive(self, run):
        return self.living[run["job"]] if "job" in run else False

    def end(self, run, force=False):
        self.ended.append((run["job"], force))
        if force or self.listens:
            self.living[run["job"]] = False

    def own(self, leader=False):
        return {"job": len(self.living) - 1}


TINY = {
    "data": {"dataset": "digits", "holdout": 100},
    "architecture": {"channels": 8, "channel_mult": [1, 1], "blocks": 1, "attention": [4], "dropout": 0.1},
    "design": {"label_dropout": 0.2, "augment": 0.2},
    "images": 96,
    "batch": 16,
    "lr": 2e-3,
    "lr_ramp": 64,
    "ema": [50, 200],
    "tick": 48,
    "checkpoint": 48,
    "samples": 4,
    "validation": 8,
}


def tiny(**changes) -> Training:
    """A run of seconds on digits that uses everything: dropout, label dropout, augmentation, two averages."""
    document = {**TINY, **{k: v for k, v in changes.items() if not isinstance(v, dict)}}
    for name, value in changes.items():
        if isinstance(value, dict):
            document[name] = {**TINY.get(name, {}), **value}
    return Training.parse(document)


def points(**changes) -> Training:
    """A run of a fraction of a second on points."""
    document = {
        "data": {"dataset": "two_moons"},
        "architecture": {"channels": 16, "blocks": 1},
        "images": 640,
        "batch": 64,
        "tick": 320,
        "checkpoint": 128,
        "validation": 16,
        "samples": 8,
    }
    return Training.parse({**document, **changes})
