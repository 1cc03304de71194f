"""Read my data, on the Train tab: what they say, and one click that fills the form."""

import edm


def test_data_are_read_and_one_click_fills_the_form_and_can_be_undone(explore):
    explorer = explore("?tab=train&train.data=circles")
    page = explorer.page
    page.click("[data-action=read]")
    page.wait_for_selector("dialog.reading[data-read] .chart[data-drawn]")
    found = edm.data.advice("circles")
    assert page.locator("dialog.reading li").count() == len(found.sentences)
    assert page.locator("dialog.reading dd").all_inner_texts()[:2] == [f"{found.P_mean:g}", f"{found.P_std:g}"]
    page.click("dialog.reading [data-action=take]")
    explorer.wait(lambda: f"train.P_mean={found.P_mean:g}&train.P_std={found.P_std:g}" in explorer.query)
    assert page.locator("dialog.reading").count() == 0
    page.keyboard.press("Control+z")
    explorer.wait(lambda: "P_mean" not in explorer.query and "sigma_data" not in explorer.query)
    page.keyboard.press("Control+Shift+z")
    explorer.wait(lambda: "P_mean" in explorer.query)
    page.click("[data-dataset=spiral]")  # of which it is not true
    explorer.wait(lambda: "train.data=spiral" in explorer.query)
    assert "P_mean" not in explorer.query and "sigma_data" not in explorer.query
