"""Workflows of the host: pinned, with least permissions, and made of what the project has."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
USES = re.compile(r"uses: (\S+)(?: # (\S+))?$")


def loaded(path: Path) -> dict[Any, Any]:
    """Return a workflow; YAML reads its key ``on`` as true."""
    workflow: dict[Any, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return workflow


def jobs(path: Path) -> dict[str, dict[str, Any]]:
    """Jobs of a workflow by name."""
    found: dict[str, dict[str, Any]] = loaded(path)["jobs"]
    return found


def steps(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Steps of a workflow, with the name of their job."""
    for name, job in jobs(path).items():
        for step in job["steps"]:
            yield name, step


def spread(text: str, job: dict[str, Any]) -> set[str]:
    """Return a text with every value of the job's matrix put in."""
    matrix = job.get("strategy", {}).get("matrix", {})
    rows = matrix.get("include") or [{key: value} for key, values in matrix.items() for value in values]
    found = set()
    for row in rows or [{}]:
        one = text
        for key, value in row.items():
            one = one.replace(f"${{{{ matrix.{key} }}}}", str(value))
        found.add(one)
    return found


def test_actions_are_pinned_by_commit() -> None:
    """With the version behind, and one version of each action."""
    lines = [line.strip(" -") for path in WORKFLOWS for line in path.read_text("utf-8").splitlines()]
    used = [match for line in lines if "uses:" in line for match in [USES.match(line)]]
    assert len(used) > 20 and all(used)
    found: dict[str, set[tuple[str, str]]] = {}
    for match in used:
        assert match
        action, _, commit = match[1].partition("@")
        assert re.fullmatch(r"[0-9a-f]{40}", commit) and re.fullmatch(r"v\d+\.\d+\.\d+", match[2]), match[0]
        found.setdefault(action, set()).add((commit, match[2]))
    assert all(len(versions) == 1 for versions in found.values()), found


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_may_only_read(path: Path) -> None:
    """But for the job that drafts a release; no checkout leaves a token behind."""
    assert loaded(path)["permissions"] == {"contents": "read"}
    more = {name: job["permissions"] for name, job in jobs(path).items() if "permissions" in job}
    assert more == ({"draft": {"contents": "write"}} if path.stem == "release" else {})
    for _, step in steps(path):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"] == {"persist-credentials": False}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_each_job_ends_and_keeps_its_logs(path: Path) -> None:
    """A limit of time, and an upload of the reports that runs whatever failed; the draft has none."""
    for name, job in jobs(path).items():
        assert 0 < job["timeout-minutes"] <= 90
        kept = [step for step in job["steps"] if step.get("if") == "always()"]
        assert [step["name"] for step in kept] == ([] if name == "draft" else ["Archive logs"])
        assert all("build/reports/" in step["with"]["path"] for step in kept)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_what_a_job_takes_another_gives(path: Path) -> None:
    """Artifacts that are downloaded are uploaded, under that name, by a job that is waited for."""
    given = {
        one: name
        for name, step in steps(path)
        if "upload-artifact" in step.get("uses", "")
        for one in spread(step["with"]["name"], jobs(path)[name])
    }
    for name, step in steps(path):
        if "download-artifact" not in step.get("uses", ""):
            continue
        pattern = step["with"].get("name") or step["with"]["pattern"]
        makers = {given[one] for one in given if re.fullmatch(pattern.replace("*", ".*"), one)}
        needs = jobs(path)[name]["needs"]
        assert makers and makers <= ({needs} if isinstance(needs, str) else set(needs))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_commands_name_what_is_there(path: Path) -> None:
    """Presets, goals of make, extras and files; and packages come in one version."""
    presets = json.loads((ROOT / "CMakePresets.json").read_text(encoding="utf-8"))["configurePresets"]
    known = {one["name"] for one in presets if not one.get("hidden")}
    goals = re.findall(r"^(\w[\w-]*):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    extras = PROJECT["project"]["optional-dependencies"]
    for _, step in steps(path):
        script = step.get("run", "").replace("\\\n", " ")
        assert set(re.findall(r"--preset (\S+)", script)) <= known
        assert set(re.findall(r"^make (\w+)", script, re.MULTILINE)) <= set(goals)
        for words in re.findall(r"whl\)\[(.+?)\]", script):
            assert set(words.split(",")) <= set(extras)
        for line in re.findall(r"pip install (.*)", script):
            assert "--constraint requirements/dev.txt" in line or re.fullmatch(r"[\w-]+==[\d.]+", line), line
        for word in re.findall(r"(?<!\S)(?:tests|requirements|notebooks|\.ci)\b[\w./-]*", script):
            assert (ROOT / word).exists(), word


def test_a_release_is_only_drafted() -> None:
    """By a tag that names the version, once all wheels and the source distribution are there."""
    (path,) = [one for one in WORKFLOWS if one.stem == "release"]
    draft = jobs(path)["draft"]
    assert draft["if"] == "github.ref_type == 'tag'" and set(draft["needs"]) == set(jobs(path)) - {"draft"}
    (creates,) = [step["run"] for step in draft["steps"] if "gh release create" in step.get("run", "")]
    assert "--draft" in creates.split() and "--verify-tag" in creates.split()
    assert loaded(path)[True]["push"] == {"tags": ["v[0-9]+.[0-9]+.[0-9]+*"]}
    platforms = {row["platform"] for row in jobs(path)["wheels"]["strategy"]["matrix"]["include"]}
    assert platforms == {"linux-x86_64", "linux-aarch64", "macos-arm64", "windows-amd64"}


def test_one_wheel_is_built_for_all_versions_of_python() -> None:
    """The one that the binary interface begins with."""
    tools = PROJECT["tool"]
    assert tools["cibuildwheel"]["build"] == f"{tools['scikit-build']['wheel']['py-api']}-*"


@pytest.mark.skipif(shutil.which("actionlint") is None, reason="no actionlint on this machine")
def test_actionlint_has_nothing_to_say() -> None:
    """Expressions, contexts, labels and shell scripts."""
    done = subprocess.run(
        ["actionlint", "-no-color", *WORKFLOWS], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_citation_is_of_this_version() -> None:
    """Title, licence and version are those of the project."""
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert cited["version"] == PROJECT["project"]["version"]
    assert cited["abstract"] == PROJECT["project"]["description"]
    assert PROJECT["project"]["license"].split(" AND ")[0] == cited["license"]


@pytest.mark.parametrize(
    "path", sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("[!c]*.yml")), ids=lambda path: path.stem
)
def test_forms_of_issues_have_what_the_host_asks_for(path: Path) -> None:
    """Name, description, and fields with an id and a label each."""
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert set(form) == {"name", "description", "body"}
    ids = [field["id"] for field in form["body"]]
    assert len(set(ids)) == len(ids) and all(field["attributes"]["label"] for field in form["body"])
