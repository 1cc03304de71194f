"""Of a visitor's requests about one thing the newest wins."""

import pytest
import torch

from app.work.tickets import Superseded, Ticket, Tickets
from app.work.watch import Watch
from tests.problems import Counting, smooth_mixture


def test_a_stale_computation_stops_at_its_next_evaluation():
    tickets, counting = Tickets(), Counting(smooth_mixture())
    watched = Watch(tickets.take("anna", "main", 1))(counting)
    watched(torch.zeros(1, 2), 1.0)
    tickets.take("anna", "main", 2)
    with pytest.raises(Superseded):
        watched(torch.zeros(1, 2), 1.0)
    assert counting.calls == 1


def test_requests_that_arrive_out_of_order_do_not_win():
    tickets = Tickets()
    tickets.take("anna", "main", 5)
    with pytest.raises(Superseded):
        tickets.take("anna", "main", 4)


def test_visitors_and_topics_do_not_disturb_each_other():
    tickets, counting = Tickets(), Counting(smooth_mixture())
    watched = Watch(tickets.take("anna", "main", 1))(counting)
    tickets.take("bert", "main", 9)
    tickets.take("anna", "pinned", 9)
    assert torch.equal(watched(torch.zeros(1, 2), 1.0), smooth_mixture()(torch.zeros(1, 2), 1.0))
    assert counting.calls == 1


def test_a_watched_denoiser_is_the_denoiser_otherwise():
    watched = Watch(Tickets().take("anna", "main", 1))(smooth_mixture())
    assert watched.shape == (2,)
    assert watched.round_sigma(0.3) == 0.3


def test_who_watches_a_ticket_is_told_at_once_and_once_why_it_ends():
    tickets, told = Tickets(), []
    ticket = tickets.take("anna", "main", 1)
    ticket.watch(told.append)
    ticket.watch(told.append)()  # and stops watching
    again = tickets.take("anna", "main", 1)
    assert told == [], "the same request, asked again"
    tickets.take("anna", "main", 2)
    assert told == [Superseded]
    again.watch(told.append)
    assert told == [Superseded, Superseded], "one that has ended tells so"


def test_a_ticket_ends_for_the_first_reason():
    ticket = Ticket("anna")
    ticket.end(KeyError)
    ticket.end()
    with pytest.raises(KeyError):
        ticket.check()
