"""What people, pages and scripts ask for: settings, addresses, events, and the command line."""

from __future__ import annotations

import contextlib
import io
import json
from functools import cache
from types import SimpleNamespace

from app.instruments import INSTRUMENTS
from app.tabs import links as addresses
from app.tabs import opening
from app.tabs.wiring import Wiring
from app.training.form import Former
from app.visitors.room import Room
from app.work import scripts
from app.work.jobs import answer
from edm.__main__ import main
from edm.base import flat
from edm.base.errors import LONGEST, Refused
from edm.experiments.experiment import Experiment
from edm.sampling.settings import Sampling
from edm.training.settings import Training
from tests import asking
from tests.fuzz.values import NAMES, TEXTS, damaged, mutated, names_of, valid, value


def settings(dice, folder):
    kind = dice.choice([Experiment, Experiment, Sampling, Training, *(one.settings for one in INSTRUMENTS.values())])
    base = dice.choice([{}, valid(kind)])
    document = mutated(dice, base, names_of(kind))
    if dice.random() < 0.5:
        return (kind.__name__, document), lambda: kind.parse(flat.unflatten(document, kind))
    text = damaged(dice, json.dumps(document).encode())
    return (kind.__name__, text), lambda: kind.parse(text)


def links(dice, folder):
    first = ["", "", "", "pin.", "view.", "train.", "amp;", "utm_", *(f"{name}." for name in INSTRUMENTS)]
    inner = [
        *names_of(Experiment),
        *sorted(addresses.form.NAMES),
        *NAMES,
        *valid(next(iter(INSTRUMENTS.values())).settings),
    ]
    pairs = [(dice.choice(first) + dice.choice(inner), str(value(dice))) for _ in range(dice.choice([1, 2, 4, 12]))]
    if dice.random() < 0.5:
        known = [*INSTRUMENTS, "train", "compare", "loss", "sampler", "figure3", "table1"]
        pairs.append((dice.choice(["show", "tab", "figure"]), dice.choice([*known, *TEXTS])))
    pairs = [(name[:2000], text[:20_000]) for name, text in pairs]

    def attempt():
        opened = addresses.opened_from(pairs, lambda values: Former(folder).plan(values, costs=False))
        Experiment.parse(opened["values"])
        json.dumps(opened).encode()
        notice = opened["notice"]
        assert notice is None or (len(notice) <= LONGEST and notice.isprintable()), "its notice"

    return pairs, attempt


@cache
def _wiring() -> Wiring:
    """All events, with answers that take no time where a message is good."""

    def quick(event, message, *_):
        if event == "open":
            opening.opened(message.query)
        yield answer({})

    tabs = [SimpleNamespace(events=one.events, serve=lambda house: quick) for one in opening.asked()]
    return Wiring(tabs, SimpleNamespace(room=Room()))


MESSAGES = {
    "open": {"serial": 1, "query": "?model=spiral&steps=9&show=race"},
    "drop": {"serial": 1, "settings": '{"show": "race", "values": {"limit": 9}, "yours": {"steps": "9"}}'},
    "take": {"serial": 1, "values": {"model": "two_diracs", "steps": "3"}, "form": "svg", "look": "dark"},
    "ask": {"serial": 1, "values": {"model": "spiral", "steps": "9"}, "field": {"aspect": 1.5, "follow": True}},
    "steps": {"serial": 1, "values": {"solver": "restart"}, "evaluations": 24},
    "probe": {"serial": 1, "values": {}, "field": None, "position": [0.1, 0.2], "level": 3},
    "loss": {"serial": 1, "values": {}, "yours": {"steps": "5"}},
    "poll": {"serial": 1, "clock": "a:1", "runs": {"x": {"cursor": "", "sample": 3}}, "models": "", "datasets": None},
    "film": {"serial": 1, "run": "x", "images": [0, 64]},
    "plan": {"serial": 1, "values": {"size": "small"}},
    "draft": {"serial": 1, "lesson": {"title": "x", "steps": [{"text": "y"}]}},
    "act": {"serial": 1, "do": "resume", "run": "x", "changes": {"images": "5"}},
}


def events(dice, folder):
    if dice.random() < 0.3:
        document = mutated(
            dice, dice.choice([{}, {"model": "spiral", "steps": 9}, valid(Experiment)]), names_of(Experiment)
        )
        document = dice.choice([document, document, value(dice)])
        return ("sample", document), lambda: scripts.asked(document)
    event = dice.choice(list(MESSAGES))
    message = dice.choice([mutated(dice, MESSAGES[event], ["self", "serial"]), value(dice)])

    def attempt():
        for said in asking.said(_wiring(), event, message, f"fuzz{dice.random()}"):
            told = said.get("error")
            assert told is None or "in the server's log" not in told, told
            if told is not None:
                raise Refused(told)

    return (event, message), attempt


def commands(dice, folder):
    verb = dice.choice(["sample", "sample", "train", "info", "runs", "models", "export", "convert", ""])
    kind = Training if verb == "train" else Experiment
    words = [verb, "--dry-run"] if verb in ("sample", "train") else [verb]
    if verb == "runs":
        words += [dice.choice(["list", "show", "stop", "gc", "resume", "nothing"]), f"--runs={folder / 'runs'}"]
    for _ in range(dice.choice([0, 1, 2, 4])):
        word = str(value(dice)).replace("\0", "")[:20_000]
        name = dice.choice([*names_of(kind), "preset", "config", "out", "resume", "keep", "device", "help-me"])
        words.append(dice.choice([word, f"--{name}={word}", f"--{name}"]))

    def attempt():
        said = io.StringIO()
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
            try:
                code = main([word for word in words if word])
            except SystemExit as end:  # of argparse
                code = end.code
        assert code in (0, 2), said.getvalue()[-300:]
        if code == 2:
            raise Refused(said.getvalue().splitlines()[-1])

    return words, attempt
