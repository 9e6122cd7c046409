"""What the site takes from outside of docs/: the pages at the root, the files linked to, commands.

On GitHub and in a clone, documents link to code, configurations and tests. In the site each such
file is a page of its own, so that a reader without a clone can follow the link.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page
from typer import Context
from typer.cli import get_docs_for_click
from typer.main import get_command

from reformsim.cli import app

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
#: Where the page of commands lists them.
COMMANDS = "<!-- commands -->"
#: Pages at the root of the repository, and what they are called in the site.
PAGES = {
    "README.md": "index.md",
    "ARCHITECTURE.md": "ARCHITECTURE.md",
    "CONTRIBUTING.md": "CONTRIBUTING.md",
    "CHANGELOG.md": "CHANGELOG.md",
}
LINK = re.compile(r"(\]\()([^)\s#]+)((?:#[^)\s]*)?\))")
#: Signs of Chinese, and all its letters and signs.
SIGNS = "\u3000-\u303f\uff00-\uffef“”"
CHINESE = f"{SIGNS}\u4e00-\u9fff"
#: Where a line of Chinese was broken: a browser would show the break as a blank.
BREAK = re.compile(rf"([{CHINESE}]\**)\n *(?=[*\[]*[{CHINESE}])|([{SIGNS}]\**)\n *(?=[\w`\[*])")
#: A block of code, whose lines stay as they are.
FENCED = re.compile(r"(^ *```.*?^ *```$)", re.DOTALL | re.MULTILINE)
LANGUAGES = {".py": "python", ".yaml": "yaml", ".toml": "toml"}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages at the root, and a page for each file and folder that a document links to."""
    for name, uri in PAGES.items():
        files.append(File.generated(config, uri, abs_src_path=str(ROOT / name)))
    linked = {found for page in files.documentation_pages() for found in _outside(page)}
    for found in sorted(linked):
        file = File.generated(config, _uri(found), content=_shown(found))
        file.inclusion = InclusionLevel.NOT_IN_NAV
        files.append(file)
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Join broken lines of Chinese; turn links into the repository into links within the site."""
    here = _source(page.file)
    if here is None:
        return markdown
    markdown = joined(markdown)

    def within(match: re.Match[str]) -> str:
        target = _target(here, match[2])
        if target is None:
            return match[0]
        link = os.path.relpath(_uri(target), os.path.dirname(page.file.src_uri) or ".")
        return f"{match[1]}{link}{match[3]}"

    return LINK.sub(within, markdown).replace(COMMANDS, _commands() if COMMANDS in markdown else "")


def joined(markdown: str) -> str:
    """Join the lines of Chinese paragraphs without a blank; code stays as it is."""
    parts = FENCED.split(markdown)
    parts[::2] = [BREAK.sub(lambda match: match[1] or match[2], part) for part in parts[::2]]
    return "".join(parts)


def _commands() -> str:
    """Return the help of every command, in headings below one of the second level."""
    command = get_command(app)
    return get_docs_for_click(obj=command, ctx=Context(command), name="reformsim", indent=2)


def _source(file: File) -> Path | None:
    """Return the file of the repository that a page is written in, None where it is made."""
    for name, uri in PAGES.items():
        if file.src_uri == uri:
            return ROOT / name
    return DOCS / file.src_uri if (DOCS / file.src_uri).exists() else None


def _target(here: Path, link: str) -> Path | None:
    """Return the file or folder that a relative link leads to, relative to the repository."""
    if re.match(r"[a-z]+:", link):
        return None
    found = (here.parent / link).resolve()
    return found.relative_to(ROOT) if found.exists() and found.is_relative_to(ROOT) else None


def _uri(target: Path) -> str:
    """Return where in the site a file of the repository is."""
    if target.as_posix() in PAGES:
        return PAGES[target.as_posix()]
    inside = (ROOT / target).is_relative_to(DOCS)
    if inside and (ROOT / target).is_file() and target.suffix not in LANGUAGES:
        return (ROOT / target).relative_to(DOCS).as_posix()
    return f"files/{target.as_posix()}.md"


def _outside(page: File) -> Iterator[Path]:
    """Yield the files and folders linked to by a page that have no place in the site yet."""
    here = _source(page)
    if here is None:
        return
    for match in LINK.finditer(here.read_text("utf-8")):
        target = _target(here, match[2])
        if target is not None and _uri(target).startswith("files/"):
            yield target


def _shown(target: Path) -> str:
    """Return the page of a file or a folder; the search leaves it out."""
    path = ROOT / target
    head = f"---\nsearch: {{exclude: true}}\n---\n# {target.as_posix()}\n\n"
    if path.is_dir():
        names = sorted(item.name for item in path.iterdir() if item.name[0] not in "._")
        return head + "\n".join(f"- `{name}`" for name in names) + "\n"
    return f"{head}````{LANGUAGES.get(path.suffix, 'text')}\n{path.read_text('utf-8')}\n````\n"
