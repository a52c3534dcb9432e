"""The quizzes: course/quizzes.yml, as a page of the book, as a page that marks answers, and for notebooks.

On the book's page each answer is a fold, which needs neither a script nor a network and reads on GitHub too.
The page that marks holds the questions and loads two scripts of jupyterquiz from the folder beside it; it
needs no network either. The notebook holds its questions, encoded, and shows them by the package jupyterquiz.
"""

import base64
import html
import json
import re
from collections.abc import Mapping
from pathlib import Path

import nbformat
import yaml

COURSE = Path(__file__).resolve().parents[1]
PACKAGE = "jupyterquiz==2.9.6.4"
COLOURS = """\
.marks { --jq-multiple-choice-bg: #33526e; --jq-mc-button-bg: #fafafa; --jq-mc-button-border: #e0e0e0;
  --jq-mc-button-inset-shadow: #555; --jq-incorrect-color: #a30000; --jq-correct-color: #00701a;
  --jq-text-color: #fafafa; --jq-link-color: #9abafa; border-radius: 10px; }
body { max-width: 46em; margin: 2em auto; padding: 0 1em; font: 1rem/1.5 sans-serif; color: #1b2a38; }
"""
# jupyterquiz typesets what it says with MathJax 2 and 3 alone; the book has MathJax 4.
START = """\
const options = {shuffleAnswers: false, preserveResponses: false, maxWidth: 700};
for (const [chapter, questions] of Object.entries(QUIZZES)) {
  const place = document.getElementById("quiz-" + chapter);
  questions.forEach((question, i) => Question.create(question, makeid(8), i, options, place));
}
addEventListener("click", () => MathJax.typesetPromise([...document.querySelectorAll(".Feedback")]));
"""


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
        "Open the answer that you think is right.",
        "On Colab the notebook `course/student/quizzes.ipynb` of the repository marks your answers, on the "
        "site a page does:",
        "```{eval-rst}\n`The page that marks answers <../_static/quizzes.html>`_\n```",
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


def marked_up(text: str) -> str:
    """HTML of the text for jupyterquiz, which takes formulas between dollars but no other Markdown."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text, quote=False))


def for_jupyterquiz(quiz: dict) -> list[dict]:
    return [
        {
            "question": marked_up(question["question"]),
            "type": "multiple_choice",
            "answers": [
                {
                    "answer": marked_up(answer["answer"]),
                    "correct": bool(answer.get("right")),
                    "feedback": marked_up(answer["because"]),
                }
                for answer in question["answers"]
            ],
        }
        for question in quiz["questions"]
    ]


def marking_page(quizzes: list[dict], files: Mapping[int, tuple[str, str]], mathjax: str) -> str:
    """The page that marks answers, beside the folders of jupyterquiz and of MathJax, set up by `mathjax`."""
    data = json.dumps({quiz["chapter"]: for_jupyterquiz(quiz) for quiz in quizzes}, ensure_ascii=False)
    data = data.replace("<", "\\u003c")
    places = "\n".join(
        f"<h2>Quiz {html.escape(files[quiz['chapter']][1])}</h2>\n"
        f'<div class="marks" id="quiz-{quiz["chapter"]}"></div>'
        for quiz in quizzes
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Quizzes</title>\n'
        f"<style>\n{COLOURS}</style>\n"
        '<link rel="stylesheet" href="jupyterquiz/styles.css">\n'
        f"<script>MathJax = {mathjax}</script>\n"
        '<script defer src="mathjax/startup.js"></script>\n'
        '<script src="jupyterquiz/helpers.js"></script>\n'
        '<script src="jupyterquiz/multiple_choice.js"></script>\n'
        "</head>\n<body>\n<main>\n<h1>Quizzes</h1>\n"
        f"<p>Choose an answer; the page says why it is right or wrong.</p>\n{places}\n</main>\n"
        f"<script>\nconst QUIZZES = {data};\n{START}</script>\n</body></html>\n"
    )


def notebook(quizzes: list[dict], files: Mapping[int, tuple[str, str]], badge: str, url: str) -> str:
    """The notebook that shows them by jupyterquiz. It holds the questions, encoded."""
    code, prose = nbformat.v4.new_code_cell, nbformat.v4.new_markdown_cell
    install = (
        "# On Google Colab, some seconds. Anywhere else: pip install jupyterquiz\n"
        "import base64\nimport json\nimport subprocess\nimport sys\n\n"
        'if "google.colab" in sys.modules:\n'
        f'    pip = [sys.executable, "-m", "pip", "install", "--quiet", "{PACKAGE}"]\n'
        "    subprocess.run(pip, check=True)\n"
        "from jupyterquiz import display_quiz\n\n\n"
        "def quiz(questions):\n"
        "    display_quiz(json.loads(base64.b64decode(questions)), shuffle_answers=False)"
    )
    cells = [
        prose(
            f"# Quizzes\n\n{badge}\n\nFive questions on each chapter of [the book]({url}). Run a cell and "
            "choose an answer; it says why it is right or wrong.",
            id="title",
        ),
        code(install, id="install", metadata={"tags": ["hide-cell"]}),
    ]
    for quiz in quizzes:
        chapter = quiz["chapter"]
        data = base64.b64encode(json.dumps(for_jupyterquiz(quiz)).encode()).decode()
        cells.append(prose(f"## Quiz {files[chapter][1]}", id=f"heading-{chapter}"))
        cells.append(code(f'quiz("{data}")', id=f"quiz-{chapter}"))
    made = nbformat.v4.new_notebook(cells=cells)
    made.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    return nbformat.writes(nbformat.from_dict(made)) + "\n"


def build(output: Path) -> None:
    """Write one file a chapter for jupyterquiz's display_quiz."""
    output.mkdir(parents=True, exist_ok=True)
    for quiz in read():
        text = json.dumps(for_jupyterquiz(quiz), indent=1, ensure_ascii=False) + "\n"
        (output / f"{quiz['chapter']:02}.json").write_text(text, encoding="utf-8")
