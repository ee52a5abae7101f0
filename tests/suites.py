# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every suite of tests, side by side; their results added up in one last line, whatever happens.

A suite is one function or several, its parts, each of which yields a Result for each of its tests. Results are read from
JUnit files, so that a runner which dies half way counts as a failure and not as silence. Most of the time a test waits for
a machine, so more parts run at once than there are processors; each has a home, and a network where the host lets root
make one, so that no two meet at a port. A suite that would still run when all others are done is in several parts. A test that fails is run once more, alone, when all suites are done: if it passes then it counts as passed, and is
listed with its first output before the last line, because an unsteady test is to be mended.

What tests leave in their home and temporary directory goes with the run: both are made for it. They are root's where
root runs this, as sudo does for somebody whose checkout it is; what was built is given to the checkout's owner.
"""

import argparse
import concurrent.futures
import functools
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
import typing
import xml.etree.ElementTree as ElementTree

import progress

TOP = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("DOMAIND_BUILD", TOP / "build-tests"))
RESULTS = BUILD / "results"
PYTHON = "/usr/bin/python3"
MOST_AGAIN = 10  # failed tests of a suite that are run again: more is no unsteadiness
MOST_LINES = 40  # of an unsteady test's first output
SIDE_BY_SIDE = len(os.sched_getaffinity(0)) + 1  # parts of suites at once
SLOWEST = 10  # of a part's tests: named with their seconds, so that what became slow is seen

# Leaks and undefined behaviour are failures wherever a test runs our programs. GLib's slices would hide leaks.
SANITIZERS = {
    "G_SLICE": "always-malloc",
    "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0:exitcode=99:strict_string_checks=1",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1:exitcode=99",
}


class Result(typing.NamedTuple):
    """One test: @again, where there is one, runs it alone and tells whether it passed."""

    name: str
    outcome: str  # "passed", "failed" or "skipped"
    output: str = ""
    again: typing.Callable[[], bool] = None


def run(*command, name=None, **options):
    """Run a command where it can be seen; its exit status."""
    status, _ = progress.run(name or pathlib.Path(command[0]).name, *command, cwd=TOP, **options)
    return status


@functools.cache
def own_network():
    """The words before a command that give it a network of its own, with nothing in it but loopback: none where the host
    does not let us."""
    words = ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$0" "$@"']
    done = subprocess.run([*words, "true"], capture_output=True, check=False)
    return words if os.geteuid() == 0 and done.returncode == 0 else []


def own_environment(name):
    """The environment of the tests of the part @name: its home is its own, as its network is."""
    home = pathlib.Path(tempfile.gettempdir()) / f"home-{name}"
    home.mkdir(exist_ok=True)
    return dict(os.environ, **SANITIZERS, HOME=str(home))


def outcome(status):
    return "passed" if status == 0 else "failed"


def junit_cases(path):
    """(test case, outcome, output) of every test of a JUnit file; none when there is no such file."""
    if not path.exists():
        return
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        bad = [part for part in (case.find("failure"), case.find("error")) if part is not None]
        if bad:
            yield case, "failed", "\n".join(part.text or part.get("message") or "" for part in bad)
        else:
            yield case, "skipped" if case.find("skipped") is not None else "passed", ""


def complete(results, status, name):
    """@results, and a failure of the runner's own if its exit status is bad and no test says why."""
    yield from results
    if not results or (status and not any(result.outcome == "failed" for result in results)):
        yield Result(name, "failed")


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
    """The programs under test, with AddressSanitizer and UndefinedBehaviorSanitizer, and the guests they run."""
    status = configure(BUILD, "-Db_sanitize=address,undefined", "-Db_lundef=false", "-Dwerror=true", "-Dtests=enabled")
    yield Result("gcc, sanitizers, no warnings", outcome(status or run("ninja", "-C", BUILD, name="build")))
    if status:
        return
    # Made here, as several suites use each and run at once.
    guest = BUILD / "guest"
    yield Result("the example guest", outcome(run(TOP / "examples/guest/make", guest, name="guest")))
    for name in ("agent-guest", "cloud-guest"):
        yield Result(f"the {name}", outcome(run(TOP / "tests" / name / "make", guest, BUILD / name, name=name)))


def clang():
    """The same sources by the other compiler, every warning an error; nobody runs what comes of it, so it is made fast."""
    directory = BUILD / "clang"
    status = configure(directory, "-Doptimization=0", "-Ddebug=false", "-Dwerror=true", "-Dtests=enabled", compiler="clang")
    yield Result("clang, no warnings", outcome(status or run("ninja", "-C", directory, name="clang")))


def style():
    """clang-format has nothing to change."""
    sources = [path for part in ("lib", "daemon", "cli", "tests") for path in sorted((TOP / part).rglob("*.[ch]"))]
    yield Result("clang-format", outcome(run("clang-format", "--dry-run", "-Werror", *sources)))


def unit():
    """tests/unit, by meson."""
    command = ["meson", "test", "-C", BUILD, "--no-rebuild", "--print-errorlogs"]
    environment = own_environment("unit")
    results = BUILD / "meson-logs" / "testlog.junit.xml"
    results.unlink(missing_ok=True)
    status = run(*command, "--suite", "unit", name="unit", env=environment)

    def again(program):
        return lambda: run(*command, program, name=program, env=environment) == 0

    found = [Result(name := case.get("name"), result, output, again(name.rpartition(" / ")[2]))
             for case, result, output in junit_cases(results)]
    yield from complete(found, status, "meson test")


def python_suite(folder, part=0, parts=1):
    """A folder of pytest modules: every @parts-th of them, beginning at @part."""
    name = f"{folder}-{part + 1}" if parts > 1 else folder
    environment = dict(own_environment(name), DOMAIND_BUILD=str(BUILD), PYTHONDONTWRITEBYTECODE="1")
    modules = sorted((TOP / "tests" / folder).rglob("test_*.py"))[part::parts]
    if not modules:  # pytest would run all there are
        yield Result(f"pytest {name}", "failed", f"tests/{folder} has no test_*.py for this part")
        return
    place = tempfile.mkdtemp(prefix="p")

    def pytest(results, *tests):
        results.unlink(missing_ok=True)
        return run(*own_network(), PYTHON, "-m", "pytest", "-v", "-rs", f"--durations={SLOWEST}", "-p", "no:cacheprovider",
                   f"--rootdir={TOP / 'tests'}", f"--basetemp={place}",
                   "-o", "junit_family=xunit1", f"--junitxml={results}", *tests, name=name, env=environment)

    def again(case):
        module = case.get("file").removesuffix(".py").replace("/", ".")
        group = case.get("classname").removeprefix(module).strip(".")
        test = "::".join(word for word in (str(TOP / "tests" / case.get("file")), group, case.get("name")) if word)
        return lambda: pytest(RESULTS / f"{name}-again.xml", test) == 0

    results = RESULTS / f"{name}.xml"
    status = pytest(results, *modules)
    found = [Result(f"{case.get('classname')}::{case.get('name')}", result, output,
                    again(case) if case.get("file") else None) for case, result, output in junit_cases(results)]
    yield from complete(found, status, f"pytest {name}")


def parts_of(folder, parts):
    """@folder's modules as a suite of @parts parts."""
    return [functools.partial(python_suite, folder, part, parts) for part in range(parts)]


def fuzz():
    """Each fuzz target for a bounded number of runs."""
    yield Result("fuzz", outcome(run(TOP / "tests/fuzz/run", BUILD / "fuzz", name="fuzz")))


# The longest first: what is left at the end is short.
SUITES = {
    "build": build,
    "daemon": parts_of("daemon", 4),
    "clients": parts_of("clients", 3),
    "clang": clang,
    "fuzz": fuzz,
    "golden": parts_of("golden", 1),
    "differential": parts_of("differential", 1),
    "documentation": parts_of("documentation", 1),
    "cli": parts_of("cli", 1),
    "examples": parts_of("examples", 1),
    "unit": unit,
    "style": style,
}


class Totals:
    """What all suites came to."""

    def __init__(self):
        self.count = {"passed": 0, "failed": 0, "skipped": 0}
        self.failures = []
        self.unsteady = []

    def add(self, suite, results):
        """Count @results of @suite; what failed is run again first."""
        failed = [result for result in results if result.outcome == "failed"]
        for result in results:
            passed = result.outcome
            if passed == "failed":
                label = f"{suite}: {result.name}"
                if result.again and len(failed) <= MOST_AGAIN and self.passes_alone(label, result):
                    passed = "passed"
                    self.unsteady.append((label, result.output))
                else:
                    self.failures.append(label)
            self.count[passed] += 1

    @staticmethod
    def passes_alone(label, result):
        print(f"-- once more, alone: {label}", flush=True)
        return result.again()

    def print(self):
        for label, output in self.unsteady:
            print(f"UNSTEADY {label} (failed, then passed alone); its first output:")
            print("\n".join(f"  {line}" for line in output.splitlines()[-MOST_LINES:]))
        for failure in self.failures:
            print(f"FAILED {failure}")
        print("{passed} passed, {failed} failed, {skipped} skipped".format(**self.count), flush=True)


def run_part(name, function):
    """The results of one part of a suite, which is called @name here, and how long it took; an error of its own is a result
    too."""
    print(f"== {name}", flush=True)
    started = time.monotonic()
    try:
        results = list(function())
    except Exception:
        results = [Result("an error of its own", "failed", traceback.format_exc())]
        print(results[0].output, flush=True)
    counted = ", ".join(f"{sum(result.outcome == word for result in results)} {word}" for word in ("passed", "failed", "skipped"))
    print(f"== {name}: {counted} in {time.monotonic() - started:.0f} s", flush=True)
    return results


def parts(suite):
    """(suite, name, function) of each part of the suite."""
    functions = SUITES[suite]
    if callable(functions):
        functions = [functions]
    for number, function in enumerate(functions, 1):
        yield suite, suite if len(functions) == 1 else f"{suite} {number}/{len(functions)}", function


def run_suites(names, totals):
    """What is built first, then all others side by side; what failed once more when nothing else runs."""
    totals.add("build", run_part("build", SUITES["build"]))
    if totals.failures:
        return
    all_parts = [part for suite in SUITES if suite in names and suite != "build" for part in parts(suite)]
    with concurrent.futures.ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        found = [(suite, pool.submit(run_part, name, function)) for suite, name, function in all_parts]
    for suite, results in found:
        totals.add(suite, results.result())


def own_places():
    """A temporary directory for this run alone, its name short: sockets below it have at most 107 bytes."""
    place = pathlib.Path(tempfile.mkdtemp(prefix="t"))
    place.chmod(0o711)  # machines' unprivileged users go through it
    (place / "home").mkdir()
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
        os.environ.pop(name, None)
    os.environ.update(HOME=str(place / "home"), TMPDIR=str(place))
    tempfile.tempdir = str(place)  # what it has found before
    return place


def give_to_owner(directory):
    """Let the checkout's owner have what root has built in it."""
    owner = TOP.stat()
    if os.geteuid() == 0 and owner.st_uid != 0 and directory.is_relative_to(TOP):
        run("chown", "-R", "-h", f"{owner.st_uid}:{owner.st_gid}", directory)


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
    totals = Totals()
    place = own_places()
    try:
        BUILD.mkdir(parents=True, exist_ok=True)
        RESULTS.mkdir(exist_ok=True)
        run_suites(names, totals)
    except (Exception, KeyboardInterrupt):  # the last line is printed whatever happens
        traceback.print_exc()
        totals.add("tests/run", [Result("an error of its own", "failed")])
    finally:
        shutil.rmtree(place, ignore_errors=True)
        give_to_owner(BUILD)
        totals.print()
    return 1 if totals.failures else 0


if __name__ == "__main__":
    sys.exit(main())
