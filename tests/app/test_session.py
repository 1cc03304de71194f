"""Visitors: the newest request wins, and addresses are read with care."""

import pytest
import torch

from app.session import Newest, Superseded, opened_from
from edm.settings import Experiment, Sampling
from tests.problems import Counting, smooth_mixture


def test_a_stale_computation_stops_at_its_next_evaluation():
    newest, counting = Newest(), Counting(smooth_mixture())
    guarded = newest.guard("anna", "main", 1)(counting)
    guarded(torch.zeros(1, 2), 1.0)
    newest.guard("anna", "main", 2)
    with pytest.raises(Superseded):
        guarded(torch.zeros(1, 2), 1.0)
    assert counting.calls == 1


def test_requests_that_arrive_out_of_order_do_not_win():
    newest = Newest()
    newest.guard("anna", "main", 5)
    with pytest.raises(Superseded):
        newest.guard("anna", "main", 4)


def test_visitors_and_lanes_do_not_disturb_each_other():
    newest = Newest()
    guarded = newest.guard("anna", "main", 1)(smooth_mixture())
    newest.guard("bert", "main", 9)
    newest.guard("anna", "pinned", 9)
    newest.stop("bert")
    guarded(torch.zeros(1, 2), 1.0)


def test_a_visitor_who_left_stops_their_work_and_may_come_back():
    newest = Newest()
    guarded = newest.guard("anna", "main", 1)(smooth_mixture())
    newest.stop("anna")
    with pytest.raises(Superseded):
        guarded(torch.zeros(1, 2), 1.0)
    newest.guard("anna", "main", 2)(smooth_mixture())(torch.zeros(1, 2), 1.0)


def test_a_guarded_denoiser_is_the_denoiser_otherwise():
    guarded = Newest().guard("anna", "main", 1)(smooth_mixture())
    assert guarded.shape == (2,)
    assert not hasattr(guarded, "round_sigma")


def test_an_address_gives_experiment_and_pinned_result():
    opened = opened_from(
        {
            "model": "spiral",
            "steps": "9",
            "pin.model": "spiral",
            "pin.solver": "euler",
            "view.field": "on",
            "__theme": "dark",
        }
    )
    assert Experiment.parse(opened["values"]) == Experiment(model="spiral", sampling=Sampling(steps=9))
    assert Experiment.parse(opened["pinned"]) == Experiment(model="spiral", sampling=Sampling(solver="euler"))
    assert opened["notice"] is None
    assert opened["show"] is None


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"rho": "0"}, "rho = 0"),
        ({"model": "<script>"}, "<script>"),
        ({"colour": "red"}, "colour"),
        ({"pin.steps": "x"}, "steps"),
    ],
)
def test_a_bad_address_gives_the_default_and_a_sentence(values, named):
    opened = opened_from(values)
    assert (Experiment.parse(opened["values"]), opened["pinned"]) == (Experiment(), None)
    assert named in opened["notice"]
