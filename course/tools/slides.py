"""Build the slides: one deck for reveal.js a session, and its PDF where a chromium is found.

    python course/tools/slides.py [--no-pdf]       write _build/course/slides

course/slides.yml names boxes and figures of the chapters by their anchors, and says what to say. Text and
pictures are those of the chapters. The decks need no network: reveal.js lies in course/reveal, MathJax beside
the sheets. Press s for the speaker's notes. The PDF has one slide a page, without notes.
"""

import html
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import build
import course_pages
import exercises
import nbformat
import quizzes
import yaml

COURSE = Path(__file__).resolve().parents[1]
ROOT = COURSE.parent
OUTPUT = ROOT / "_build" / "course" / "slides"
STYLE = """\
.reveal { font: 28px/1.45 system-ui, sans-serif; color: #1b2a38; background: #fff; }
.reveal .slides { text-align: left; }
.reveal h1, .reveal h2 { font-size: 1.5em; color: #33526e; margin: 0 0 .6em; }
.reveal h2 { font-size: 1.2em; }
.reveal blockquote { margin: 0; padding: .1em 1em; border-left: 6px solid #33526e; background: #f1f5f9; }
.reveal img { max-width: 100%; max-height: 500px; display: block; margin: 0 auto; }
.reveal figcaption, .reveal .small { font-size: .7em; }
.reveal li { margin: .35em 0; }
.reveal pre { background: #f1f5f9; padding: .6em; font-size: .8em; }
.reveal a { color: #1f5fa8; }
"""
PRINTED = """\
@page { size: 1280px 720px; margin: 0; }
section { box-sizing: border-box; width: 1280px; height: 720px; padding: 36px 64px; overflow: hidden;
          break-after: page; }
.notes { display: none; }
"""
# Once they are drawn, a formula that is too wide and a slide that is too full get smaller letters.
FIT = """\
window.addEventListener("load", () => MathJax.startup.promise.then(() => {
  for (const slide of document.querySelectorAll(".slides section")) {
    const {display} = slide.style, hidden = slide.hidden;
    slide.hidden = false; slide.style.display = "block";
    for (const formula of slide.querySelectorAll('mjx-container[display="true"]')) {
      const wide = () => formula.querySelector("svg").getBoundingClientRect().right > limit();
      const scale = slide.getBoundingClientRect().width / slide.offsetWidth;
      const padding = scale * parseFloat(getComputedStyle(formula.parentElement).paddingRight);
      const limit = () => formula.parentElement.getBoundingClientRect().right - padding + 1;
      for (let size = 100; size > 50 && wide(); size -= 2) formula.style.fontSize = size + "%";
    }
    for (let size = 28; size > 12 && slide.scrollHeight > FULL; size--) slide.style.fontSize = size + "px";
    slide.hidden = hidden; slide.style.display = display;
  }
  if (window.Reveal) Reveal.layout();
  document.body.dataset.fitted = "yes";
}));
"""
START = """\
Reveal.initialize({width: 1280, height: 720, margin: 0.05, hash: true, center: false, transition: "none",
                   plugins: [RevealNotes]});
"""


class Chapter:
    """The boxes and figures of a chapter, one notebook or two, by anchor."""

    def __init__(self, *paths: Path):
        self.cells = [cell for path in paths for cell in nbformat.read(path, as_version=4).cells]
        self.name = paths[0].name

    def item(self, anchor: str) -> str:
        """Markdown of the box, or HTML of the figure with its caption; ValueError where there is none."""
        mark = f'<a id="{anchor}"></a>\n'
        before = None
        for cell in self.cells:
            if cell.cell_type == "code":
                before = cell
            elif mark in cell.source:
                rest = cell.source[cell.source.index(mark) + len(mark) :]
                if not anchor.startswith("fig"):
                    return re.match(r"(?:>.*(?:\n|\Z))+", rest)[0]
                picture, width = _picture(before)
                caption = rest.split("\n\n")[0].strip().strip("*")
                alternative = html.escape(re.sub(r"[$*\\]", "", caption), quote=True)
                return (
                    f'<img alt="{alternative}"{width} src="data:image/png;base64,{picture}">\n\n'
                    f'<div class="small">\n\n{caption}\n\n</div>'
                )
        raise ValueError(f"{self.name} has no anchor {anchor}")

    def change(self) -> tuple[str, str]:
        """A cell to change, from the chapter's section "Which assertion breaks?", and the answer."""
        heading = "## Which assertion breaks?"
        text = next(cell.source for cell in self.cells if cell.source.startswith(heading))
        answer = re.search(r"(?s)</summary>\n\n(.*?)\n\n</details>", text)[1]
        return re.search(r"(?m)^\* (.*)", text)[1], answer


def _picture(cell) -> tuple[str, str]:
    """The PNG in base64, and the attribute of HTML with its width where the notebook has one."""
    for output in cell.get("outputs", []) if cell else []:
        if "image/png" in output.get("data", {}):
            width = output.metadata.get("image/png", {}).get("width")
            return output["data"]["image/png"].replace("\n", ""), f' width="{width}"' if width else ""
    raise ValueError("no picture stands before the caption")


def rendered(markdown: str) -> str:
    """HTML with formulas for MathJax; links lose their target, which a slide has not."""
    from markdown_it import MarkdownIt
    from mdit_py_plugins.dollarmath import dollarmath_plugin

    markdown = re.sub(r'<a id="[^"]*"></a>', "", markdown)
    markdown = re.sub(r"(?<!!)\[([^\[\]]+)\]\((?!http)[^)]*\)", r"\1", markdown)
    body = MarkdownIt("commonmark", {"html": True}).use(dollarmath_plugin).render(markdown)
    body = re.sub(r'<span class="math inline">(.*?)</span>', r"\\(\1\\)", body, flags=re.DOTALL)
    return re.sub(r'<div class="math block">(.*?)</div>', r"\\[\1\\]", body, flags=re.DOTALL)


def section(content: str, notes: str = "") -> str:
    aside = f'<aside class="notes">{html.escape(notes)}</aside>' if notes else ""
    return f"<section>\n{content}\n{aside}\n</section>"


def deck(
    session: dict, chapters: dict[int, Chapter], files: course_pages.Files, sources: dict, quiz: list[dict]
) -> list[str]:
    """The slides of one session."""
    own = [chapters[number] for number in session["chapters"]]
    names = "; ".join(files[number][1] for number in session["chapters"])
    slides = [
        section(f"<h1>{html.escape(session['title'])}</h1>\n<p>Session {session['session']}: {names}</p>")
    ]
    for number in session["chapters"]:
        aims = course_pages.paragraph(chapters[number].cells[0].source, "You will be able to")
        slides.append(section(rendered(f"## Chapter {files[number][1]}\n\nYou will be able to\n\n{aims}")))
    for shown in session["show"]:
        chapter = next(c for c in own if c.name == files[int(shown["at"].split("-")[1])][0])
        slides.append(section(rendered(chapter.item(shown["at"])), shown["say"]))
    exercise = sources[session["exercise"]]
    text = f"## Exercise {exercise.number} ({exercise.title})\n\n{exercise.texts['prompt']}\n\n"
    text += f"```python\n{exercise.cell('stub')}\n```\n\n{exercise.label}"
    slides.append(section(rendered(text), f"Objective: {exercise.objective}."))
    change, answer = own[0].change()
    text = f"## Predict, then run\n\nIn chapter {session['chapters'][0]}, the cell of {change}\n\n"
    text += "Does the assertion still pass?"
    slides.append(section(rendered(text), answer))
    asked = session.get("quiz", session["chapters"][-1])
    for question in next(q for q in quiz if q["chapter"] == asked)["questions"][:3]:
        answers = "\n".join(f"* {answer['answer']}" for answer in question["answers"])
        right = next(answer for answer in question["answers"] if answer.get("right"))
        text = f"## Quiz\n\n{question['question']}\n\n{answers}"
        slides.append(section(rendered(text), f"Right: {right['answer']}. {right['because']}"))
    return slides


def page(title: str, slides: list[str], *, printed: bool) -> str:
    """The deck for reveal.js, or as pages to print."""
    fit = FIT.replace("FULL", "720" if printed else "700")
    scripts = f"<script>\n{fit}</script>"
    if not printed:
        files = "\n".join(f'<script src="reveal/{name}"></script>' for name in ("reveal.js", "notes.js"))
        scripts = f"{files}\n<script>\n{START}{fit}</script>"
    sheet = "" if printed else '<link rel="stylesheet" href="reveal/reveal.css">\n'
    style = STYLE + (PRINTED if printed else "")
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>\n'
        f"{sheet}<style>\n{style}</style>\n<script>MathJax = {build.MATHJAX}</script>\n"
        '<script defer src="../student/mathjax/startup.js"></script>\n</head>\n'
        f'<body><div class="reveal"><div class="slides">\n{"".join(slides)}\n</div></div>\n'
        f"{scripts}\n</body></html>\n"
    )


def decks() -> list[tuple[str, list[str]]]:
    """Title and slides of each session."""
    files, sources = build.titles(), exercises.read()
    given = yaml.safe_load((COURSE / "slides.yml").read_text(encoding="utf-8"))
    wanted = sorted({number for session in given for number in session["chapters"]})
    folder = ROOT / "notebooks"
    chapters = {
        number: Chapter(*(folder / name for name in course_pages.parts(files[number][0], folder)))
        for number in wanted
    }
    quiz = quizzes.read()
    return [(session["title"], deck(session, chapters, files, sources, quiz)) for session in given]


def print_pdf(source: Path, target: Path, browser: str) -> None:
    with tempfile.TemporaryDirectory() as profile:
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer", "--no-first-run"]
        options += [f"--user-data-dir={profile}", "--virtual-time-budget=30000", f"--print-to-pdf={target}"]
        subprocess.run([browser, *options, source.as_uri()], check=True, capture_output=True, timeout=120)


def write(output: Path) -> list[Path]:
    """Write each deck, and its pages to print beside it as NAME_print.html; the paths of the decks."""
    shutil.copytree(COURSE / "reveal", output / "reveal", dirs_exist_ok=True)
    paths = []
    for number, (title, slides) in enumerate(decks(), 1):
        paths.append(output / f"session_{number}.html")
        for path, printed in ((paths[-1], False), (to_print(paths[-1]), True)):
            path.write_text(page(title, slides, printed=printed), encoding="utf-8")
    return paths


def to_print(deck: Path) -> Path:
    return deck.with_name(f"{deck.stem}_print.html")


def main(arguments: list[str]) -> int:
    browser = None if "--no-pdf" in arguments else shutil.which("chromium") or shutil.which("google-chrome")
    for path in write(OUTPUT):
        if browser:
            print_pdf(to_print(path), path.with_suffix(".pdf"), browser)
        to_print(path).unlink()
    print(f"built {OUTPUT}{'' if browser else ', without PDFs: they need chromium'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
