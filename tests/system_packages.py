"""System packages that phases need, listed before they are fetched. ``AMP_NO_INSTALL=1`` forbids fetching."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Collection
from typing import NamedTuple

FORBIDDEN = "AMP_NO_INSTALL"


class Package(NamedTuple):
    """A package of Debian's that is not on this machine; ``*`` in its name: any version."""

    name: str
    phases: tuple[str, ...]
    reason: str


def forbidden() -> bool:
    """Whether nothing may be fetched from the system."""
    return os.environ.get(FORBIDDEN) == "1"


def able() -> bool:
    """Whether packages can be installed on this machine: with apt-get, and by root."""
    return shutil.which("apt-get") is not None and os.geteuid() == 0


def lacking(phases: Collection[str]) -> list[Package]:
    """Packages that these phases would use and that are not there; looks, and installs nothing."""
    clang = shutil.which("clang++") is not None
    known = [
        (has_browser, Package("chromium", ("browser",), "widgets are tried in a browser")),
        (lambda: has("strace"), Package("strace", ("kills",), "writers are killed at their system calls")),
        (lambda: clang, Package("clang", ("native-clang", "native-fuzz"), "second compiler, and libFuzzer")),
        (has_fuzzer, Package(fuzzer_package(), ("native-fuzz",), "runtime of libFuzzer: blobs are fuzzed")),
        (lambda: has("valgrind"), Package("valgrind", ("instructions",), "instructions are counted")),
    ]
    return [one for there, one in known if set(one.phases) & set(phases) and not there()]


def announcement(phases: Collection[str]) -> str:
    """What will be fetched from the system for these phases, or is not, and why; empty if nothing lacks."""
    packages = lacking(phases)
    if not packages:
        return ""
    if forbidden():
        head = f"{FORBIDDEN}=1: nothing is fetched from the system, and these packages are not here:"
    elif able():
        head = f"Fetched from the system with apt-get when its phase starts ({FORBIDDEN}=1 forbids it):"
    else:
        head = "Not on this machine, and not fetched, which takes root and apt-get:"
    rows = [f"  {one.name:20} {', '.join(one.phases)}: {one.reason}" for one in packages]
    return "\n".join([head, *rows])


def has(program: str) -> bool:
    """Whether a program is on this machine."""
    return shutil.which(program) is not None


def has_browser() -> bool:
    """Whether there is a browser for the widgets."""
    return any(map(has, ("chromium", "google-chrome", "chromium-browser")))


def has_fuzzer() -> bool:
    """Whether clang++ is there and builds a libFuzzer target."""
    if not has("clang++"):
        return False
    source = 'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }'
    with tempfile.TemporaryDirectory() as folder:
        command = ("clang++", "-fsanitize=fuzzer,address", "-x", "c++", "-", "-o", f"{folder}/target")
        build = subprocess.run(command, input=source, text=True, capture_output=True, check=False)
    return build.returncode == 0


def fuzzer_package() -> str:
    """The package with the runtime of libFuzzer for the clang++ that is here."""
    if not has("clang++"):
        return "libclang-rt-*-dev"
    version = subprocess.run(["clang++", "-dumpversion"], text=True, capture_output=True, check=True).stdout
    return f"libclang-rt-{version.partition('.')[0].strip()}-dev"


def fetch(package: str) -> None:
    """Try to install a package of Debian's, where that is possible and not forbidden."""
    if forbidden() or not able():
        return
    print(f"fetching {package} with apt-get", flush=True)
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", package]
    if subprocess.run(install, check=False).returncode:  # a fresh machine has no list of packages
        subprocess.run(["apt-get", "update", "-qq"], check=False)
        subprocess.run(install, check=False)


def installed(program: str, package: str) -> bool:
    """Whether a program exists, after trying to install it where that is allowed."""
    if not has(program):
        fetch(package)
    return has(program)


def _without(program: str, effect: str) -> str:
    """Why something is left out."""
    where = f"{FORBIDDEN}=1, and no {program}" if forbidden() else f"no {program}"
    return f"{where} on this machine: {effect}"


def browser_missing() -> str:
    """Why no browser test can run; empty if they can, or where they have to."""
    there = has_browser() or installed("chromium", "chromium")
    required = os.environ.get("AMP_REQUIRE_BROWSER") == "1"
    return "" if there or required else _without("chromium", "widgets not tried in a browser")


def strace_missing() -> str:
    """Why no writer can be killed at its system calls; empty if one can, or where one has to."""
    there, required = installed("strace", "strace"), os.environ.get("AMP_REQUIRE_STRACE") == "1"
    return "" if there or required else _without("strace", "no writer killed at its system calls")


def clang_missing() -> str:
    """Why there is no clang; empty if there is one."""
    return "" if installed("clang++", "clang") else _without("clang++", "second compiler not tried")


def fuzzer_missing() -> str:
    """Why the libFuzzer targets cannot be built; empty if they can."""
    if missing := clang_missing():
        return missing
    there = has_fuzzer()
    if not there:
        fetch(fuzzer_package())
        there = has_fuzzer()
    return "" if there else _without("libFuzzer for clang++", "blobs not fuzzed")
