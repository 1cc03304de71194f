"""A run from the page: started, watched, reloaded, stopped, resumed, finished, and sampled from; or killed."""

import json
import os
import signal

import pytest
from PIL import Image

from edm import runs
from edm.runs import reading
from edm.runs.launchers import launcher_of
from tests.browser.conftest import Explorer, start_server

SHORT = "train.images=5000&train.tick=640&train.checkpoint=640&train.channels=8&train.samples=9&train.name=first"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def address(folder):
    """A server with a runs folder of its own; nothing goes on when it closes."""
    process, address = start_server("--runs", str(folder), module="tests.checked")
    yield address
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=20)
    for run in runs.all_runs(folder):
        launcher_of(run.folder).end(reading.workers(run.folder)[0], force=True)
    assert "Traceback" not in output, output


@pytest.fixture
def training(browser, address):
    explorers = []

    def visit(query):
        explorers.append(Explorer(browser, address, query))
        return explorers[-1]

    yield visit
    for explorer in explorers:
        explorer.context.close()
        assert explorer.errors == []


def in_state(page, name, state, seconds=60):
    page.wait_for_selector(f".run[data-run={name}][data-state={state}]", timeout=1000 * seconds)


def test_a_run_from_start_to_samples_in_the_sampler_tab(training):
    explorer = training(f"?tab=train&{SHORT}")
    page = explorer.page
    page.click("[data-action=start]")
    in_state(page, "first", "running")
    page.wait_for_selector(".reel:not([data-images=''])[data-images]", timeout=40_000)
    assert "train.runs=first" in explorer.query
    query = explorer.query
    page.reload()
    explorer.errors.clear()  # of the stream that the reload cut
    page.wait_for_selector(".run.on[data-run=first]", timeout=60_000)
    page.wait_for_selector(".reel:not([data-images=''])[data-images]", timeout=60_000)
    assert explorer.query == query

    page.click("[data-action=stop]")  # without a question: it can be resumed
    in_state(page, "first", "stopped")
    page.click("[data-action=resume]")
    in_state(page, "first", "running")
    in_state(page, "first", "finished")
    page.wait_for_selector(".training[data-state=finished]")
    assert "/ 5K images" in page.inner_text(".training .metrics")
    page.wait_for_function("document.querySelectorAll('.curves .chart[data-drawn]').length === 2")
    assert "validation images" in page.inner_text("section.train .summary")

    page.click("[data-action=sample]")
    explorer.settled()
    assert "model=run-first_" in explorer.query
    assert page.get_attribute(".thumbs [data-model^=run-first_]", "aria-checked") == "true"


# The page does not hear what was done: its answer breaks off.
DEAF = """
const honest = JSON.parse;
JSON.parse = (text, revive) => {
    const value = honest(text, revive);
    if (window.deaf && value?.body?.do) throw new SyntaxError("cut off");
    return value;
};
"""


def test_start_that_is_pressed_again_because_no_answer_came_gives_one_run(browser, address, folder):
    explorer = Explorer(browser, address)
    page, before = explorer.page, {run.name for run in runs.all_runs(folder)}

    def begun():
        return {run.name for run in runs.all_runs(folder)} - before

    page.add_init_script(DEAF)
    explorer.come("?tab=train&train.data=spiral&train.images=3000&train.channels=8")
    page.evaluate("window.deaf = true")
    page.dblclick("[data-action=start]")
    page.wait_for_selector("section.train >> text=The connection was interrupted")
    assert len(begun()) == 1
    page.evaluate("window.deaf = false")
    page.click("[data-action=start]")
    (name,) = begun()
    page.wait_for_selector(f".run.on[data-run={name}]")
    assert f"train.runs={name}" in explorer.query
    assert begun() == {name}
    assert explorer.errors == []
    explorer.context.close()


def test_a_drawing_is_trained_on_and_a_killed_worker_says_so_and_goes_on(training, folder):
    explorer = training(
        "?tab=train&train.channels=8&train.batch=64&train.images=640000&train.checkpoint=640&train.name=mine"
    )
    page = explorer.page
    page.click("[data-action=draw]")
    box = page.locator("dialog.drawing canvas").bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    explorer.drag(middle, (middle[0] + 60, middle[1] - 40), (middle[0] - 60, middle[1] - 40))
    page.click("dialog.drawing .primary")
    page.wait_for_function("location.search.includes('train.data=own')")
    page.click("[data-action=start]")
    in_state(page, "mine", "running")
    explorer.wait(lambda: runs.read(folder / "mine").checkpoint, timeout=60)
    os.kill(runs.read(folder / "mine").pid, signal.SIGKILL)
    in_state(page, "mine", "interrupted")
    page.wait_for_selector(".training[data-state=interrupted]")
    told = page.inner_text(".training")
    assert "without a word" in told
    assert "sigma_data" in told, "the last lines of its log"
    page.click("[data-action=resume]")
    in_state(page, "mine", "running")

    elsewhere = training(f"?{explorer.query}").page
    in_state(elsewhere, "mine", "running")
    elsewhere.click("[data-action=stop]")
    in_state(page, "mine", "stopped")
    page.click("[data-action=delete]")
    page.click("dialog.asking[open] .primary")
    elsewhere.wait_for_selector(".run[data-run=mine]", state="detached", timeout=60_000)
    assert not (folder / "mine").exists()


def test_a_folder_of_images_becomes_data_with_its_folders_as_classes(training, folder, tmp_path):
    for label in ("cats", "dogs"):
        (tmp_path / "pets" / label).mkdir(parents=True)
        Image.new("RGB", (20, 16), "red").save(tmp_path / "pets" / label / "one.png")
    (tmp_path / "pets" / "notes.txt").write_text("no image")
    page = training("?tab=train").page
    page.set_input_files("[data-files=folder]", tmp_path / "pets")
    page.wait_for_function("location.search.includes('train.data=own')")
    abouts = [json.loads(path.read_text()) for path in folder.glob(".data/*/about.json")]
    [about] = [about for about in abouts if about["dataset"] == "folder"]
    assert (about["title"], about["class_names"], about["count"]) == ("pets", ["cats", "dogs"], 2)
