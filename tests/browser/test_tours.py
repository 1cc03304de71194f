"""A lesson as a page of its own, drawn by the real page."""

from app.tours import document, pictures
from edm import lessons

LESSON = {
    "title": "Even steps",
    "about": "σ_max and √(σ² + 1)",
    "steps": [
        {
            "text": "With **ρ = 1** they are even.",
            "open": "model=two_moons&rho=1&count=50",
            "reveal": "N = {steps(here)}",
        }
    ],
}


def test_an_exported_step_shows_the_page_s_own_picture_and_runs_nothing(browser, server, tmp_path):
    page = browser.new_page(viewport=pictures.SIZE, reduced_motion="reduce")
    made = document.written(
        lessons.parse(LESSON), None, pictures.Drawn(page, server), "light", "http://127.0.0.1:7860/", lambda said: None
    )
    page.close()
    file = tmp_path / "even.html"
    file.write_bytes(made)
    assert len(made) < 1e6
    requests = []
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 800})
    read = context.new_page()
    read.on("request", lambda request: requests.append(request.url))
    read.goto(file.as_uri())
    assert [url for url in requests if not url.startswith(("file:", "data:"))] == []
    assert read.locator("b").first.inner_text() == "ρ = 1"
    assert read.locator(".lead sub").inner_text() == "max", "set as the page sets it"
    assert "N = 18" in read.inner_text(".told")
    shown = read.locator("img").bounding_box()
    assert shown["width"] > 300 and shown["height"] > 150
    assert read.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()
