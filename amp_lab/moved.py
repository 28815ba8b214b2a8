"""Modules under their paths of version 0.1.0: importing one returns the moved module, with a warning."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import sys
import warnings
from collections.abc import Sequence
from types import ModuleType

PATHS = {
    "adopted": "graph.edits.adopted",
    "arrays": "common.arrays",
    "atomic_files": "common.atomic_files",
    "blob": "graph.files.descriptors",
    "blob_reader": "graph.files.descriptor_reader",
    "checks": "common.checks",
    "cli_golden": "cli.golden_commands",
    "codegen": "graph.files.python_code",
    "command_line": "cli.command_line",
    "control": "graph.records.curves",
    "counted": "graph.records.free_names",
    "describe": "catalog.text",
    "descriptors": "isolate.file_descriptors",
    "display": "export.notebook_display",
    "doctor": "cli.doctor",
    "editing": "graph.edits.node_edits",
    "events": "graph.edits.events",
    "fork_server": "isolate.fork_server",
    "graph_json": "graph.files.json_format",
    "html_parts": "export.html_parts",
    "journal": "graph.edits.journal",
    "jsontext": "common.json_text",
    "layout": "plots.graph_layout",
    "limits": "isolate.limits",
    "lowlevel_calls": "lowlevel.calls",
    "lowlevel_contracts": "lowlevel.contracts",
    "lowlevel_library": "lowlevel.library",
    "lowlevel_meter": "lowlevel.meter",
    "lowlevel_stream": "lowlevel.stream",
    "memory": "execution.recycled_memory",
    "model": "graph.edits.nodes",
    "npz": "common.npz",
    "pictures": "export.pictures",
    "plan_text": "plan.text",
    "player": "export.player",
    "progress": "render.progress",
    "regular_files": "common.regular_files",
    "remote": "isolate.stream",
    "rendering": "render.prepare",
    "report": "export.html_report",
    "request": "execution",
    "schedule": "plan.schedule",
    "segments": "isolate.shared_memory",
    "service": "isolate.service",
    "session": "render.session",
    "shared": "isolate.messages",
    "sound_export": "export.sound_file",
    "soundfiles": "graph.records.sound_reader",
    "store": "graph.edits.transactions",
    "stored": "graph.graph",
    "stream_thread": "isolate.stream_thread",
    "tap": "render.tap",
    "tickets": "isolate.tickets",
    "trace_file": "export.trace_file",
    "values": "graph.records.values",
    "version": "common.version",
    "wiring": "graph.edits.link_edits",
    "worker": "isolate.worker_process",
    "workers": "isolate.workers",
}
"""New path by old path, both below ``amp_lab``; paths that are packages now (``amp_lab.graph``) stay."""


class _Moved(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds a module by its old path."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        package, _, old = name.partition(".")
        if package != "amp_lab" or old not in PATHS:
            return None
        return importlib.machinery.ModuleSpec(name, self)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        new = f"amp_lab.{PATHS[spec.name.partition('.')[2]]}"
        warnings.warn(f"{spec.name} is now {new}. Import that.", DeprecationWarning, stacklevel=2)
        module = importlib.import_module(new)
        spec.loader_state = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Undo what the import system has written into a module that was there already."""
        spec = module.__spec__
        if spec is not None:
            module.__spec__ = spec.loader_state


def install() -> None:
    """Make the old paths importable, once per process."""
    if not any(isinstance(finder, _Moved) for finder in sys.meta_path):
        sys.meta_path.append(_Moved())
