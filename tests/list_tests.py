"""Print the name of every test of every phase: two lists show by ``diff`` what a change leaves out or adds.

``python tests/list_tests.py [--long] > list.txt``. Presets of CMake are configured; nothing is compiled or
run.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from run_all import phases
from side_by_side import ENVIRONMENT, ROOT, Phase


def output(*command: str) -> str:
    """What a command prints; its errors end the list."""
    ran = subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, text=True, capture_output=True, check=False)
    if ran.returncode:
        sys.exit(f"{' '.join(command)}:\n{ran.stdout}{ran.stderr}")
    return ran.stdout


def tests_of(phase: Phase) -> list[str]:
    """The tests of one phase; of one that reports none, its commands."""
    names: list[str] = []
    for command in phase.commands:
        if command[0] == "ctest":
            names += re.findall(r"^ *Test +#\d+: (.+?)(?: \(Disabled\))?$", output(*command[:3], "-N"), re.M)
        elif command[0] == "pytest":
            alone = [part for part in command if not part.startswith("--junitxml")]
            listed = output(*alone, "-n0", "--collect-only", "-q")
            names += [line for line in listed.splitlines() if "::" in line]
        elif command[:2] == ("cmake", "--preset"):
            output(*command)
        elif command[:2] != ("cmake", "--build"):
            names.append(" ".join(part.removeprefix(f"{ROOT}/") for part in command[:4]))
    return sorted(names) or ["its commands succeed"]


def main() -> None:
    """Print them, each behind its phase."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--long", action="store_true", help="tests of make test-all")
    for phase in phases(parser.parse_args().long, "1"):
        for name in tests_of(phase):
            print(f"{phase.name}: {name}")


if __name__ == "__main__":
    main()
