"""Data of one's own on the page: chosen, dropped, pasted; what they hold, what is refused, and what is chosen then."""

import base64
import io
import zipfile

import numpy as np
from PIL import Image

CARRY = """([files, text, kind]) => {
    const carried = new DataTransfer();
    for (const [name, content, type] of files)
        carried.items.add(new File([Uint8Array.from(atob(content), (c) => c.charCodeAt(0))], name, { type }));
    if (text) carried.setData("text/plain", text);
    const event = kind === "paste"
        ? new ClipboardEvent("paste", { clipboardData: carried, bubbles: true, cancelable: true })
        : new DragEvent(kind, { dataTransfer: carried, bubbles: true, cancelable: true });
    document.body.dispatchEvent(event);
}"""
NOISE = np.random.default_rng(7).integers(0, 256, (9, 24, 24, 3), dtype=np.uint8)


def png(k):
    file = io.BytesIO()
    Image.fromarray(NOISE[k]).save(file, "PNG")
    return file.getvalue()


def packed(files):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return file.getvalue()


def carry(page, kind, *files, text=""):
    given = [[name, base64.b64encode(data).decode(), type] for name, data, type in files]
    page.evaluate(CARRY, [given, text, kind])


def became(page, state="done"):
    page.wait_for_selector(f".brought[data-upload={state}]", timeout=60_000)
    return page.inner_text(".brought")


PETS = {f"pets/{kind}/{k}.png": png(k) for k in range(4) for kind in ("C++", "Kätzchen")}


def test_a_zip_dropped_on_the_sampler_is_data_to_train_on_and_its_pictures_are_read_again_in_another_size(explore):
    explorer = explore("?model=smiley")
    page = explorer.page
    carry(page, "drop", ("pets.zip", packed({**PETS, "pets/read me.txt": b"?"}), "application/zip"))
    page.wait_for_selector(".explorer[data-tab=train]")
    told = became(page)
    assert "8 pictures of 32 × 32, in 2 classes" in told and "Kätzchen 4" in told and "C++ 4" in told
    assert "read me.txt" in told and page.locator(".contact canvas").count() == 8
    first = explorer.query
    page.click(".brought [data-size='16']")
    page.wait_for_selector(".brought[data-upload=done] >> text=16 × 16")
    assert explorer.query != first and "train.data=own" in explorer.query
    assert page.input_value("[data-choice=picture-size]") == "16"
    page.click(".brought [data-size='as they are']")
    page.wait_for_selector(".brought[data-upload=done] >> text=24 × 24")
    explorer.wait(lambda: page.locator(".thumbs [data-dataset^='own:']").count() == 1)  # nobody needs the others
    page.click(".brought .close")
    page.click("[data-action=about]")
    assert "24 × 24" in became(page)
    page.click("[data-dataset=digits]")
    page.wait_for_selector(".brought", state="hidden")


def test_what_is_refused_says_so_until_something_else_is_brought_and_may_be_read_with_other_choices(explore):
    page = explore("?tab=train").page
    files = {**PETS, "pets/C++/torn.png": png(8)[:200], "pets/C++/half.png": png(7)[:300]}
    page.set_input_files("[data-files=files]", {"name": "torn.zip", "mimeType": "", "buffer": packed(files)})
    told = became(page, "refused")
    assert "torn.png" in told and "half.png" in told
    page.click(".brought [data-offer=leave_out]")
    told = became(page)
    assert "8 pictures" in told and "torn.png" in told
    page.set_input_files("[data-files=files]", {"name": "one.png", "mimeType": "", "buffer": png(1)})
    assert "one picture" in became(page, "refused").lower()
    page.click("[data-dataset=digits]")
    page.wait_for_selector(".brought", state="hidden")


def test_a_table_that_was_copied_is_pasted_and_other_columns_are_a_click_away(explore):
    page = explore("?tab=train").page
    rows = "\n".join(f"{k % 7}\t{k * k % 11}\t{k % 5},5\t{'ab'[k % 2]}" for k in range(40))
    carry(page, "paste", text=f"höhe\tbreite\ttiefe\tart\n{rows}")
    told = became(page)
    assert "40 points in the plane" in told and "höhe" in told and "breite" in told
    page.click(".brought [data-offer=columns]:has-text('tiefe') >> nth=0")
    page.wait_for_function("/tiefe/.test(document.querySelector('.scatter')?.innerText)")
    for k in range(2):
        carry(page, "paste", (f"image{k}.png", png(k), "image/png"))
        assert "Paste another one" in became(page, "refused") if k == 0 else "2 pictures" in became(page)
