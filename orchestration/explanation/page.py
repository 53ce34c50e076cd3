"""An explanation as one page of HTML that needs nothing else: opens from disk, prints on paper.

Belongs here: markup. Does not: wording (`sentences`) or structure (`tree`).
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from orchestration.explanation.node import Node, Rule
from orchestration.explanation.spelling import spoken
from orchestration.explanation.text import rule_line, spans

OPEN_TO = 2
"""Levels that are open at first; a print opens all."""
STYLE = """
body{font:16px/1.5 system-ui,sans-serif;color:#1a1a1a;background:#fff;max-width:70rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.4rem}ul{list-style:none;padding-left:1.2rem;border-left:1px solid #c8c8c8;margin:.2rem 0}
summary{cursor:pointer}summary:focus-visible{outline:3px solid #1f5fa8}
.figure{font-weight:600}.line{color:#3d3d3d;margin:0 0 0 1.2rem}.open{color:#8a3b00}
.rules{font-size:.9rem}footer{margin-top:2rem;font-size:.9rem;color:#3d3d3d;overflow-wrap:anywhere}
@media print{body{margin:0;max-width:none}
details::details-content{content-visibility:visible;display:block;height:auto}details>*{display:block}}
"""


def page(root: Node, release: str, manifest_sha256: str) -> str:
    """The whole page; `release` and the digest of its manifest say what was explained."""
    tree, rules = fragments(root)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{escape(root.title)}</title><style>{STYLE}</style></head><body><main>"
        f"<h1>{escape(root.title)}</h1><p class=figure>{escape(root.figure)}</p>{tree}"
        f"<h2>Policy rows applied</h2>{rules}</main>"
        f"<footer>Release {escape(release)}, manifest sha256 {escape(manifest_sha256)}</footer></body></html>\n"
    )


def fragments(root: Node, open_to: int = OPEN_TO) -> tuple[str, str]:
    """The list of what stands below `root`, and the numbered list of the policy rows it applied, for any page."""
    numbers: dict[Rule, int] = {}
    tree = "".join(_node(root, 0, numbers, open_to))
    rules = "".join(
        f'<li id="rule-{number}"{_open(rule)}>{escape(rule_line(rule))}</li>' for rule, number in numbers.items()
    )
    return f"<ul>{tree}</ul>", f'<ol class="rules">{rules}</ol>'


def _node(node: Node, depth: int, numbers: dict[Rule, int], open_to: int) -> Iterator[str]:
    if depth == 0:
        for child in node.children:
            yield from _node(child, 1, numbers, open_to)
        return
    status = "" if node.status == "ok" else f" ({escape(spoken(node.status))})"
    cited = [numbers.setdefault(rule, len(numbers) + 1) for rule in node.rules]
    links = " ".join(f'<a href="#rule-{first}">[{words}]</a>' for first, words in spans(cited))
    head = f"{escape(node.title)}: <span class=figure>{escape(node.figure)}</span>{status}"
    lines = "".join(f"<p class=line>{escape(line)}</p>" for line in node.lines)
    lines += f"<p class=line>rules {links}</p>" if links else ""
    yield f"<li><details{' open' if depth <= open_to else ''}><summary>{head}</summary>{lines}"
    if node.children:
        yield "<ul>"
        for child in node.children:
            yield from _node(child, depth + 1, numbers, open_to)
        yield "</ul>"
    yield "</details></li>"


def _open(rule: Rule) -> str:
    return ' class="open"' if rule.status == "inferred" else ""
