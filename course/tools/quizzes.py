"""The quizzes: course/quizzes.yml, as a page of the book and as data for jupyterquiz.

On the page each answer is a fold, which needs neither a script nor a network and reads on GitHub too.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import yaml

COURSE = Path(__file__).resolve().parents[1]


def read(path: Path = COURSE / "quizzes.yml") -> list[dict]:
    """The chapters' quizzes; ValueError where a question lacks its one right answer or a reason."""
    quizzes = yaml.safe_load(path.read_text(encoding="utf-8"))
    for quiz in quizzes:
        for i, question in enumerate(quiz["questions"], 1):
            place = f"chapter {quiz['chapter']}, question {i}"
            if sum(bool(answer.get("right")) for answer in question["answers"]) != 1:
                raise ValueError(f"{place}: exactly one answer must be right")
            if not all(answer.get("because") for answer in question["answers"]):
                raise ValueError(f"{place}: each answer needs its explanation, because")
    return quizzes


def page(quizzes: list[dict], files: Mapping[int, tuple[str, str]]) -> str:
    """The page of the book; `files` holds file name and heading of each chapter."""
    parts = [
        "# Quizzes\n\nFive questions a chapter, to be answered before the session without a calculator. "
        "Open the answer that you think is right."
    ]
    for quiz in quizzes:
        name, heading = files[quiz["chapter"]]
        parts.append(
            f"## Quiz {quiz['chapter']}\n\nOn [chapter {quiz['chapter']}](../notebooks/{name}): "
            f"{heading.split(' · ', 1)[1]}."
        )
        for i, question in enumerate(quiz["questions"], 1):
            parts.append(f"**{quiz['chapter']}.{i}** {question['question']}")
            letters = "abcdef"[: len(question["answers"])]
            listed = [
                f"* ({letter}) {answer['answer']}"
                for letter, answer in zip(letters, question["answers"], strict=True)
            ]
            parts.append("\n".join(listed))
            for letter, answer in zip(letters, question["answers"], strict=True):
                said = f"{'Right.' if answer.get('right') else 'No.'} {answer['because']}"
                parts.append(f"<details><summary>I choose {letter}</summary>\n\n{said}\n\n</details>")
    return "\n\n".join(parts) + "\n"


def for_jupyterquiz(quiz: dict) -> list[dict]:
    return [
        {
            "question": question["question"],
            "type": "multiple_choice",
            "answers": [
                {
                    "answer": answer["answer"],
                    "correct": bool(answer.get("right")),
                    "feedback": answer["because"],
                }
                for answer in question["answers"]
            ],
        }
        for question in quiz["questions"]
    ]


def build(output: Path) -> None:
    """Write one file a chapter for jupyterquiz's display_quiz."""
    output.mkdir(parents=True, exist_ok=True)
    if not (COURSE / "quizzes.yml").exists():
        return
    for quiz in read():
        text = json.dumps(for_jupyterquiz(quiz), indent=1, ensure_ascii=False) + "\n"
        (output / f"{quiz['chapter']:02}.json").write_text(text, encoding="utf-8")
