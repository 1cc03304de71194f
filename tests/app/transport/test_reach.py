"""By which address others reach the page, and its QR code."""

from urllib.parse import unquote

import pytest

from app.transport import reach
from app.transport.reach import picture, reached
from edm.base.errors import Refused


@pytest.mark.parametrize(
    "page",
    ["http://192.168.1.5:7860/", "https://school.example/edm/", "http://lab-3.local:7860/", "http://[fe80::1]:80/"],
)
def test_an_address_by_which_the_page_was_opened_from_elsewhere_is_kept(page):
    assert reached(f"{page}?model=spiral#x", local=False) == (page, None)


def test_localhost_becomes_this_machine_s_address_where_others_can_reach_it(monkeypatch):
    monkeypatch.setattr(reach, "outward", lambda: "192.168.1.5")
    for host in ("localhost", "127.0.0.1", "[::1]"):
        assert reached(f"http://{host}:7861/edm/", local=False) == ("http://192.168.1.5:7861/edm/", None)
    monkeypatch.setattr(reach, "outward", lambda: None)
    assert reached("http://localhost:7861/", local=False)[1] == reach.NOWHERE


def test_where_only_this_machine_is_listened_to_a_sentence_says_how_phones_come_in():
    address, sentence = reached("http://127.0.0.1:7860/", local=True)
    assert address == "http://127.0.0.1:7860/" and "--host 0.0.0.0 --classroom" in sentence


def test_this_machine_s_own_address_is_not_its_loopback():
    own = reach.outward()
    assert own is None or not own.startswith("127.")


@pytest.mark.parametrize("page", ["", "javascript:alert(1)", "//x", "http://", "http://[", "http://a:b/", "x" * 600])
def test_what_is_no_address_of_a_page_is_refused(page):
    with pytest.raises(Refused, match="must be the address of this page"):
        reached(page, local=False)


def test_a_qr_code_is_an_image_of_its_own():
    code = picture("http://192.168.1.5:7860/?lesson=s-abcdefgh")
    text = unquote(code)
    assert code.startswith("data:image/svg+xml") and "<svg" in text and "<script" not in text
    assert picture("http://192.168.1.5:7860/?lesson=s-abcdefgi") != code
