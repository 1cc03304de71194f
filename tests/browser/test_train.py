"""A run from the page: started, watched, reloaded, stopped, resumed, finished, and sampled from."""

import signal

import pytest

from tests.browser.conftest import Explorer, start_server

SHORT = "train.images=5000&train.tick=640&train.checkpoint=640&train.channels=8&train.samples=9&train.name=first"


@pytest.fixture
def training(browser, tmp_path):
    """A page with a runs folder of its own; nothing goes on when it closes."""
    from edm import runs

    process, address = start_server("--runs", str(tmp_path))
    explorer = Explorer(browser, address, f"?tab=train&{SHORT}")
    yield explorer
    explorer.context.close()
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=20)
    for run in runs.all_runs(tmp_path):
        if not run.over:
            runs.stop(run.folder, grace=0)
    explorer.wait(lambda: runs.advance(tmp_path) == [] and all(run.over for run in runs.all_runs(tmp_path)))
    assert "Traceback" not in output, output
    assert explorer.errors == []


def test_a_run_from_start_to_samples_in_the_sampler_tab(training):
    page = training.page

    def state(*wanted, seconds=40):
        row = ".run[data-run=first]" + (f"[data-state={wanted[0]}]" if wanted else "")
        page.wait_for_selector(row, timeout=1000 * seconds)

    def confirm():
        page.click("dialog.asking[open] .primary")

    page.click("[data-action=start]")
    state("running")
    page.wait_for_selector(".reel[data-images='640']", timeout=40_000)
    assert "train.runs=first" in training.query
    query = training.query
    page.reload()
    training.errors.clear()  # of the stream that the reload cut
    page.wait_for_selector(".run.on[data-run=first]", timeout=20_000)
    page.wait_for_selector(".reel:not([data-images=''])[data-images]", timeout=20_000)
    assert training.query == query

    page.click("[data-action=stop]")
    confirm()
    state("stopped")
    page.click("[data-action=resume]")
    state("running")
    state("finished")
    page.wait_for_selector(".training[data-state=finished]")
    assert "/ 5K images" in page.inner_text(".training .metrics")
    page.wait_for_function("document.querySelectorAll('.curves .chart[data-drawn]').length === 2")
    assert "validation images" in page.inner_text("section.train .summary")

    page.click("[data-action=sample]")
    training.settled()
    assert "model=run-first_" in training.query
    assert page.get_attribute(".thumbs [data-model^=run-first_]", "aria-checked") == "true"
