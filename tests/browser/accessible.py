"""What axe-core finds wrong with what a person sees of the page."""

from tests import scripts

SCREEN, PHONE = (1280, 800), (390, 844)
LOOK = """() => axe.run(document, { resultTypes: ["violations"], rules: { "target-size": { enabled: true } } })
    .then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map((node) =>
        `${id}: ${node.target.join(" ")} (${node.failureSummary.replace(/\\s+/g, " ").slice(0, 300)})`)))"""


def bring(page):
    """axe-core into a page; it stays until another page is opened."""
    page.evaluate((scripts.install() / "axe-core" / "axe.min.js").read_text(encoding="utf-8"))


def wrong(page, name):
    """Sentences about what is wrong with what is shown now, which is called `name`."""
    return [f"{name}: {sentence}" for sentence in page.evaluate(LOOK)]


def instruments(page, names):
    """One after the other is shown, with the pointer on its name; what is wrong with each."""
    for name in names:
        button = page.locator(f"[data-instrument={name}]")
        tab = button.evaluate("node => node.closest('.tab').dataset.tab")
        page.click(f"nav [data-tab={tab}]")
        button.click()
        page.wait_for_selector(f".instrument[data-show={name}][data-messages]", timeout=60_000)
        button.hover()
        yield from wrong(page, name)


def train(page):
    """The Train tab, with all of its form."""
    page.click("nav [data-tab=train]")
    page.wait_for_selector(".form[data-planned]", timeout=60_000)
    page.evaluate("document.querySelectorAll('details').forEach((node) => { node.open = true; })")
    return wrong(page, "train")


def dialogs(page):
    """What the header opens."""
    for title in ("Figures", "Share"):
        page.click(f"header button:text-is('{title}')")
        yield from wrong(page, title)
        page.keyboard.press("Escape")
