from pathlib import Path

from runtime.error_answers import ERROR_ANSWERS

PAGE = Path(__file__).resolve().parents[3] / "docs" / "errors.md"


def test_the_page_of_errors_says_what_callers_are_answered() -> None:
    rows = {
        cells[1].strip(" `"): (cells[2].strip(), cells[3].strip())
        for line in PAGE.read_text().splitlines()
        if (cells := line.split("|"))[0] == "" and line.startswith("| `")
    }

    assert rows == {
        reason: (answer.code.name, answer.text)
        for reason, answer in ERROR_ANSWERS.items()
        if reason != "UNSPECIFIED"
    }
