"""A patch made in views is stored in a file: saved after edits, and work of others is never overwritten."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import amp_lab as amp
from amp_lab.common import atomic_files
from amp_lab.graph.edits.journal import Journal
from amp_lab.widgets import disk, patchfile
from amp_lab.widgets.base import View
from amp_lab.widgets.workbench import Workbench

Lab = Callable[..., Workbench]


@pytest.fixture(autouse=True)
def by_a_person(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The tested code sees neither a test run nor CI; a folder of its own."""
    for name in disk.OFF:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Open workbenches that are closed at the end."""
    benches: list[Workbench] = []

    def open_one(*given: Any, **options: Any) -> Workbench:
        benches.append(amp.lab(*given, **{"seconds": 0.01, **options}))
        return benches[-1]

    yield open_one
    for bench in benches:
        bench.close()


def voice(q: float = 2.0) -> amp.Graph:
    """A graph as a cell would build it."""
    g = amp.Graph(name="voice")
    g.output(g.svf(g.noise(seed=1), mode="lowpass", cutoff_hz=900.0, q=q, name="flt"))
    return g


def hand(bench: Workbench, *ops: dict[str, Any]) -> None:
    """Edit as a view does, and do not wait for the file."""
    bench.editor._receive(bench.editor, {"kind": "edit", "ops": list(ops)}, [])


def turn(bench: Workbench, q: float) -> None:
    """Change one value in a view, and wait until it is written."""
    hand(bench, {"op": "set", "node": "flt", "params": {"q": q}})
    bench.file.flush()


def q_in(path: str) -> Any:
    """The filter's q in a file."""
    return amp.load(path)["flt"].params["q"]


def kept(lab: Lab, q: float = 3.0) -> None:
    """Leave a file with one edit of a view, as an earlier session would."""
    bench = lab(voice(), save="voice.amp.json")
    turn(bench, q)
    bench.close()


def test_edits_by_hand_are_saved_and_edits_by_code_are_not(lab: Lab) -> None:
    """Nothing is written until a view edits; then the whole graph, and `load` and `render` read it."""
    g = voice()
    bench = lab(g, save="voice.amp.json")
    assert bench.file.status == "new"
    g["flt"].set(q=5.0)
    bench.file.flush()
    assert not Path("voice.amp.json").exists()
    turn(bench, 3.0)
    assert bench.file.status == "saved" and q_in("voice.amp.json") == 3.0
    assert amp.load("voice.amp.json").render(frames=480).digest == g.render(frames=480).digest


@pytest.mark.parametrize("name", disk.OFF)
def test_nothing_is_saved_in_a_test_or_in_ci(lab: Lab, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """nbval and CI are recognised by their environment; the widget reports it, and Save refuses too."""
    monkeypatch.setenv(name, "true")
    bench = lab(voice(), save="voice.amp.json")
    turn(bench, 3.0)
    bench.editor._receive(bench.editor, {"kind": "save"}, [])
    assert bench.file.status == "off" and name in bench.file.text
    assert os.listdir() == []


def test_an_edit_is_written_soon_without_being_asked(lab: Lab) -> None:
    """The file follows an edit by itself, and many edits in a row are few writes."""
    bench = lab(voice(), save="voice.amp.json")
    seen = threading.Event()
    bench.file.use(lambda: seen.set() if bench.file.status == "saved" else None)
    for q in (3.0, 4.0, 5.0):
        hand(bench, {"op": "set", "node": "flt", "params": {"q": q}})
    assert bench.file.status == "unsaved" and seen.wait(60.0)
    assert q_in("voice.amp.json") == 5.0


def test_what_is_unsaved_is_written_when_the_widget_closes(lab: Lab) -> None:
    """`close` waits for no timer, and leaves no thread running."""
    bench = lab(voice(), save="voice.amp.json")
    hand(bench, {"op": "set", "node": "flt", "params": {"q": 3.0}})
    bench.close()
    assert q_in("voice.amp.json") == 3.0
    assert not bench.file._later.waits


def test_what_is_unsaved_is_written_when_the_kernel_ends(tmp_path: Path) -> None:
    """A process that ends right after an edit has written it."""
    code = (
        "import amp_lab as amp; from amp_lab.widgets import patchfile; patchfile.DELAY_S = 1e6\n"
        "b = amp.lab('voice.amp.json', seconds=0.01)\n"
        "b.editor._receive(b.editor, {'kind': 'edit', 'ops': [{'op': 'add', 'type': 'noise'}]}, [])"
    )
    subprocess.run([sys.executable, "-P", "-c", code], cwd=tmp_path, check=True, timeout=120)
    assert "noise" in amp.load(tmp_path / "voice.amp.json")


def test_the_file_wins_over_the_code_it_grew_from_as_one_step(lab: Lab) -> None:
    """The same cell run again brings the edits back on its graph, keeps its handles; Undo takes them off."""
    bench = lab(voice(), save="voice.amp.json")
    hand(
        bench,
        {"op": "set", "node": "flt", "params": {"q": 3.0}},
        {"op": "add", "type": "gain", "name": "loud", "at": [11, 22]},
        {"op": "move", "places": {"flt": [5, 7]}},
    )
    bench.editor._receive(bench.editor, {"kind": "fold", "title": "box", "nodes": ["flt"]}, [])
    bench.close()
    g = voice()
    flt = g["flt"]
    again = lab(g, save="voice.amp.json")
    state = Journal.of(g).state
    assert flt.params["q"] == 3.0 and "loud" in g and g["flt"] is flt
    assert state.places["flt"] == (5.0, 7.0) and state.folds == {"box": ("flt",)}
    assert again.file.status == "saved" and "Undo goes back" in again.file.text
    assert again.editor.undo()
    assert g.to_dict() == voice().to_dict()
    assert q_in("voice.amp.json") == 3.0, "an undo by code is no edit by hand"
    assert again.editor.redo() and flt.params["q"] == 3.0


def test_running_the_cell_again_goes_on_with_the_same_graph(lab: Lab) -> None:
    """Only the widget's cell runs, after edits in the view: no question, and the code's digest stays."""
    g = voice()
    turn(lab(g, save="voice.amp.json"), 3.0)
    before = Path("voice.amp.json").read_bytes()
    again = lab(g, save="voice.amp.json")
    assert again.file.status == "saved" and g["flt"].params["q"] == 3.0
    for bench in (again,):
        bench.close()
    reopened = lab(g, save="voice.amp.json")
    assert reopened.file.status == "saved"
    turn(reopened, 4.0)
    section = [
        json.loads(text)["workbench"]["grew_from"] for text in (before, Path("voice.amp.json").read_text())
    ]
    assert section[0] == section[1] != ""


@pytest.mark.parametrize("choice", ["file", "graph", "both"])
def test_other_code_is_asked_about_and_until_then_neither_is_written(lab: Lab, choice: str) -> None:
    """Both are shown with their differences; edits wait; each choice does what it says and loses nothing."""
    kept(lab)
    before = Path("voice.amp.json").read_bytes()
    g = voice(q=7.0)
    bench = lab(g, save="voice.amp.json")
    shown = bench.editor.file_status
    assert (shown["status"], list(shown["choices"])) == ("code", ["file", "graph", "both"])
    assert "flt.q: 3 in the file, 7 here" in shown["differences"]
    turn(bench, 8.0)
    assert Path("voice.amp.json").read_bytes() == before and g["flt"].params["q"] == 8.0
    bench.editor._receive(bench.editor, {"kind": "choose", "choice": choice}, [])
    assert bench.file.status == "saved"
    wanted = 3.0 if choice == "file" else 8.0
    assert g["flt"].params["q"] == wanted == q_in("voice.amp.json")
    if choice == "file":
        assert bench.editor.undo() and g["flt"].params["q"] == 8.0
    if choice == "both":
        assert Path("voice.2.amp.json").read_bytes() == before and "voice.2.amp.json" in bench.file.text
    bench.close()
    again = lab(voice(q=7.0), save="voice.amp.json")
    assert again.file.status == "saved", "what was chosen is remembered"


def test_code_that_was_copied_into_the_cell_is_in_step_with_the_file(lab: Lab) -> None:
    """The code of the kept graph shows no choice, and later edits are based on it."""
    kept(lab)
    bench = lab(voice(q=3.0), save="voice.amp.json")
    assert bench.file.status == "saved" and Journal.of(bench.graph).undo_steps == 0
    turn(bench, 4.0)
    bench.close()
    assert lab(voice(q=3.0), save="voice.amp.json").graph["flt"].params["q"] == 4.0


@pytest.mark.parametrize("choice", ["file", "graph", "both"])
def test_a_file_changed_by_another_program_is_not_overwritten(lab: Lab, choice: str) -> None:
    """Another kernel, an editor or a checkout wrote it: the next edit shows a choice, nothing is lost."""
    bench = lab(voice(), save="voice.amp.json")
    turn(bench, 3.0)
    other = voice(q=9.0).save("voice.amp.json").read_bytes()
    turn(bench, 4.0)
    assert bench.file.status == "disk" and Path("voice.amp.json").read_bytes() == other
    bench.file.choose(choice)
    wanted = 9.0 if choice == "file" else 4.0
    assert bench.graph["flt"].params["q"] == wanted == q_in("voice.amp.json")
    assert Path("voice.2.amp.json").exists() == (choice == "both")
    if choice == "file":
        assert bench.editor.undo() and bench.graph["flt"].params["q"] == 4.0


def test_a_change_on_disk_is_seen_when_the_page_looks(lab: Lab) -> None:
    """Without any edit: the view reports it when the page is shown again."""
    bench = lab(voice(), save="voice.amp.json")
    turn(bench, 3.0)
    voice(q=9.0).save("voice.amp.json")
    bench.editor._receive(bench.editor, {"kind": "look"}, [])
    assert bench.editor.file_status["status"] == "disk"


def test_a_file_that_changes_while_it_is_asked_about_is_asked_about_again(lab: Lab) -> None:
    """A choice is valid for the file that was shown, and for no other."""
    kept(lab)
    bench = lab(voice(q=7.0), save="voice.amp.json")
    last = voice(q=9.0).save("voice.amp.json").read_bytes()
    with pytest.raises(amp.GraphError, match="changed while"):
        bench.file.choose("graph")
    assert Path("voice.amp.json").read_bytes() == last
    assert "flt.q: 9 in the file, 7 here" in bench.editor.file_status["differences"]


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b'{"schema": "amp_lab.graph/9"}',
        b"[" * 100_000,
        b'{"schema":"amp_lab.graph/1"}\n{',
    ],
)
def test_a_damaged_file_is_never_overwritten(lab: Lab, damage: bytes) -> None:
    """The reason is shown; edits wait; the one choice keeps its bytes under another name."""
    path = Path("voice.amp.json")
    path.write_bytes(damage)
    bench = lab(voice(), save=path)
    turn(bench, 3.0)
    bench.editor._receive(bench.editor, {"kind": "save"}, [])
    assert bench.file.status == "damaged" and path.read_bytes() == damage
    with pytest.raises(amp.GraphError, match=r"voice\.amp\.json"):
        amp.lab(path)
    bench.file.choose("both")
    assert Path("voice.2.amp.json").read_bytes() == damage and q_in("voice.amp.json") == 3.0


@pytest.mark.parametrize(
    "section",
    [
        5,
        {"schema": "amp_lab.workbench/9"},
        {"places": []},
        {"places": {"flt": [1]}},
        {"places": {"flt": [1, True]}},
        {"places": {"flt": [1, 1e300]}},
        {"places": {"nobody": [1, 2]}},
        {"folds": {"a": ["flt"], "b": ["flt"]}},
        {"folds": {"a": "flt"}},
    ],
)
def test_a_layout_that_does_not_fit_is_damage(lab: Lab, section: Any) -> None:
    """Places and folds are checked like the rest; the graph itself still loads."""
    data = voice().to_dict() | {"workbench": section}
    Path("voice.amp.json").write_text(json.dumps(data))
    assert amp.load("voice.amp.json").to_dict() == voice().to_dict()
    assert lab(voice(), save="voice.amp.json").file.status == "damaged"
    with pytest.raises(amp.GraphError, match=r"\$\.workbench"):
        amp.lab("voice.amp.json")


def test_a_deleted_file_is_written_again_and_that_is_said(lab: Lab) -> None:
    """No work of any author is lost by that."""
    bench = lab(voice(), save="voice.amp.json")
    turn(bench, 3.0)
    Path("voice.amp.json").unlink()
    turn(bench, 4.0)
    assert q_in("voice.amp.json") == 4.0 and "was deleted" in bench.file.text


@pytest.mark.parametrize("harm", ["read-only", "folder gone", "disk full"])
def test_what_cannot_be_written_is_said_and_tried_again(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, harm: str
) -> None:
    """The old file stays whole, the graph stays here, and the next edit after the cure is saved."""
    Path("sub").mkdir()
    path = Path("sub/voice.amp.json")
    bench = lab(voice(), save=path)
    turn(bench, 3.0)
    before = path.read_bytes()
    with monkeypatch.context() as patch:
        if harm == "read-only":
            path.chmod(0o444)
        elif harm == "folder gone":
            Path("sub").rename("away")
        else:
            patch.setattr(os, "fsync", no_space)
        turn(bench, 4.0)
        assert bench.file.status == "unwritable" and "only in this kernel" in bench.file.text
        assert bench.graph["flt"].params["q"] == 4.0
        if harm == "read-only":
            path.chmod(0o644)
        elif harm == "folder gone":
            Path("away").rename("sub")
    assert path.read_bytes() == before and os.listdir("sub") == ["voice.amp.json"]
    turn(bench, 5.0)
    assert bench.file.status == "saved" and q_in(str(path)) == 5.0


def no_space(_: int) -> None:
    """Fail as a full disk does."""
    raise OSError(28, "No space left on device")


def test_a_crash_in_the_middle_leaves_the_old_file_whole(tmp_path: Path) -> None:
    """The process is killed at every step of a write: the file is the old or the new one, complete."""
    code = (
        "import os, sys; from pathlib import Path; from amp_lab.common import atomic_files\n"
        "step = sys.argv[1]; real = getattr(os, step)\n"
        "def die(*a, **k):\n    os._exit(9)\n"
        "setattr(os, step, die); atomic_files.write(Path('f.json'), b'new' * 100000)"
    )
    for step in ("fsync", "replace"):
        (tmp_path / "f.json").write_bytes(b"old")
        ended = subprocess.call([sys.executable, "-P", "-c", code, step], cwd=tmp_path, timeout=120)
        assert ended == 9 and (tmp_path / "f.json").read_bytes() == b"old"


def test_a_write_keeps_the_mode_and_follows_a_link(lab: Lab) -> None:
    """A private file stays private, and a link stays a link to the file that is written."""
    bench = lab(voice(), save="voice.amp.json")
    turn(bench, 3.0)
    Path("voice.amp.json").chmod(0o600)
    turn(bench, 4.0)
    assert Path("voice.amp.json").stat().st_mode & 0o777 == 0o600
    bench.close()
    os.symlink("voice.amp.json", "link.amp.json")
    turn(lab("link.amp.json"), 5.0)
    assert Path("link.amp.json").is_symlink() and q_in("voice.amp.json") == 5.0


def test_places_where_no_patch_can_be_are_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sentence with the cure, before any widget is made; nothing is written."""
    Path("folder.amp.json").mkdir()
    Path("locked.amp.json").write_text(voice().to_json())
    Path("locked.amp.json").chmod(0o444)
    os.symlink("nowhere.json", "dangling.amp.json")
    os.mkfifo("pipe.amp.json")
    os.symlink("/dev/null", "null.amp.json")
    for path in ("folder.amp.json", "locked.amp.json", "dangling.amp.json", "pipe.amp.json", "null.amp.json",
                 "missing/voice.amp.json", "voice.wav", "", "a\0.json", b"voice.amp.json", 5):  # fmt: skip
        with pytest.raises(amp.GraphError, match=r"^lab\.save: .*\. \S"):
            amp.lab(voice(), save=path)  # type: ignore[arg-type]
    for given in (5, b"voice.amp.json", [], "voice.wav", "folder.amp.json", "pipe.amp.json"):
        with pytest.raises(amp.GraphError, match=r"^lab: .*\. \S"):
            amp.lab(given)  # type: ignore[arg-type]
    with pytest.raises(amp.GraphError, match="two files"):
        amp.lab("a.amp.json", save="b.amp.json")


def test_a_path_opens_the_patch_or_begins_an_empty_one(lab: Lab) -> None:
    """The file is written with the first edit; the path may be a Path; no arguments make an empty graph."""
    bench = lab("lead.amp.json")
    assert (len(bench.graph), bench.graph.name, bench.file.status) == (0, "lead", "new")
    hand(bench, {"op": "add", "type": "noise", "at": [3, 4]})
    bench.close()
    again = lab(Path("lead.amp.json"))
    assert Journal.of(again.graph).state.places == {"noise": (3.0, 4.0)}
    assert Journal.of(again.graph).undo_steps == 0 and lab("lead.amp.json").graph is again.graph
    empty = lab()
    assert len(empty.graph) == 0 and empty.file.status == "none"


def test_a_read_only_patch_opens_and_says_that_it_is_not_saved(lab: Lab) -> None:
    """Somebody else's patch can be looked at, edited, and saved elsewhere."""
    Path("locked.amp.json").write_text(voice().to_json())
    Path("locked.amp.json").chmod(0o444)
    bench = lab("locked.amp.json")
    assert bench.file.status == "unwritable" and "read-only" in bench.file.text
    turn(bench, 3.0)
    assert q_in("locked.amp.json") == 2.0
    bench.editor._receive(bench.editor, {"kind": "save", "path": "mine.amp.json"}, [])
    assert q_in("mine.amp.json") == 3.0 and bench.file.status == "saved"


def test_two_graphs_in_one_file_take_turns(lab: Lab) -> None:
    """The graph opened later has the file; the earlier one reports it and can take it back."""
    first = lab(voice(), save="voice.amp.json")
    hand(first, {"op": "set", "node": "flt", "params": {"q": 3.0}})
    second = lab(voice(), save="voice.amp.json")
    assert second.graph["flt"].params["q"] == 3.0, "what the first had not written yet came along"
    turn(first, 4.0)
    assert first.file.status == "taken" and q_in("voice.amp.json") == 3.0
    turn(second, 5.0)
    first.file.choose("take")
    assert (first.file.status, second.file.status) == ("disk", "taken")
    first.file.choose("graph")
    assert q_in("voice.amp.json") == 4.0


def test_opening_another_patch_is_one_step_and_undo_goes_back_to_the_first_file(lab: Lab) -> None:
    """Neither file gets the other's graph."""
    other = voice(q=9.0)
    other.save("other.amp.json")
    bench = lab(voice(), save="voice.amp.json")
    turn(bench, 3.0)
    bench.editor._receive(bench.editor, {"kind": "open", "path": "other.amp.json"}, [])
    assert bench.graph["flt"].params["q"] == 9.0 and bench.file.path == Path("other.amp.json").resolve()
    turn(bench, 10.0)
    for _ in range(2):
        bench.editor._receive(bench.editor, {"kind": "undo"}, [])
        bench.file.flush()
    assert bench.file.path == Path("voice.amp.json").resolve()
    assert (q_in("voice.amp.json"), q_in("other.amp.json")) == (3.0, 9.0)
    turn(bench, 4.0)
    assert (q_in("voice.amp.json"), q_in("other.amp.json")) == (4.0, 9.0)


def test_opening_what_does_not_fit_changes_nothing(lab: Lab) -> None:
    """Another sample rate, damage, no such file: a sentence, and the graph and its file stay."""
    amp.Graph(sample_rate=44_100.0).save("other.amp.json")
    Path("damaged.amp.json").write_text("{")
    bench = lab(voice(), save="voice.amp.json")
    turn(bench, 3.0)
    for name, what in (("other", "sample rate"), ("damaged", "not JSON"), ("missing", "no such file")):
        with pytest.raises(amp.GraphError, match=what):
            bench.file.open(disk.place("open", f"{name}.amp.json"))
        assert bench.graph["flt"].params["q"] == 3.0 and bench.file.status == "saved"


def test_save_never_overwrites_a_file_that_is_not_its_own(lab: Lab) -> None:
    """Saving under an existing name is refused; without a name the view asks for one."""
    voice(q=9.0).save("other.amp.json")
    bench = lab(voice())
    with pytest.raises(amp.GraphError, match="no file yet"):
        bench.file.save()
    with pytest.raises(amp.GraphError, match="exists already"):
        bench.file.save(Path("other.amp.json").resolve())
    assert q_in("other.amp.json") == 9.0 and bench.file.status == "none"


def test_paths_are_texts_too(lab: Lab) -> None:
    """`open` and `save` of a patch file take what `amp.lab` takes; what is none is refused by name."""
    voice(q=9.0).save("other.amp.json")
    bench = lab(voice(), save="voice.amp.json")
    bench.file.open("other.amp.json")
    assert bench.graph["flt"].params["q"] == 9.0
    bench.file.save("third.amp.json")
    assert bench.file.path == Path("third.amp.json").resolve()
    for call in (bench.file.open, bench.file.save):
        with pytest.raises(amp.GraphError, match=r"not a patch file \(got 'voice.wav', allowed \*.json\)"):
            call("voice.wav")


def test_samples_and_curves_are_in_the_file(lab: Lab) -> None:
    """Values of a graph other than numbers are restored bit for bit."""
    g = amp.Graph(name="voice")
    sound = [[[0.1, float.fromhex("0x1.0p-1060"), -0.0] * 40]]
    g.output(g.input(samples=sound, name="in"))
    g.controls = amp.ControlHistory([amp.Curve("c", [0.0, 1.0], [0.1, 0.2])])
    bench = lab(g, save="voice.amp.json")
    hand(bench, {"op": "add", "type": "noise"})
    bench.close()
    again = amp.load("voice.amp.json")
    assert again.inputs()["in"].tobytes() == g.inputs()["in"].tobytes()
    assert again.to_dict() == g.to_dict()


@pytest.mark.parametrize("folder", ["sounds", "../elsewhere"])
def test_sound_files_that_code_gave_are_heard_after_the_file_has_won(lab: Lab, folder: str) -> None:
    """In any folder: the code named them; paths below the patch are relative to it and move with it."""
    Path(folder).mkdir()
    soundfile.write(f"{folder}/tick.wav", np.linspace(-1.0, 1.0, 48), 48_000, subtype="DOUBLE")

    def tick() -> amp.Graph:
        g = amp.Graph(name="tick")
        g.output(g.gain(g.input(samples=f"{folder}/tick.wav", name="in"), gain=0.5, name="amp"))
        return g

    bench = lab(tick(), save="tick.amp.json")
    hand(bench, {"op": "set", "node": "amp", "params": {"gain": 0.25}})
    hand(bench, {"op": "thermo", "node": "in", "capacity_j_per_k": 2.0})
    wanted = bench.graph.render(frames=48).digest
    bench.close()
    g = tick()
    assert lab(g, save="tick.amp.json").file.status == "saved"
    assert g["in"].thermo.capacity_j_per_k == 2.0 and g.render(frames=48).digest == wanted
    source = json.loads(Path("tick.amp.json").read_text())["nodes"]["in"]["params"]["source"]
    assert os.path.isabs(source) == (folder != "sounds")
    if folder == "sounds":
        Path("moved").mkdir()
        Path("sounds").rename("moved/sounds")
        moved = Path("tick.amp.json").rename("moved/tick.amp.json")
        assert lab(moved).graph.render(frames=48).digest == wanted


def test_every_view_of_the_graph_edits_by_hand(lab: Lab) -> None:
    """Panel, workbench, traits set by a page: all of them are saved."""
    bench = lab(voice(), save="voice.amp.json")
    ops = [{"op": "set", "node": "flt", "params": {"q": 3.0}}]
    bench.panel._receive(bench.panel, {"kind": "edit", "ops": ops}, [])
    bench.file.flush()
    assert q_in("voice.amp.json") == 3.0
    bench._receive(bench, {"kind": "undo"}, [])
    bench.file.flush()
    assert q_in("voice.amp.json") == 2.0
    bench.panel.set_state({"values": {**bench.panel.values, "flt.q": 6.0}})
    bench.file.flush()
    assert q_in("voice.amp.json") == 6.0


def test_exports_are_files_of_the_graph_as_it_is(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """WAV is the native render, JSON loads, the picture is a PNG; a length that is none is refused."""
    messages: list[dict[str, Any]] = []
    arrived = threading.Semaphore(0)

    def send(self: View, content: Any, buffers: Any = None) -> None:
        if content.get("id"):
            messages.append(content | {"buffers": list(buffers or [])})
            arrived.release()

    bench = lab(voice())
    monkeypatch.setattr(View, "send", send)

    def export(**request: Any) -> dict[str, Any]:
        bench.editor._receive(bench.editor, {"kind": "export", "id": "1", **request}, [])
        assert arrived.acquire(timeout=120)
        return messages[-1]

    wav = export(what="wav", seconds=0.1)
    sound, rate = soundfile.read(io.BytesIO(wav["buffers"][0]), dtype="float32", always_2d=True)
    assert wav["name"] == "voice.wav" and rate == 48_000
    rendered = bench.graph.render(seconds=0.1).audio[0]
    assert np.array_equal(sound.T, rendered.astype("float32"))
    assert amp.Graph.from_json(export(what="json")["buffers"][0].decode()).to_dict() == bench.graph.to_dict()
    assert export(what="png")["buffers"][0].startswith(b"\x89PNG")
    for request in ({"what": "wav", "seconds": 0}, {"what": "wav", "seconds": 1e9}, {"what": "mp3"}):
        assert export(**request)["kind"] == "failed"


def test_patches_nearby_are_listed(lab: Lab) -> None:
    """Below the working folder, sorted; hidden folders and links to elsewhere are left out."""
    for name in ("b.amp.json", "sub/a.amp.json", ".hidden/c.amp.json", "plain.json"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text("{}")
    os.symlink("/", "root")
    assert disk.nearby() == ["b.amp.json", "sub/a.amp.json"]


def test_new_names_replace_no_file(tmp_path: Path) -> None:
    """Nothing that is kept under another name replaces a third file."""
    path = tmp_path / "voice.amp.json"
    path.write_text("now")
    (tmp_path / "voice.2.amp.json").write_text("older")
    assert atomic_files.keep_beside(path) == tmp_path / "voice.3.amp.json"
    assert (tmp_path / "voice.3.amp.json").read_text() == "now"
    assert (tmp_path / "voice.2.amp.json").read_text() == "older"


def test_edits_from_many_threads_end_in_the_file(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Writes and edits overlap; the file ends with the last state, and is whole whenever it is read."""
    monkeypatch.setattr(patchfile, "DELAY_S", 0.001)
    bench = lab(voice(), save="voice.amp.json")
    turn(bench, 1.0)

    def edit(base: float) -> None:
        for k in range(25):
            hand(bench, {"op": "set", "node": "flt", "params": {"q": base + k / 100}})

    threads = [threading.Thread(target=edit, args=(float(base),)) for base in range(1, 5)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        amp.load("voice.amp.json")
    for thread in threads:
        thread.join()
    bench.file.flush()
    while bench.file.status == "unsaved":
        bench.file.flush()
    assert bench.file.status == "saved" and q_in("voice.amp.json") == bench.graph["flt"].params["q"]
