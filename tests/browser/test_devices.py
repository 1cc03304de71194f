"""Devices on the page, on a machine that seems to have two GPUs: what is free, what is busy with what, and a choice."""

import signal

import pytest

from edm import runs
from edm.runs import launchers, places, tasks
from tests.app.training import finished, running
from tests.browser.conftest import Explorer, start_server


@pytest.fixture(scope="module")
def page(browser, tmp_path_factory):
    """The Train tab, with one run that seems to train, and one that did not fit."""
    folder = tmp_path_factory.mktemp("runs")
    told = {"images": 200, "rate": 2733.0, "most": 7000.0, "left": 1000.0, "memory": 17_100_000_000, "loss": 0.2}
    trains = running(folder, "digits-3", "cuda:1", **told, **GPU)
    large = running(
        folder, "large", "cuda:0", state="failed", reason="memory", sentence="it does not fit", remedies=RETRY
    )
    evaluated = tasks.start(finished(folder, "moons"), "evaluate", {"count": 24}, "cpu")
    places.create(places.request(evaluated, 1, "taken"), launchers.claim())
    places.write(evaluated / "status.json", {"state": "finished", "number": 1})
    places.write(evaluated / "report.json", {"frechet": 3.2114, "measure": "FID", "floor": 1.5, "precision": 0.8125})
    process, address = start_server("--runs", str(folder), module="tests.gpus")
    explorer = Explorer(browser, address, "?tab=train&train.data=spiral&train.runs=digits-3")
    explorer.page.wait_for_selector("header [data-page-device]")
    yield explorer
    explorer.context.close()
    for path in (trains, large):
        places.write(path / "status.json", {"state": "stopped", "number": 1})
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=20)
    assert all(run.over for run in runs.all_runs(folder))
    assert "Traceback" not in output, output


CARD = {"index": 1, "number": 1, "name": "NVIDIA H100 80GB HBM3", "total": 85e9, "free": 23e9, "utilization": 0.93}
GPU = {"gpu_utilization": 0.93, "gpu_memory": 62_000_000_000, "cards": [CARD]}
RETRY = [["Retry with micro_batch = 16", {"micro_batch": "16"}]]


def test_what_there_is_is_told_in_words_and_chosen_by_keyboard(page):
    explorer, select = page, page.page.locator("[data-knob=device]")
    assert "2 × H100, up to 61 GB free, one busy with digits-3" in explorer.text(".form .device")
    select.focus()
    select.press("ArrowDown")
    explorer.wait(lambda: "61 GB of 85 GB free; 97 % busy" in explorer.text(".form .device"))
    assert "train.device=cuda" in explorer.query
    select.press("ArrowDown")
    explorer.wait(lambda: "busy with digits-3" in explorer.text(".form .device .note"))
    select.press("ArrowDown")
    explorer.wait(lambda: "divided among 2 of them" in explorer.text(".form .device .note"))
    select.press("Home")
    explorer.wait(lambda: "up to 61 GB" in explorer.text(".form .device .note"))


def test_the_heading_says_how_busy_its_gpu_is(page):
    told = page.text(".training .metrics")
    assert "2.7K images/s" in told and "of peak" in told
    assert "GPU 1 93 % busy, 62 of 85 GB taken" in told
    assert "17.1 GB memory" in told


def test_a_click_takes_what_would_fit(page):
    told = "It is likely not to fit: it needs about 512.0 GB of memory, and each GPU has 85.0."
    page.wait(lambda: told in page.text(".estimate"))
    page.page.click("[data-remedy='micro_batch = 32']")
    page.page.wait_for_selector(".estimate .why", state="hidden")
    assert "train.micro_batch=32" in page.query


def test_the_page_says_where_it_computes_and_what_keeps_it_from_another_device(page):
    chooser = page.page.locator("header [data-page-device]")
    assert chooser.evaluate("(select) => [...select.options].map((o) => o.text)") == ["GPU 0", "GPU 1", "CPU"]
    chooser.select_option("cuda:1")
    page.page.wait_for_selector(".notice:visible")
    assert "'cuda:1' is not on this machine" in page.text(".notice")
    page.wait(lambda: chooser.input_value() == "cpu")


def test_a_run_that_ran_out_of_memory_offers_a_smaller_step(page):
    page.page.click(".run[data-run=large] button")
    page.wait(lambda: page.find(".training .why").count())
    assert "it does not fit" in page.text(".training .why")
    assert page.text(".training .why [data-remedy]") == "Retry with micro_batch = 16"
    page.page.click(".run[data-run=digits-3] button")


def test_what_was_found_of_a_run_s_samples_stands_under_its_heading_and_more_is_a_dialog_away(page):
    page.page.click(".run[data-run=moons] button")
    page.page.wait_for_selector(".task[data-task=evaluate-1][data-state=finished]")
    assert "3.21 FID" in page.text(".task") and "1.5 for true samples" in page.text(".task")
    page.page.click("[data-action=begin-evaluate]")
    assert page.page.get_attribute("dialog.asking [data-knob=count]", "placeholder") == "automatic"
    page.page.locator("dialog.asking [data-knob=protocol]").select_option("paper")
    page.page.keyboard.press("Escape")
    page.page.wait_for_selector("dialog.asking", state="detached")
    page.page.click(".run[data-run=digits-3] button")


@pytest.mark.parametrize("width", [390, 820])
def test_on_a_narrow_window_all_of_it_is_there(page, width):
    page.page.set_viewport_size({"width": width, "height": 844})
    box = page.box("[data-knob=device]")
    assert box["x"] >= 0 and box["x"] + box["width"] <= width
    assert page.page.evaluate("document.documentElement.scrollWidth") <= width
    page.page.set_viewport_size({"width": 1280, "height": 800})


def test_where_there_is_only_a_cpu_nothing_is_said_of_devices(explore):
    page = explore("?tab=train").page
    page.wait_for_function("Number(document.querySelector('.explorer').dataset.polls) > 0")
    assert not page.is_visible("header .device")
    assert page.locator(".form > .device").count() == 0
    page.click("details.more > summary")
    assert page.locator("[data-knob=device] option").all_inner_texts()[0] == "automatic"
