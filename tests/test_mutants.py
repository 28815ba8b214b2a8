"""Mutations: which faults are made, how they are loaded, and how survivors are listed."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import mutants
import mutations
import pytest

ROOMS = Path(__file__).parents[1] / "amp_lab"


def names(source: str) -> list[str]:
    return [mutation.name for mutation, _ in mutations.mutated(source)]


@pytest.mark.parametrize(
    ("source", "faults"),
    [
        ("a < b", ["a < b -> a <= b", "a < b -> a >= b"]),
        ("a is None", ["a is None -> a is not None"]),
        ("a + b", ["a + b -> a - b"]),
        ("a and b", ["a and b -> a or b", "a and b -> b", "a and b -> a"]),
        ("not a", ["not a -> a"]),
        ("-a", ["-a -> a"]),
        ("a if b else c", ["a if b else c -> a", "a if b else c -> c"]),
        ("plain(a)", ["plain(a) -> a"]),
        ("float(a)", []),
        ("max(a, b)", ["max(a, b) -> min(a, b)"]),
        ("a[3]", ["3 -> 4"]),
        ("a[0.0]", ["0.0 -> 1.0"]),
        ("a[2.5]", ["2.5 -> 5.0"]),
        ("a[True]", ["True -> False"]),
        ("a['key']", ["'key' -> 'key_'"]),
        ("a['words for a reader']", []),
        ("f'{a:7.3f} Hz'", []),
        ("[x for x in a]", ["for x in a -> for x in ()"]),
        ("zip(a, b, strict=True)", []),
        ("f.write(a, b)", []),
    ],
)
def test_an_expression_has_these_faults(source: str, faults: list[str]) -> None:
    """Data and decisions are mutated; texts, types and checks of equal lengths are not."""
    assert [name.removeprefix("f: ").strip() for name in names(f"def f(): return {source}")] == faults


@pytest.mark.parametrize(
    ("source", "faults"),
    [
        ("if a: b", ["if a -> if not a"]),
        ("for x in a: b", ["for x in a -> for x in ()"]),
        ("f.write(a, b)", ["f.write(a, b) -> pass"]),
        ("a += b", ["a += b -> pass"]),
        ("raise a", ["raise a -> pass"]),
        ("while a: break", ["break -> continue"]),
        ("x: Literal['key'] = a", []),
        ("'''Docstring'''", []),
    ],
)
def test_a_statement_has_these_faults(source: str, faults: list[str]) -> None:
    """Heads of compound statements, and statements that only do something."""
    assert [name.removeprefix("f: ") for name in names(f"def f():\n    {source}\n")] == faults


SOURCE = '''
class Meter:
    """Of a level."""
    scale = 2.0

    @property
    def level(self):
        return self.scale + 1.0

def loud(x, limit=3):
    return x > limit
'''


def test_names_stay_when_lines_move() -> None:
    """They name the function and the code, numbered if there are several; texts do not count as results."""
    moved = SOURCE.replace("class", "# a comment\n\n\nclass").replace("Of a level", "More\n    words")
    assert (
        names(moved)
        == names(SOURCE)
        == [
            "Meter: 2.0 -> 4.0",
            "Meter.level: self.scale + 1.0 -> self.scale - 1.0",
            "Meter.level: 1.0 -> 2.0",
            "loud: 3 -> 4",
            "loud: x > limit -> x >= limit",
            "loud: x > limit -> x <= limit",
        ]
    )
    assert names("def f(): return a[1] + b[1]")[1:] == ["f: 1 -> 2", "f: 1 -> 2 #2"]
    assert mutations.without_texts(moved) == mutations.without_texts(SOURCE)
    assert mutations.without_texts(moved.replace("2.0", "2.5")) != mutations.without_texts(SOURCE)


def test_each_tree_has_one_fault() -> None:
    """Every tree differs from the code in the mutation alone, and compiles."""
    found = [(m.name.partition(": ")[2], ast.unparse(tree)) for m, tree in mutations.mutated(SOURCE)]
    lines = ast.unparse(ast.parse(SOURCE)).splitlines()
    for name, text in found:
        compile(text, "mutated", "exec")
        different = [(old, new) for old, new in zip(lines, text.splitlines(), strict=True) if old != new]
        old, _, new = name.partition(" -> ")
        assert len(different) == 1 and old in different[0][0] and new in different[0][1]


def test_a_body_is_replaced_in_loaded_functions(tmp_path: Path) -> None:
    """Also below a property; what is in no body (a default, a constant of a class) needs a new process."""
    file = tmp_path / "metered.py"
    file.write_text(SOURCE, encoding="utf-8")
    module = ModuleType("metered")
    exec(compile(SOURCE, str(file), "exec"), module.__dict__)
    assert [mutations.replaced(file, i) for i in (0, 3)] == [False, False]
    assert (module.Meter().level, module.loud(3)) == (3.0, False)
    assert mutations.replaced(file, 1) and module.Meter().level == 1.0
    assert mutations.replaced(file, 4) and module.loud(3)


def test_a_new_process_imports_the_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file stays as it is; other modules are imported as ever."""
    file = tmp_path / "amp_metered.py"
    file.write_text(SOURCE, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    finder = mutations.Finder(file, 0)
    assert finder.find_spec("json") is None
    spec = finder.find_spec("amp_metered")
    module = ModuleType("amp_metered")
    spec.loader.exec_module(module)
    assert module.Meter().level == 5.0 and file.read_text(encoding="utf-8") == SOURCE


@pytest.mark.skipif(sys.platform == "win32", reason="processes are forked")
def test_a_process_ends_in_one_of_four_ways(tmp_path: Path) -> None:
    """Tests pass, one fails, they take too long, or they could not even run: that is never a kill."""
    program = """
import sys, time
from pathlib import Path
import mutants
mutants.LOG = Path(sys.argv[1])
work = [("a", lambda: True, 60), ("b", lambda: False, 60)]
work += [("c", lambda: time.sleep(60), 0.2), ("d", lambda: 1 / 0, 60)]
print(sorted(mutants.in_parallel(work, 2)), file=sys.stderr)
"""
    tests = str(Path(__file__).parent)
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {tests!r}){program}", str(tmp_path / "log")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr.strip() == str([("a", "passed"), ("b", "failed"), ("c", "timeout"), ("d", "broken")])
    assert "ZeroDivisionError" in done.stdout


def test_tests_are_those_that_execute_the_statement() -> None:
    """The fastest first; slow ones are left out; outside of functions all tests of the file count."""
    inside, _ = next(mutations.mutated("def f():\n    return (a +\n        b)\n"))
    file = mutants.package() / "measure.py"
    tests = {
        "slow": {"s": 2.0, "lines": {"measure.py": [3]}},
        "fast": {"s": 0.1, "lines": {"measure.py": [1, 2]}},
        "other": {"s": 0.1, "lines": {"measure.py": [7]}},
        "elsewhere": {"s": 0.1, "lines": {"other.py": [2]}},
        "storm": {"s": 99.0, "lines": {"measure.py": [2]}},
    }
    assert mutants.fastest(tests, file, inside) == (["fast", "slow"], 2.1)
    outside, _ = next(mutations.mutated("limit = 3\n"))
    assert mutants.fastest(tests, file, outside)[0] == ["fast", "other", "slow"]


def test_survivors_need_reasons_that_are_true() -> None:
    """One without a reason, one that is killed now, and a score below 85 % are failures."""
    results = {f"m{i}": {"state": "killed"} for i in range(19)} | {"s": {"state": "survived"}}
    assert mutants.summary(results, results, {"s": "equal"}) == (
        ["19 of 20 killed: 95.0% (95 % interval 76.4% to 99.1%), 1 survivors with a reason, 0 without"],
        True,
    )
    lines, good = mutants.summary(results, results, {})
    assert not good and lines[0] == "survived, no reason given: s"
    lines, good = mutants.summary(results, results, {"s": "equal", "m3": "equal"})
    assert not good and lines[0] == "accepted, but killed now: m3"
    some = {name: {"state": "survived"} for name in ("s", "m1", "m2", "m3")}
    assert not mutants.summary(results | some, results, dict.fromkeys(some, "equal"))[1]
    broken = results | {"m1": {"state": "broken"}}
    assert not mutants.summary(broken, results, {"s": "equal"})[1]


def test_accepted_survivors_are_mutations_of_the_code() -> None:
    """Each has a reason, and each still exists."""
    reasons = mutants.accepted()
    files = {name.partition(" ")[0] for name in reasons}
    there = {f"{f} {name}" for f in files for name in names((ROOMS / f).read_text(encoding="utf-8"))}
    assert all(reasons.values()) and set(reasons) <= there
