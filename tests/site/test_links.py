"""The link check of the site: every kind of fault is found, and nothing else is."""

from __future__ import annotations

import pytest

from taskbind.site.links import check_links

PAGE = """<!doctype html>
<html><head><title>A page</title>
<link rel="stylesheet" href="style.css"><link rel="icon" href="icon.svg"><link rel="canonical" href="https://else.org/">
<style>body { background: url(picture.png) }</style>
<script src="script.js"></script></head>
<body>
<h1 id="top-of-page">A page</h1>
<a href="other.html#part">Other</a> <a href="#top-of-page">Up</a> <a href="folder/">Folder</a> <a href="#">Top</a>
<a href="https://else.org/x">Elsewhere</a> <a href="mailto:a@else.org">Mail</a> <a href="data.json">Data</a>
<img src="picture.png" srcset="picture.png 1x, picture.png 2x" alt="A picture">
<div style="background: url('picture.png')"></div><img src="data:image/png;base64,AAAA" alt="">
<svg><use href="icon.svg#mark"/><circle id="dot"/></svg> <a href="a%20b.html?x=1#%C3%A9">Escaped</a>
<!-- place -->
</body></html>
"""
SITE = {
    "index.html": PAGE,
    "other.html": '<h2 id="part">Part</h2><a name="old">Old</a><a href="index.html#dot">Dot</a>',
    "a b.html": '<p id="é">é</p>',
    "folder/index.html": '<a href="../index.html">Up</a><a href="../other.html#old">Old</a>',
    "style.css": "/* url(https://else.org/none.png) */ @import 'more.css'; a { background: url(picture.png) }",
    "more.css": "b { mask: url(#dot) }",
    "icon.svg": '<svg xmlns="http://www.w3.org/2000/svg"><path id="mark"/><image href="picture.png"/></svg>',
    "script.js": "fetch('data.json')",
    "picture.png": "",
    "data.json": '{"a": "https://else.org/"}',
    "page.md": "[Other](other.html) ![A picture](picture.png)\n```md\n[gone](gone.md)\n```\nA `[gone](gone.md)` too.\n",
    "llms.txt": "# A\n\n- [Page](page.md): a page\n",
}


def faults(files: dict[str, str], url: str | None = None) -> list[str]:
    data = {name: text.encode() for name, text in files.items()}
    return [str(fault) for fault in check_links(data, url=url).faults]


def test_what_is_escaped_in_markdown_is_text() -> None:
    sound = r"\[x\](gone.md) \` `](gone.md)` \` x](gone.md) [x\](gone.md) ``` `[x](gone.md)`"
    assert faults(SITE | {"page.md": sound + "\n\n~~~\n[x](gone.md)\n\n[x]: gone.md\n"}) == []
    text = r"\![i](https://else.org/i) \[x\](gone.md) \\`[y](other.html)\\` \`[z](gone.md)\`"
    assert faults(SITE | {"page.md": text}) == [
        "page.md:1: link to 'gone.md', and there is no such file; did you mean 'page.md'?"
    ]


def test_a_sound_site_has_no_fault() -> None:
    assert faults(SITE) == []
    checked = check_links({name: text.encode() for name, text in SITE.items()})
    assert checked.pages == 4
    assert checked.links > 25


@pytest.mark.parametrize(
    ("planted", "told"),
    [
        ('<a href="absent">x</a>', "link to 'absent', and there is no such file; correct the path, or add the file"),
        ('<a href="othr.html">x</a>', "no such file; did you mean 'other.html'?"),
        ('<a href="Other.html">x</a>', "no such file; did you mean 'other.html'?"),
        ('<a href="other.html#prt">x</a>', "nothing in other.html has this id; did you mean '#part'?"),
        ('<a href="#nowhere-at-all">x</a>', "nothing in index.html has this id; correct the anchor"),
        ('<a href="icon">x</a>', "link to 'icon', and there is no such file"),
        (
            '<a href="/other.html">x</a>',
            "an absolute path, which is wrong for a site below a folder; write it relative",
        ),
        ('<a href="../other.html">x</a>', "which is outside of the site"),
        ('<a href="javascript:alert(1)">x</a>', "whose scheme is none for a page"),
        ('<a href="file:///etc/hosts">x</a>', "whose scheme is none for a page"),
        ('<a href="http://[x">x</a>', "is no address"),
        ('<meta http-equiv="refresh" content="0; url=gone.html">', "it loads 'gone.html'"),
        ('<meta http-equiv="refresh" content="0;URL=\'https://else.org\'">', "from another host"),
        ('<form action="gone.html"></form>', "link to 'gone.html'"),
        ('<map><area href="gone.html"></map>', "link to 'gone.html'"),
        ('<base href="folder/">', "a <base> changes what every link on the page means"),
        ('<p id="dot">x</p>', "the id 'dot' is there a second time (first in line 12); give one of the two another id"),
        ('<img src="gone.png">', "it loads 'gone.png', and there is no such file"),
        ('<img src="">', "it loads '', which names no file"),
        ('<img src="picture.png" srcset="picture.png 1x, gone.png 2x">', "it loads 'gone.png'"),
        ('<picture><source srcset="gone.webp"></picture>', "it loads 'gone.webp'"),
        ('<video src="picture.png" poster="gone.png"></video>', "it loads 'gone.png'"),
        ('<audio src="gone.flac"></audio>', "it loads 'gone.flac'"),
        ('<iframe src="gone.html"></iframe>', "it loads 'gone.html'"),
        ('<object data="gone.svg"></object>', "it loads 'gone.svg'"),
        ('<script src="gone.js"></script>', "it loads 'gone.js'"),
        ('<link rel="preload" href="gone.js">', "it loads 'gone.js'"),
        ('<svg><use href="icon.svg#none"/></svg>', "nothing in icon.svg has this id"),
        ('<svg><use xlink:href="#none"/></svg>', "nothing in index.html has this id"),
        ('<div style="background: url(gone.png)"></div>', "it loads 'gone.png'"),
        ("<style>\n\np { background: url(gone.png) }</style>", "index.html:15: it loads 'gone.png'"),
        ('<script src="https://else.org/x.js"></script>', "from another host; make the file a part of the site"),
        ('<script src="//else.org/x.js"></script>', "it loads '//else.org/x.js' from another host"),
        ('<img src="http://else.org/x.png">', "from another host"),
        ('<img src="picture.png" srcset="https://else.org/x.png 2x">', "from another host"),
        ('<link rel="preconnect" href="https://else.org">', "from another host"),
        ('<link rel="stylesheet" href="https://else.org/x.css">', "from another host"),
        ("<style>@import url(https://else.org/x.css);</style>", "from another host"),
        ('<style>@IMPORT "https://else.org/x.css";</style>', "from another host"),
        ('<div style="background: URL(https://else.org/x.png)"></div>', "from another host"),
        ('<style>a { background: image-set("https://else.org/x.png" type("image/png")) }</style>', "from another host"),
        ("<style>a { background: url(\\68ttps://else.org/x.png) }</style>", "from another host"),
        ("<div style=\"background: image-set('gone.png' 1x)\"></div>", "it loads 'gone.png'"),
        ('<svg><rect fill="url(https://else.org/x.svg#a)"/></svg>', "from another host"),
        ('<svg><g clip-path="url(#none)"/></svg>', "nothing in index.html has this id"),
        ('<svg><linearGradient href="#none"/></svg>', "nothing in index.html has this id"),
        ('<table background="https://else.org/x.png"></table>', "from another host"),
        ('<iframe srcdoc="<img src=https://else.org/x.png>"></iframe>', "from another host"),
        ('<a ping="https://else.org/p" href="#dot">x</a>', "from another host"),
        ('<script>import("https://else.org/x.js")</script>', "from another host"),
        ('<script type="module">import { x } from "https://else.org/x.js"</script>', "from another host"),
        ('<button formaction="gone.html">x</button>', "link to 'gone.html'"),
        ('<label for="none">x</label>', "link to '#none', and nothing in index.html has this id"),
        ('<p aria-labelledby="dot none">x</p>', "link to '#none', and nothing in index.html has this id"),
        ('<img src="folder">', "it loads 'folder', which is a page"),
        ('<img src="other.html">', "it loads 'other.html', which is a page; name a file that can be a part of a page"),
        ('<svg><image xlink:href="https://else.org/x.png"/></svg>', "from another host"),
    ],
)
def test_a_planted_fault_is_the_only_one(planted: str, told: str) -> None:
    found = faults(SITE | {"index.html": PAGE.replace("<!-- place -->", planted)})
    assert len(found) == 1
    assert told in found[0]
    assert found[0].startswith(("index.html:13: ", "index.html:15: "))


@pytest.mark.parametrize(
    "planted",
    [
        '<a href="#TOP">x</a>',
        '<img srcset="data:image/png;base64,AAAA 1x, picture.png 2x">',
        '<img srcset="picture.png, picture.png 2x,picture.png 3x">',
        '<textarea><img src="gone.png"></textarea><svg><title/></svg>',
        '<a href="sms:1">x</a> <meta http-equiv="refresh" content="5">',
        '<label for="dot" style="color: red">x</label><iframe src="other.html"></iframe>',
        '<script>document.write("<img src=gone.png>")</script><!-- <img src="gone.png"> -->',
        '<img alt="url(https://else.org/)" src="picture.png?v=2"><link rel="prefetch" href="other.html">',
        '<iframe srcdoc="<a href=#x>x</a>"></iframe>',
    ],
)
def test_what_is_sound_is_no_fault(planted: str) -> None:
    assert faults(SITE | {"index.html": PAGE.replace("<!-- place -->", planted)}) == []


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("style.css", "a {}\nb { background: url('gone.png') }", "style.css:2: it loads 'gone.png'"),
        ("style.css", '@import "https://else.org/x.css";', "style.css:1: it loads 'https://else.org/x.css'"),
        ("more.css", "c { src: url( https://else.org/f.woff2 ) }", "more.css:1: it loads"),
        (
            "icon.svg",
            '<?xml-stylesheet href="https://else.org/x.css"?><svg><path id="mark"/></svg>',
            "icon.svg:1: it loads 'https://else.org/x.css'",
        ),
        ("icon.svg", '<svg><path id="mark"/><image href="gone.png"/></svg>', "icon.svg:1: it loads 'gone.png'"),
        ("page.md", "\n[x](gone.md)\n", "page.md:2: link to 'gone.md'"),
        ("page.md", "![x](https://else.org/x.png)\n", "page.md:1: it loads 'https://else.org/x.png'"),
        ("page.md", "[x][R]\n\n[r]: gone.md\n", "page.md:3: link to 'gone.md'"),
        ("page.md", "![x][r]\n\n[r]: https://else.org/x.png\n", "page.md:3: it loads 'https://else.org/x.png'"),
        ("page.md", "[x](<gone dir/a.md>)", "page.md:1: link to 'gone dir/a.md'"),
        ("page.md", "[x](gone.md 't')", "page.md:1: link to 'gone.md'"),
        ("page.md", "[x](a_(b).md)", "page.md:1: link to 'a_(b).md'"),
        ("page.md", "[![x](picture.png)](gone.md)", "page.md:1: link to 'gone.md'"),
        ("page.md", "A \\` tick, `code`, [x](gone.md), and a ` tick", "page.md:1: link to 'gone.md'"),
        ("page.md", "A ` tick\n\n[x](gone.md), and a ` tick", "page.md:3: link to 'gone.md'"),
        ("page.md", '```\n```\n<img src="gone.png">\n', "page.md:3: it loads 'gone.png'"),
        ("llms.txt", "- [Page](gone.md): a page\n", "llms.txt:1: link to 'gone.md'"),
    ],
)
def test_a_fault_in_another_file_is_the_only_one(file: str, text: str, told: str) -> None:
    found = faults(SITE | {file: text})
    assert len(found) == 1
    assert found[0].startswith(told)


def test_a_known_address_allows_absolute_paths_below_it() -> None:
    page = '<h2 id="part">x</h2><a href="/docs/other.html#part">x</a><img src="/docs/picture.png">'
    site = {"index.html": page, "other.html": '<p id="part">x</p>', "picture.png": "", "404.html": page}
    site["index.html"] += (
        '<a href="https://here.org/docs/other.html#part">x</a><script src="https://here.org/docs/x.js">'
    )
    site["x.js"] = ""
    assert faults(site, "https://here.org/docs/") == []
    assert len(faults(site, "https://here.org/")) == 6
    assert len(faults(site)) == 5
    site = {"index.html": '<a href="/my%20docs/index.html">x</a>'}
    assert faults(site, "https://here.org/my%20docs/") == faults(site, "https://here.org/my docs/") == []


def test_the_page_for_what_is_not_there_may_be_shown_anywhere() -> None:
    found = faults({"404.html": '<a href="index.html">x</a>', "index.html": ""}, "https://here.org/")
    assert found == [
        "404.html:1: link to 'index.html', a relative path on a page that is shown at any address; write it absolute"
    ]
