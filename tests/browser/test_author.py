"""A teacher's lesson: made beside the page, handed out by a short address and by a link, solved on a phone."""

import re

from tests.browser import accessible

DROP = """(text) => {
    const carried = new DataTransfer();
    carried.items.add(new File([text], "lesson.yaml"));
    document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: carried, bubbles: true, cancelable: true }));
}"""


def write(explorer):
    """Two steps, the second of which asks which of two pictures has the larger error."""
    page = explorer.page
    page.click("header >> text=Lessons")
    page.click("text=Make a lesson")
    page.fill("[data-put=title]", "Five steps or ten")
    page.click(".author [data-do=add]")
    page.fill("[data-put=text]", "Look at **five** steps.")
    explorer.set("steps", 10)
    explorer.settled()
    page.click(".author [data-do=add]")
    page.fill("[data-put=text]", "Now ten. <img src=x onerror=alert(1)> [run](javascript:alert(1)) [go](?steps=9)")
    assert page.locator(".author .chips [aria-pressed=true]").all_inner_texts() == ["N"]
    explorer.set("steps", 5)
    explorer.settled()
    page.click(".author [data-do=compare]")
    page.click("[data-kind=choice]")
    page.fill("[data-put='ask.text']", "Whose error is larger?")
    for k, (says, sign) in enumerate((("Of five", "<"), ("Of ten", ">"))):
        answer = page.locator(f".choice[data-answer='{k}']")
        answer.locator("input").first.fill(says)
        answer.locator("[data-do=measure]").click()
        answer.locator(".menus > select").select_option(sign)
    page.fill("[data-put=reveal]", "With ten it is ")
    page.press("[data-put=reveal]", "End")
    page.click("[data-do=insert]")


def handed_out(page):
    """(the short address, the full link)."""
    page.click(".author [data-do=share]")
    page.click("[data-do=shorten]")
    page.wait_for_selector("[data-text=short]")
    assert "--host 0.0.0.0" in page.inner_text(".handing .notice-line")
    links = [page.input_value(f"[data-text={which}]") for which in ("short", "full")]
    page.click(".handing .close")
    return links


def solve(explorer, query):
    """As a student with a phone."""
    page = explorer.page
    page.set_viewport_size({"width": 390, "height": 844})
    explorer.open(query)
    page.wait_for_selector("[data-lesson$='/1']")
    assert page.locator(".strip b").inner_text() == "five"
    page.click(".strip [data-way=next]")
    page.wait_for_selector("[data-lesson$='/2'][data-waiting]")
    assert (
        explorer.find("aside [data-row=steps]").is_visible() and not explorer.find("aside [data-row=rho]").is_visible()
    )
    assert explorer.text(".strip .tells") == "Now ten. <img src=x onerror=alert(1)> [run](javascript:alert(1)) go"
    assert page.locator(".strip .tells").evaluate("node => node.querySelectorAll('img, a').length") == 1
    page.click(".strip [data-answer='1']")
    page.wait_for_selector("[data-revealed$='/2']:not([data-waiting])")
    assert "Here it is not so." in explorer.text(".strip .found")
    assert page.locator(".strip .right").inner_text() == "Of five"
    return explorer.text(".strip .revealed")


def test_a_lesson_is_made_handed_out_and_solved(explore):
    explorer = explore("?model=spiral&steps=5")
    page = explorer.page
    write(explorer)
    page.click(".author [data-do=preview]")
    page.wait_for_selector("[data-lesson$='/2'][data-waiting]")
    page.click("[data-do=edit]")
    page.wait_for_function("location.search === '?model=spiral&steps=10'")
    page.reload()  # nothing of it was saved
    page.wait_for_selector(".author [aria-current]")
    assert page.input_value("[data-put=title]") == "Five steps or ten"
    assert page.locator(".written li").count() == 2

    short, full = handed_out(page)
    with page.expect_download() as download:
        page.click(".author [data-do=save]")
    assert download.value.suggested_filename == "five_steps_or_ten.yaml"
    path = download.value.path()

    page.focus("[data-step='1']")
    page.keyboard.press("Alt+ArrowUp")
    page.wait_for_selector("[data-step='0']:has-text('Now ten')")
    accessible.bring(page)
    assert accessible.wrong(page, "author") == []
    page.click(".author [data-do=remove]")
    page.click(".author [aria-label=Undo]")
    page.wait_for_selector("[data-step='1']")
    page.click(".author [data-do=new]")
    page.click(".author [data-do=share]")
    page.wait_for_selector(".author .about .wrong:has-text('title is missing')")
    page.set_input_files(
        ".author input[type=file]", {"name": "x.yaml", "mimeType": "", "buffer": b"title: !!python/x y"}
    )
    page.wait_for_selector(".author > .wrong:has-text('tag')")
    page.evaluate(DROP, path.read_text(encoding="utf-8"))
    page.wait_for_selector("[data-step='1']")
    assert handed_out(page) == [short, full]

    student = explore()
    said = solve(student, short.removeprefix(student.address))
    error = float(re.search(r"With ten it is ([\d.]+)", said)[1])
    assert 0.05 < error < 0.2  # of ten steps, which was measured just now
    assert solve(student, full.removeprefix(student.address)) == said
