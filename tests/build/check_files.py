#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks the files of the tree: what stands on top, how headers begin, a test for each header, words that do not belong.

usage: check_files.py ROOT
       check_files.py --self-test   each rule is broken once in a made-up tree, and must be reported
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

TOP = set("include tests benchmarks examples cmake CMakeLists.txt CMakePresets.json LICENSE README.md".split())
LINES = 500
TEXT = {".hpp", ".cpp", ".h", ".py", ".sh", ".md", ".txt", ".cmake", ".in", ".json", ".ld", ".yml"}
# Put together here, so that this file passes its own check.
UNFINISHED = re.compile(r"\b(" + "|".join(["TO" "DO", "FIX" "ME", "XX" "X", "st" "ub", "place" "holder",
                                           "not " "implemented"]) + r")s?\b", re.IGNORECASE)
MACHINE = re.compile(r"(?<![\w.$}*/-])/(" + "|".join(["tmp", "work", "root", "home"]) + r")(/|\b)")


def listing(root):
    """The files of the tree, without what .gitignore leaves out."""
    if (root / ".git").exists() and shutil.which("git"):
        out = subprocess.run(["git", "-C", str(root), "ls-files", "-co", "--exclude-standard", "-z"], check=False,
                             capture_output=True)
        if out.returncode == 0:
            return [root / name for name in out.stdout.decode().split("\0") if name and (root / name).is_file()]
    return [path for path in root.rglob("*") if path.is_file() and
            path.relative_to(root).parts[0] not in ("build", "quickstart-out", ".git")]


def only_includes(text):
    """An umbrella header: nothing but comments and directives."""
    return not [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith(("//", "#"))]


def check(root):
    root = pathlib.Path(root)
    faults, headers = [], 0
    files = listing(root)
    for name in sorted({path.relative_to(root).parts[0] for path in files}):
        if name not in TOP and not name.startswith("."):
            faults.append(f"{name}: does not belong on top")
    for path in sorted(files):
        name = path.relative_to(root).as_posix()
        if path.suffix not in TEXT and path.name not in ("run", "LICENSE"):
            continue
        text = path.read_text(encoding="utf-8")
        for number, line in enumerate(text.splitlines(), 1):
            for rule, what in ((UNFINISHED, "reads as unfinished"), (MACHINE, "names a machine's path")):
                found = rule.search(line)
                if found:
                    faults.append(f"{name}:{number}: '{found.group(0)}' {what}")
        if path.suffix in (".hpp", ".cpp") and not text.startswith("// SPDX-License-Identifier: MIT\n"):
            faults.append(f"{name}: does not begin with the SPDX line")
        if path.suffix != ".hpp":
            continue
        if text.splitlines()[1:2] != ["#pragma once"] or not text.splitlines()[2:3] or \
                not text.splitlines()[2].startswith("//"):
            faults.append(f"{name}: the second line is #pragma once, the third a sentence of purpose")
        if len(text.splitlines()) > LINES:
            faults.append(f"{name}: {len(text.splitlines())} lines, more than {LINES}")
        if name.startswith("include/mote/") and "/detail/" not in name:
            headers += 1
            mirror = root / "tests" / name[len("include/mote/"):]
            if not only_includes(text) and not mirror.with_suffix(".cpp").exists() and \
                    not list(mirror.parent.glob(mirror.stem + "_*.cpp")):
                faults.append(f"{name}: no test tests/{name[len('include/mote/'):-len('.hpp')]}.cpp")
    return faults, headers


def self_test():
    head = "// SPDX-License-Identifier: MIT\n#pragma once\n// A purpose.\n"
    broken = {
        "on top": {"notes.md": "x\n"},
        "unfinished": {"README.md": "TO" "DO: write\n"},
        "machine": {"README.md": "see " + "/tm" + "p/x\n"},
        "no licence": {"tests/core/b.cpp": "int x;\n"},
        "no pragma": {"tests/b.hpp": "// SPDX-License-Identifier: MIT\n// A purpose.\n"},
        "long": {"tests/b.hpp": head + "\n" * LINES},
        "no test": {"include/mote/core/a.hpp": head + "int x;\n"},
    }
    fine = {"include/mote/core/a.hpp": head + "int x;\n", "tests/core/a_parts.cpp": "// SPDX-License-Identifier: MIT\n",
            "include/mote/core/core.hpp": head + "#include <mote/core/a.hpp>\n", "README.md": "the test's temporary folder\n"}
    wrong = 0
    for name, tree, expected in [(n, f, 1) for n, f in broken.items()] + [("fine", fine, 0)]:
        with tempfile.TemporaryDirectory() as root:
            for file, text in tree.items():
                path = pathlib.Path(root) / file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            faults, _ = check(root)
        if len(faults) != expected:
            wrong += 1
            print(f"{name}: expected {expected} faults, found {faults}")
    print(f"{len(broken) + 1} made-up trees, {wrong} judged wrongly")
    return wrong


def main(arguments):
    if arguments == ["--self-test"]:
        return 1 if self_test() else 0
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print(__doc__, file=sys.stderr)
        return 2
    faults, headers = check(arguments[0])
    for fault in faults:
        print(fault)
    print(f"{headers} headers, {len(faults)} faults")
    return 1 if faults or headers == 0 else 0


sys.exit(main(sys.argv[1:]))
