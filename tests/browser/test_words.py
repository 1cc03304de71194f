"""Symbols and figures explain themselves: to who points, to the keyboard, and to a finger."""

from tests.browser import accessible

SAID = ".hint-box:popover-open"


def covers(page, selector):
    """Whether the hint lies over what it is about."""
    hint, about = page.locator(SAID).bounding_box(), page.locator(selector).locator("visible=true").first.bounding_box()
    across = hint["x"] < about["x"] + about["width"] and about["x"] < hint["x"] + hint["width"]
    return across and hint["y"] < about["y"] + about["height"] and about["y"] < hint["y"] + hint["height"]


def test_symbols_and_figures_explain_themselves(explore):
    explorer = explore("?model=two_moons")
    page = explorer.page
    accessible.bring(page)
    explorer.settled()
    page.wait_for_selector(".summary >> text=Take it")  # the sentence is whole

    # a knob: what it does, and what its symbol means, with the pointer and with the keyboard
    page.hover("[data-row=rho] label")
    page.wait_for_selector(f"{SAID} .meaning")
    said = explorer.text(SAID)
    assert "crowd towards low noise" in said and "“rho”" in said and "Section 3, equation 5" in said
    assert not covers(page, "[data-row=rho]")
    found = accessible.wrong(page, "a knob's hint")
    page.keyboard.press("Escape")
    page.focus("[data-row=S_noise] input")
    page.keyboard.press("Tab")
    page.wait_for_selector(f"{SAID}:has-text('“S noise”')")
    assert page.evaluate("document.activeElement.getAttribute('aria-describedby')") == "ex-hint"
    page.keyboard.press("Escape")
    assert page.locator(SAID).count() == 0

    # a symbol in a sentence: with the keyboard, and with a finger on a phone
    symbol = ".summary dfn[data-term=σ]"
    page.focus(symbol)
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    page.wait_for_selector(f"{SAID}:has-text('“sigma”')")
    assert not covers(page, symbol)
    page.set_viewport_size({"width": 390, "height": 844})
    explorer.find(symbol).scroll_into_view_if_needed()
    page.dispatch_event(symbol, "pointerdown", {"pointerType": "touch", "bubbles": True})
    page.wait_for_selector(f"{SAID}:has-text('“sigma”')")
    box = page.locator(SAID).bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 390 and not covers(page, symbol)
    page.click(f"{SAID} .why")
    page.wait_for_selector("[data-lesson='denoiser/1']")
    page.click(".strip [data-way=free]")
    page.set_viewport_size({"width": 1280, "height": 800})

    # all symbols, to be searched
    page.click("header >> text=Lessons")
    page.click("[data-glossary]")
    page.wait_for_selector(".glossary .meaning")
    found += accessible.wrong(page, "the glossary")
    page.fill(".glossary input", "sigma max")
    assert explorer.find(".glossary .meaning").count() == 1
    page.fill(".glossary input", "zebra")
    assert "No symbol is called so" in explorer.text(".glossary [role=status]")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")

    # what one is looking at, and a link from there to another state of the same
    explorer.find(".looking").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".sheet:not([hidden])")
    assert explorer.text(".sheet h2") == "Samples in the plane"
    stage = explorer.box()
    assert page.locator(".sheet").bounding_box()["x"] > stage["x"] + stage["width"] / 2
    found += accessible.wrong(page, "a sheet")
    page.click(".sheet a >> text=Take five steps only")
    page.wait_for_function("location.search === '?model=spiral&steps=5'")
    assert page.locator(".sheet").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator(".sheet").is_visible()
    assert page.evaluate("document.activeElement.dataset.sheet") == "plane"
    page.click("nav [data-tab=compare]")
    explorer.find(".looking").click()
    page.wait_for_selector(".sheet h2:has-text('Side by side')")
    page.click("[data-instrument=race]")
    page.wait_for_selector(".sheet", state="hidden")
    assert "\n".join(found) == ""
