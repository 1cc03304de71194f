"""`python -m app lessons export`: told apart from the server's options, and mistakes get a sentence."""

from types import SimpleNamespace

import pytest

from app.__main__ import main, options
from app.tours import command, pictures
from edm.base.errors import Refused

NO_LESSON = "steps: []\ntitle: t\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing"], "there is no lesson nothing; there are "),
        (["nothing.yaml"], "there is no file nothing.yaml"),
        (["rho", "--out", "no/such/folder/a.html"], "there is no folder"),
        (["rho", "--out", "tests"], "this is a folder"),
        (["rho", "--address", "javascript:alert(1)"], "such as https://"),
    ],
)
def test_what_cannot_be_exported_gets_a_sentence(arguments, words, capsys):
    assert main(["lessons", "export", *arguments]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert "Traceback" not in said


def test_a_file_that_holds_no_lesson_is_told_what_is_wrong_with_it(tmp_path, capsys):
    path = tmp_path / "mine.yaml"
    path.write_text(NO_LESSON)
    assert main(["lessons", "export", str(path)]) == 2
    assert "steps" in capsys.readouterr().err


def test_the_word_in_front_tells_it_from_the_server_which_keeps_its_options(capsys):
    assert options(["--port", "8000"]).port == 8000
    for arguments in (["lessons", "--help"], ["lessons", "export", "--help"]):
        with pytest.raises(SystemExit):
            main(arguments)
        assert "python -m app lessons export rho" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "python -m app lessons export rho" in capsys.readouterr().out


def test_ctrl_c_ends_it_with_a_word_and_leaves_no_file(tmp_path, monkeypatch, capsys):
    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(pictures, "explorer", stopped)
    assert main(["lessons", "export", "rho", "--out", str(tmp_path / "a.html")]) == 130
    assert "stopped" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_where_no_browser_can_be_started_the_remedy_is_told():
    class Broken(Exception):
        pass

    def launch(**_):
        raise Broken("Executable doesn't exist at /nowhere\nand a long story")

    with pytest.raises(Refused, match=r"doesn't exist.*playwright install chromium"):
        pictures.chromium(SimpleNamespace(chromium=SimpleNamespace(launch=launch)), Broken)


def test_without_playwright_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "playwright", None)
    with pytest.raises(Refused, match=r"edm-explorer\[export\]"), pictures.explorer("light"):
        pass


def test_a_server_that_does_not_start_says_why():
    with pytest.raises(Refused, match="did not start: python -m app: no such device"):
        pictures.address_of(SimpleNamespace(stdout=["python -m app: no such device\n", "\n"]))


def test_a_shipped_lesson_is_known_by_name_and_a_file_by_its_stem(tmp_path):
    path = tmp_path / "Mine.yaml"
    path.write_text("title: t\nsteps: [{text: one}]\n")
    assert command.read("rho")[0] == "rho"
    name, lesson = command.read(str(path))
    assert (name, lesson.steps[0].text) == ("Mine", "one")
