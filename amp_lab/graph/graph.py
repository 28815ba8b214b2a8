"""The graph that a user builds, edits, renders and runs."""

# ruff: noqa: PLC0415 - renders and figures import graphs: they are imported when a method needs them

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from amp_lab import catalog
from amp_lab.catalog.builder import takes_samples
from amp_lab.common import checks
from amp_lab.contracts import Isolation, Nonfinite, Progress
from amp_lab.graph.builders import Builders
from amp_lab.graph.edits.node_edits import Editing
from amp_lab.graph.files import descriptors
from amp_lab.graph.files.descriptors import Descriptors
from amp_lab.graph.records import samples
from amp_lab.graph.records.curves import ControlHistory
from amp_lab.graph.records.values import Samples
from amp_lab.graph.stored import Stored
from amp_lab.plan.plan import Plan

if TYPE_CHECKING:
    from amp_lab.plan.schedule import Schedule
    from amp_lab.render import Render, Session


class Graph(Builders, Stored):
    """Nodes, edges and modulations at one sample rate.

    Node types are methods (``g.svf(...)``), derived from the native contracts. All methods may be called from
    several threads.

    Parameters
    ----------
    sample_rate
        In Hz, 1 to 1e7.
    name
        Name of the graph.
    heat_budget_w
        Heat budget in W, None for no budget.
    heat_policy
        ``report`` lists the windows over the budget in `Heat.excesses`; ``halt`` raises `ThermalError`.

    Examples
    --------
    >>> g = amp.Graph(name="beep", heat_budget_w=5.0)
    >>> beep = g.sine(frequency_hz=440.0, amplitude=0.5)
    >>> out = g.output(g.pan(beep))
    >>> g
    Graph beep: 3 nodes, 2 edges, 0 modulations at 48000 Hz
    >>> g.sample_rate, g.name, g.heat_budget_w, g.heat_policy
    (48000.0, 'beep', 5.0, 'report')
    >>> g.nodes
    (Node sine: sine(amplitude=0.5), Node pan: pan(), Node output: output())
    >>> g.output_node is out, len(g.edges), g.modulations, g.controls
    (True, 2, (), None)
    >>> g.set_params("sine", {"amplitude": 0.25})
    >>> g.set_thermo("sine", g["pan"].thermo)
    >>> g.record("sine").values, g.contract("sine").summary
    ({'amplitude': 0.25}, 'Sine oscillator.')
    >>> g.render(seconds=0.01)
    Render beep: 1 x 2 x 480 frames at 48000 Hz, peak -15.05 dBFS, sha256 ...
    """

    _plan: tuple[int, Plan] | None = None

    @property
    def curves(self) -> tuple[str, ...]:
        """Names of the control curves that parameters and controller nodes follow, sorted.

        Examples
        --------
        >>> amp.presets.three_osc().curves
        ('cutoff_hz', 'gate', 'pitch_hz', 'velocity')
        """
        return self.compile().curves

    if not TYPE_CHECKING:  # the builders are declared in _builders.pyi

        def __getattr__(self, key: str) -> Any:
            if key.startswith("_"):
                raise AttributeError(key, name=key, obj=None)
            allowed = (*catalog.types(), *(name for name in dir(Editing) if not name.startswith("_")))
            raise checks.no_attribute("Graph", key, allowed, "builder or method")

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        from amp_lab.plots.graph import mimebundle

        return mimebundle(self)

    # ---- plan, render ----

    def compile(self) -> Plan:
        """Return the compiled plan; it is compiled again only after an edit.

        Raises
        ------
        AmpError
            If the graph has a violation, such as a cycle without delay; the error lists all of them.

        Examples
        --------
        >>> g = amp.Graph(name="beep")
        >>> out = g.output(g.fir(g.sine()))
        >>> g.compile()
        Plan beep: 3 nodes, 2 edges, 0 components, latency 32 frames, ...
        >>> g.compile().latency_frames
        32
        """
        with self._store.lock:
            if self._plan is None or self._plan[0] != self._store.version:
                blob = descriptors.encode(self._descriptors())
                self._plan = (self._store.version, Plan.compile(blob, self.name, self._store.nodes))
            return self._plan[1]

    def ipls(self) -> Schedule:
        """Return the schedule that renders follow by default: nodes of one kind share the lanes of a kernel.

        Raises
        ------
        AmpError
            As `compile` does.

        Examples
        --------
        >>> g = amp.Graph()
        >>> out = g.output(g.mix(*(g.sine(frequency_hz=110.0 * k) for k in range(1, 9))))
        >>> print(g.ipls().to_text())
        schedule: 3 stages, 1 cohorts of 2 and more with 8 of 10 nodes, 8 lanes
          stage  members  nodes
              1        8  sine, sine_2, (4 more), sine_7, sine_8
              2        1  mix
              3        1  output
        """
        return self.compile().schedule

    def inputs(self, names: Sequence[str] | None = None) -> dict[str, Samples]:
        """Return the samples of ``input`` nodes by name, (B|1, C, N) each; by default of all of them.

        Sound files that a loaded graph names are read by this call.

        Examples
        --------
        >>> g = amp.Graph()
        >>> x = g.input(np.zeros((2, 480)), name="mic")
        >>> {name: samples.shape for name, samples in g.inputs().items()}
        {'mic': (1, 2, 480)}
        """
        with self._store.lock:
            types = {id_ for id_ in catalog.types() if takes_samples(catalog.contract(id_))}
            nodes = [record for record in self._store.nodes.values() if record.type in types]
        chosen = nodes if names is None else [record for record in nodes if record.name in set(names)]
        return samples.of(chosen, self._sample_rate, self._sample_folders)

    def _descriptors(self) -> Descriptors:
        output = self.output_node
        return Descriptors(
            sample_rate=self._sample_rate,
            name=self.name,
            heat_budget_w=self.heat_budget_w,
            heat_policy=self.heat_policy,
            output="" if output is None else output.name,
            nodes=tuple(samples.without_place(record) for record in self._store.nodes.values()),
            edges=tuple(self._store.edges.values()),
            modulations=tuple(self._store.modulations.values()),
        )

    @checks.keywords
    def session(
        self,
        *,
        batches: int = 1,
        controls: ControlHistory | None = None,
        live: Sequence[str] | None = None,
        output: bool = True,
        block_frames: int | None = None,
        ring_frames: int | None = None,
        limit_frames: int | None = None,
        trace: bool = False,
        nonfinite: Nonfinite = "raise",
        isolation: Isolation = "auto",
    ) -> Session:
        """Start a session: push samples, pull samples, set parameters; the bits are those of one render.

        Parameters
        ----------
        batches, controls, block_frames, trace, nonfinite, isolation
            As for `render`; each session has its own worker.
        live
            Names of the inputs that get their samples by `Session.push`; by default those without samples.
            The other inputs play their samples.
        output
            Whether the output can be pulled; if not, read taps.
        ring_frames
            Capacity of a ring at first, in frames beyond those of its edge delays; by default chosen by the
            plan.
        limit_frames
            Most frames that a ring may grow to while a reader lags; by default 1,048,576.

        Raises
        ------
        AmpError
            As `compile` and `render`; `Unsupported` for the heat policy ``halt``.

        Examples
        --------
        >>> g = amp.Graph()
        >>> out = g.output(g.gain(g.input(name="mic"), gain=0.5))
        >>> with g.session() as s:
        ...     s.push("mic", [1.0, 2.0, 3.0])
        ...     print(s.pull(3))
        ...
        [[[0.5 1.  1.5]]]
        """
        from amp_lab.render import Session

        return Session(
            self,
            batches=batches,
            controls=controls,
            live=live,
            output=output,
            block_frames=block_frames,
            ring_frames=ring_frames,
            limit_frames=limit_frames,
            trace=trace,
            nonfinite=nonfinite,
            isolation=isolation,
        )

    @checks.keywords
    def render(
        self,
        *,
        seconds: float | None = None,
        frames: int | None = None,
        batches: int = 1,
        controls: ControlHistory | None = None,
        taps: Sequence[str] | Literal["all"] = (),
        block_frames: int | None = None,
        isolation: Isolation = "auto",
        trace: bool = False,
        nonfinite: Nonfinite = "raise",
        out: Samples | None = None,
        heat: bool = False,
        progress: Progress | None = None,
        schedule: Schedule | Literal["plain"] | None = None,
        threads: int | None = None,
    ) -> Render:
        """Render the graph from frame 0, natively.

        Parameters
        ----------
        seconds, frames
            Length; give exactly one of the two.
        batches
            Number of variants B rendered together; parameters and samples may differ per batch.
        controls
            Control curves; by default those of the graph.
        taps
            Further signals to keep: names of nodes (first output) or ``"node.port"``; ``"all"`` for every
            node.
        block_frames
            Frames per block; by default chosen so that the blocks fit the cache. The bits do not depend on
            it.
        isolation
            ``"process"``: in a worker process, whose crash raises `NativeCrash`. ``"none"``: in this process.
            ``"auto"``: ``"process"`` in notebooks, else ``"none"``.
        trace
            Whether to record firings (`Render.trace`).
        nonfinite
            ``"raise"`` raises `NonFiniteError` at the first NaN or Inf, ``"allow"`` passes it on.
        out
            Array that receives the audio: writable float64 (B, C, N) with contiguous frames. Digest, figures
            and measurements of the render are computed from it on request: do not modify it until then.
        heat
            Whether to compute heat with the audio; otherwise `Render.heat` renders again.
        progress
            Called with frames done and frames in total; by default a progress bar appears after one second.
        schedule
            Order of firing: by default the derived one (`ipls`); ``"plain"`` for the plan's own order; or a
            `Schedule`. The bits do not depend on it.
        threads
            Most threads at a time; by default as many as the process may use. The bits do not depend on it.
            Traced renders and renders in a worker use one.

        Raises
        ------
        AmpError
            A subclass by kind of failure, with node and frame; `NativeCrash` if the worker died.
        KeyboardInterrupt
            On Ctrl-C, within 0.1 s.

        Examples
        --------
        >>> g = amp.Graph()
        >>> out = g.output(g.sine(frequency_hz=np.reshape([440.0, 880.0], (2, 1, 1)), name="tone"))
        >>> r = g.render(seconds=0.5, batches=2, taps=["tone"])
        >>> r.audio.shape, sorted(r.taps)
        ((2, 1, 24000), ['tone'])
        """
        from amp_lab.render import length, render_graph

        try:
            return render_graph(
                self,
                length(self, seconds, frames),
                batches=batches,
                controls=controls,
                taps=taps,
                block_frames=block_frames,
                isolation=isolation,
                trace=trace,
                nonfinite=nonfinite,
                out=out,
                heat=heat,
                progress=progress,
                schedule=schedule,
                threads=threads,
            )
        except KeyboardInterrupt as interrupt:  # frames of the engine in the traceback do not help the caller
            raise interrupt.with_traceback(None) from None

    def __reduce__(self) -> tuple[Any, ...]:
        records = self._store.nodes.values()
        files = {r.name: r.samples for r in records if r.samples is not None and r.values.get("source")}
        return _unpickled, (self.to_dict(), files, self._sample_folders)


def _unpickled(data: dict[str, Any], files: dict[str, Samples], folders: tuple[str, ...]) -> Graph:
    """Return the graph that `Graph.__reduce__` pickled, with the samples that were read from files."""
    graph = Graph.from_dict(data)
    for name, read in files.items():
        graph._store.nodes[name] = replace(graph._store.nodes[name], samples=read)
    graph._sample_folders = folders
    return graph
