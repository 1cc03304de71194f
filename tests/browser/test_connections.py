"""How the page speaks with its server: requests that end, and nothing else."""

MOVE = """(value) => {
  const knob = document.querySelector("[data-knob=rho]");
  knob.value = value;
  knob.dispatchEvent(new Event("input", { bubbles: true }));
}"""
SETTLED = ".explorer-place .explorer[data-measured]"  # and Gradio's frontend is there, too


def test_many_tabs_of_one_browser_work_at_once_and_at_rest_hold_no_request(browser, server):
    """A browser has six connections to a host: what stays open would be in the way of all others."""
    context, held = browser.new_context(reduced_motion="reduce"), {}
    pages = [context.new_page() for _ in range(3)]
    for page in pages:
        page.on("request", lambda request: held.setdefault(request, request.url))
        page.on("requestfinished", lambda request: held.pop(request, None))
        page.on("requestfailed", lambda request: held.pop(request, None))
        page.goto(f"{server}?steps=6&count=30")
    for k, page in enumerate(pages):
        page.wait_for_selector(SETTLED, timeout=30_000)
        page.evaluate(MOVE, 3 + k)
    for k, page in enumerate(pages):
        page.wait_for_function(f"location.search.includes('rho={3 + k}')", timeout=60_000)
    page.wait_for_function("document.querySelector('.explorer').dataset.measured === '2'", timeout=60_000)
    page.wait_for_timeout(100)
    assert list(held.values()) == []
    context.close()


def test_the_page_says_that_its_server_is_away_and_works_again_when_it_is_back(browser, server):
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.goto(f"{server}?steps=6&count=30")
    page.wait_for_selector(SETTLED, timeout=30_000)
    before = int(page.get_attribute(".explorer", "data-serial"))
    context.set_offline(True)
    page.evaluate(MOVE, 3)
    notice = page.locator(".notice", has_text="The server does not answer.").locator("visible=true")
    notice.wait_for(timeout=60_000)
    assert int(page.get_attribute(".explorer", "data-serial")) == before, "the last good picture stays"
    context.set_offline(False)
    page.evaluate(MOVE, 4)
    page.wait_for_function("location.search.includes('rho=4')", timeout=60_000)
    assert notice.count() == 0
    context.close()
