# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every suite of tests, run one after the other; their results added up in one last line.

A suite is a function that yields (name, outcome) pairs, outcome being "passed", "failed" or "skipped". What a
suite prints goes to the terminal; results are read from JUnit files, so that a runner which dies half way counts as
a failure and not as silence.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree

TOP = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("DOMAIND_BUILD", TOP / "build-tests"))
RESULTS = BUILD / "results"
PYTHON = "/usr/bin/python3"

# Leaks and undefined behaviour are failures wherever a test runs our programs.
SANITIZERS = {
    "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0:exitcode=99:strict_string_checks=1",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1:exitcode=99",
}


def run(*command, **options):
    """Run a command where its output can be seen; its exit status."""
    return subprocess.run([str(word) for word in command], cwd=options.pop("cwd", TOP), **options).returncode


def outcome(status):
    return "passed" if status == 0 else "failed"


def junit_outcomes(path):
    """(name, outcome) of every test case in a JUnit file."""
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        name = f"{case.get('classname', '')}::{case.get('name', '')}"
        if case.find("failure") is not None or case.find("error") is not None:
            yield name, "failed"
        elif case.find("skipped") is not None:
            yield name, "skipped"
        else:
            yield name, "passed"


def configure(directory, *options, compiler=None):
    environment = dict(os.environ, **({"CC": compiler} if compiler else {}))
    if not (directory / "build.ninja").exists():
        done = subprocess.run(["meson", "setup", directory, *options], cwd=TOP, env=environment, stdout=subprocess.PIPE,
                              text=True)
        if done.returncode:
            print(done.stdout)
        return done.returncode
    return 0


def build():
    """The programs under test, with AddressSanitizer and UndefinedBehaviorSanitizer."""
    status = configure(BUILD, "-Db_sanitize=address,undefined", "-Db_lundef=false", "-Dwerror=true", "-Dtests=enabled")
    yield "gcc, sanitizers, no warnings", outcome(status or run("ninja", "-C", BUILD, "--quiet"))
    if status:
        return
    yield "the example guest", outcome(run(TOP / "examples/guest/make", BUILD / "guest"))


def clang():
    """The same sources by the other compiler, without sanitizers, every warning an error."""
    directory = BUILD / "clang"
    status = configure(directory, "-Dwerror=true", "-Dtests=enabled", compiler="clang")
    yield "clang, no warnings", outcome(status or run("ninja", "-C", directory, "--quiet"))


def style():
    """clang-format has nothing to change."""
    listed = subprocess.run(["git", "ls-files", "*.c", "*.h"], cwd=TOP, capture_output=True, text=True)
    sources = listed.stdout.split() or [str(path) for part in ("lib", "daemon", "cli", "tests")
                                        for path in (TOP / part).rglob("*.[ch]")]
    yield "clang-format", outcome(run("clang-format", "--dry-run", "-Werror", *sources))


def unit():
    """tests/unit, by meson."""
    status = run("meson", "test", "-C", BUILD, "--suite", "unit", "--no-rebuild", "--print-errorlogs",
                 env=dict(os.environ, **SANITIZERS))
    results = BUILD / "meson-logs" / "testlog.junit.xml"
    outcomes = list(junit_outcomes(results)) if results.exists() else []
    yield from outcomes
    if not outcomes or (status and not any(result == "failed" for _, result in outcomes)):
        yield "meson test", "failed"


def python_suite(folder, *options):
    """A folder of pytest modules."""
    results = RESULTS / f"{folder}.xml"
    results.unlink(missing_ok=True)
    status = run(PYTHON, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", f"--junitxml={results}", *options,
                 TOP / "tests" / folder,
                 env=dict(os.environ, **SANITIZERS, DOMAIND_BUILD=str(BUILD), PYTHONDONTWRITEBYTECODE="1"))
    outcomes = list(junit_outcomes(results)) if results.exists() else []
    yield from outcomes
    if not outcomes or (status and not any(result == "failed" for _, result in outcomes)):
        yield f"pytest {folder}", "failed"


def fuzz():
    """Each fuzz target for a bounded number of runs."""
    yield "fuzz", outcome(run(TOP / "tests/fuzz/run", BUILD / "fuzz"))


SUITES = {
    "build": build,
    "clang": clang,
    "style": style,
    "unit": unit,
    "golden": lambda: python_suite("golden"),
    "cli": lambda: python_suite("cli"),
    "daemon": lambda: python_suite("daemon"),
    "clients": lambda: python_suite("clients"),
    "examples": lambda: python_suite("examples"),
    "differential": lambda: python_suite("differential"),
    "documentation": lambda: python_suite("documentation"),
    "fuzz": fuzz,
}


def main():
    parser = argparse.ArgumentParser(prog="tests/run", description="Build domaind and run its tests.")
    parser.add_argument("--list", action="store_true", help="name the suites and end")
    parser.add_argument("suite", nargs="*", help="only these (default: all)")
    arguments = parser.parse_args()
    if arguments.list:
        print("\n".join(SUITES))
        return 0
    unknown = [name for name in arguments.suite if name not in SUITES]
    if unknown:
        parser.error(f"no such suite: {', '.join(unknown)} (there are: {', '.join(SUITES)})")

    names = arguments.suite or list(SUITES)
    if "build" not in names:
        names.insert(0, "build")
    BUILD.mkdir(parents=True, exist_ok=True)
    RESULTS.mkdir(exist_ok=True)
    totals = {"passed": 0, "failed": 0, "skipped": 0}
    failures = []
    for number, name in enumerate(names, 1):
        print(f"== {number}/{len(names)} {name}", flush=True)
        started = time.monotonic()
        for test, result in SUITES[name]():
            totals[result] += 1
            if result == "failed":
                failures.append(f"{name}: {test}")
        print(f"   {name}: {time.monotonic() - started:.0f} s", flush=True)
        if name == "build" and failures:
            break
    for failure in failures:
        print(f"FAILED {failure}")
    print("{passed} passed, {failed} failed, {skipped} skipped".format(**totals))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
