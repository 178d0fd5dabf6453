#!/usr/bin/env python3
"""Writes THIRD-PARTY.md: the notices that go with copies of the library and of gazetool.

    packaging/third_party.py            # writes the file
    packaging/third_party.py --check    # fails where it differs from what Cargo.lock asks for

The list is what Cargo.lock links into them on Linux (x86-64 and ARM64), with every feature; licence texts
come from the packages that cargo has fetched (it fetches those that are missing). Of a choice of licences it takes
the first of CHOICE that is offered. Material that is no crate stands in packaging/third_party_data.md.
"""

import difflib
import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OUTPUT = ROOT / "THIRD-PARTY.md"
DATA = ROOT / "packaging/third_party_data.md"
TARGETS = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"]
FEATURES = "plugin,tool,v1_24"

# A licence, the start of its file's name, and words that only its text has.
CHOICE = [
    ("MIT", "LICENSE-MIT", "Permission is hereby granted, free of charge"),
    ("Apache-2.0", "LICENSE-APACHE", "Apache License"),
    ("Zlib", "LICENSE-ZLIB", "This software is provided 'as-is'"),
    ("BSD-2-Clause", "LICENSE-BSD", "Redistribution and use in source and binary forms"),
    ("BSD-3-Clause", "LICENSE-BSD", "Redistribution and use in source and binary forms"),
    ("ISC", "LICENSE-ISC", "Permission to use, copy, modify, and"),
    ("0BSD", "LICENSE-0BSD", "Permission to use, copy, modify, and"),
    ("Unicode-3.0", "LICENSE-UNICODE", "UNICODE LICENSE"),
]

MIT = """Permission is hereby granted, free of charge, to any person obtaining a copy of this software and
associated documentation files (the "Software"), to deal in the Software without restriction, including
without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the
following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial
portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT
LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO
EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER
IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE
USE OR OTHER DEALINGS IN THE SOFTWARE."""


def metadata(target):
    command = ["cargo", "metadata", "--format-version", "1", "--locked"]
    command += ["--features", FEATURES, "--filter-platform", target]
    return json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)


def linked():
    """The packages whose code is in the library or in gazetool, by name and version."""
    found = {}
    for target in TARGETS:
        graph = metadata(target)
        packages = {package["id"]: package for package in graph["packages"]}
        nodes = {node["id"]: node for node in graph["resolve"]["nodes"]}
        root = graph["resolve"]["root"]
        seen, waiting = {root}, [root]
        while waiting:
            for dependency in nodes[waiting.pop()]["deps"]:
                name = dependency["pkg"]
                normal = any(kind["kind"] is None for kind in dependency["dep_kinds"])
                # The code of a procedural macro runs in the compiler.
                macro = any("proc-macro" in t["kind"] for t in packages[name]["targets"])
                if normal and not macro and name not in seen:
                    seen.add(name)
                    waiting.append(name)
        for name in seen - {root}:
            package = packages[name]
            found[package["name"], package["version"]] = package
    return [found[key] for key in sorted(found)]


def offered(expression):
    """The alternatives of a licence expression, each a list of licences that hold together."""
    expression = expression.replace("/", " OR ")
    if "(" in expression:
        # `(A OR B) AND C`
        parts = [offered(part.strip(" ()")) for part in re.split(r"\bAND\b", expression)]
        alternatives = [[]]
        for part in parts:
            alternatives = [one + other for one in alternatives for other in part]
        return alternatives
    either = re.split(r"\bOR\b", expression)
    return [[word.strip() for word in re.split(r"\bAND\b", one)] for one in either]


def rank(licences):
    known = [name for name, _, _ in CHOICE]
    return sorted((known.index(n) if n in known else len(known) for n in licences), reverse=True)


def files(package):
    folder = Path(package["manifest_path"]).parent
    names = [path for path in folder.iterdir() if path.is_file()]
    wanted = re.compile(r"(LICEN[CS]E|COPYING|COPYRIGHT|NOTICE|UNLICENSE)", re.IGNORECASE)
    texts = [path for path in sorted(names) if wanted.match(path.name)]
    return [(path.name.upper().replace("LICENCE", "LICENSE"), path.read_text()) for path in texts]


def holder(package):
    people = ", ".join(re.sub(r"\s*<[^>]*>", "", name) for name in package["authors"])
    return people or f"the authors of {package['name']}"


def notices(package):
    """The licences taken, and their texts."""
    expression = package["license"] or sys.exit(f"{package['name']} names no licence")
    taken = min(offered(expression), key=rank)
    found, texts = files(package), []
    for licence in taken:
        entry = next((entry for entry in CHOICE if entry[0] == licence), None)
        entry or sys.exit(f"{package['name']}: add {licence} to CHOICE in {__file__} and to deny.toml")
        _, name, words = entry
        fits = [text for _, text in found if words in " ".join(text.split())]
        named = [text for file, text in found if file.startswith(name) and text in fits]
        if not fits and licence == "MIT":
            fits = [f"Copyright (c) {holder(package)}\n\n{MIT}"]
        fits or sys.exit(f"{package['name']} {package['version']} has no text of {licence}")
        texts += (named or fits)[:1]
    texts += [text for file, text in found if file.startswith("NOTICE")]
    return " AND ".join(taken), texts


def fonts():
    """The licence of the only font of epaint_default_fonts that is linked."""
    package = next(p for p in linked() if p["name"] == "epaint_default_fonts")
    text = Path(package["manifest_path"]).parent / "fonts/Hack-Regular.txt"
    return text.read_text()


def tidy(text):
    lines = [line.rstrip() for line in text.replace("\f", "").splitlines()]
    return "\n".join(lines).strip("\n")


def document():
    out = [DATA.read_text().rstrip().replace("@HACK@", tidy(fonts()))]
    out.append(
        "## Crates\n\nCargo.lock links these into the library or into gazetool (`packaging/third_party.py` writes "
        "the list).\n\n| crate | version | licence taken |\n|---|---|---|"
    )
    rows, groups = [], {}
    for package in linked():
        name = package["name"]
        if name == "epaint_default_fonts":
            # Its own text covers fonts that are not linked.
            package["license"] = package["license"].split(" AND ")[0].strip("()")
        licence, texts = notices(package)
        rows.append(f"| {name} | {package['version']} | {licence} |")
        for text in texts:
            groups.setdefault(" ".join(text.split()), (tidy(text), []))[1].append(name)
    out[-1] += "\n" + "\n".join(rows)
    out.append("## Licence texts of the crates")
    for text, names in groups.values():
        out.append(f"### {', '.join(sorted(set(names)))}\n\n~~~text\n{text}\n~~~")
    return "\n\n".join(out) + "\n"


def main():
    wanted = document()
    if sys.argv[1:] == ["--check"]:
        now = OUTPUT.read_text()
        if now != wanted:
            lines = difflib.unified_diff(now.splitlines(), wanted.splitlines(), lineterm="", n=1)
            print("\n".join(list(lines)[:40]))
            sys.exit("THIRD-PARTY.md is out of date: run packaging/third_party.py")
    else:
        OUTPUT.write_text(wanted)


main()
