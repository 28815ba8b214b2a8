# ruff: noqa
# fmt: off
"""Generated from the native contracts by ``make stubs``; do not edit."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy.typing as npt

from amp_lab.common.arrays import Scale
from amp_lab.graph.edits.arguments import Source
from amp_lab.graph.edits.nodes import Node
from amp_lab.graph.records.values import ValueLike

class Builders:
    def average(
        self,
        *inputs: Source,
        gain: ValueLike = 1.0,
        name: str | None = None,
        thermo: Mapping[str, float | None] | None = None,
    ) -> Node:
        """Averages signals.

        Parameters
        ----------
        gain
            Factor on the mean; 1 passes it bit for bit. [-1e+06 to 1e+06, default 1.0, rate frame]

        Examples
        --------
        >>> g = amp.Graph()
        >>> node = g.average(g.noise(), gain=1.0)
        >>> node.params
        {'gain': 1.0}
        """

    def batch_mix(
        self,
        *inputs: Source,
        reduction: Literal["mean", "sum"] = "mean",
        name: str | None = None,
        thermo: Mapping[str, float | None] | None = None,
    ) -> Node:
        """Mixes all batches down and gives every batch the mix.

        Parameters
        ----------
        reduction
            What is made of the batches. [mean | sum, default mean, rate fixed]

        Examples
        --------
        >>> g = amp.Graph()
        >>> node = g.batch_mix(g.noise(), reduction="mean")
        >>> node.params
        {'reduction': 'mean'}
        """

    def biquad(
        self,
        *inputs: Source,
        design: Literal["coefficients", "lowpass", "highpass", "bandpass", "notch", "peak", "lowshelf", "highshelf"] = "lowpass",
        b0: ValueLike = 1.0,
        b1: ValueLike = 0.0,
        b2: ValueLike = 0.0,
        a1: ValueLike = 0.0,
        a2: ValueLike = 0.0,
        cutoff_hz: ValueLike = 1000.0,
        q: ValueLike = 0.7071067811865476,
        gain_db: ValueLike = 0.0,
        name: str | None = None,
        thermo: Mapping[str, float | None] | None = None,
    ) -> Node:
        """Second-order section from coefficients or a cookbook design.

        Parameters
        ----------
        design
            Where the coefficients come from: given (b0 ... a2), or designed from cutoff_hz, q, gain_db. [coefficients | lowpass | highpass | bandpass | notch | peak | lowshelf | highshelf, default lowpass, rate fixed]
        b0
            Feed-forward coefficient of x[n] (design=coefficients only, like the next four). [-1000 to 1000, default 1.0, rate frame]
        b1
            Feed-forward coefficient of x[n - 1]. [-1000 to 1000, default 0.0, rate frame]
        b2
            Feed-forward coefficient of x[n - 2]. [-1000 to 1000, default 0.0, rate frame]
        a1
            Feedback coefficient of y[n - 1] (a0 = 1); stable if |a1| < 1 + a2. [-2 to 2, default 0.0, rate frame]
        a2
            Feedback coefficient of y[n - 2]; stable if |a2| < 1. [-1 to 1, default 0.0, rate frame]
        cutoff_hz
            Corner or centre frequency of a design. [1 to 0.49 fs Hz, default 1000.0, rate frame]
        q
            Quality factor of a design; bandwidth for bandpass, notch and peak. [0.1 to 1000, default 0.7071067811865476, rate frame]
        gain_db
            Gain at the peak or on the shelf (peak and shelves only). [-120 to 120 dB, default 0.0, rate frame]

        Examples
        --------
        >>> g = amp.Graph()
        >>> node = g.biquad(g.noise(), design="coefficients", b0=0.2, b1=0.4, b2=0.2, a1=-0.5, a2=0.3)
        >>> node.params
        {'design': 'coefficients', 'b0': 0.2, 'b1': 0.4, 'b2': 0.2, 'a1': -0.5, 'a2': 0.3, 'cutoff_hz': 1000.0, 'q': 0.7071067811865476, 'gain_db': 0.0}
        """

    def constant(
        self,
        *,
        value: ValueLike = 0.0,
        channels: int = 1,
        name: str | None = None,
        thermo: Mapping[str, float | None] | None = None,
    ) -> Node:
        """Makes a constant signal.

        Parameters
        ----------
        value
            The value of every frame. [-1e+09 to 1e+09, default 0.0, rate frame]
        channels
            Number of channels this source makes. [1 to 1024, default 1, rate fixed]

        Examples
        --------
        >>> g = amp.Graph()
        >>> node = g.constant(value=0.5)
        >>> node.params
        {'value': 0.5, 'channels': 1}
        """

    def controller(
        self,
        *,
        curve: str = "",
        channels: int = 1,
        name: str | None = None,
        thermo: Mapping[str, float | None] | None = None,
    ) -> Node:
        """Plays a control curve as a signal.

        Parameters
        ----------
        curve
            Name of the control curve to play. [text, default '', rate fixed]
        channels
            Number of channels this source makes. [1 to 1024, default 1, rate fixed]

        Examples
        --------
        >>> g = amp.Graph()
        >>> node = g.controller(curve="level")
        >>> node.params
        {'curve': 'level', 'channels': 1}
        """

    def delay_line(
        self,
        *inputs: Source,
        interpolation: Literal["linear", "lagrange3"] = "lagrange3",
        delay_s: ValueLike = 0.1,
        max_delay_s: ValueLike = 1.0,
        name: str | None = None,
        thermo: Mapping[str, float | None] | None = None,
    ) -> Node:
        """Delays a signal by any time, also between frames.

        Parameters
        ----------
        interpolation
            Between frames: a straight line, or a cubic through four of them (flatter response). [linear | lagrange3, default lagrange3, rate fixed]
        delay_s
            Delay, at most max_delay_s; its value at frame n places the read of frame n. [0 to 60 s, default 0.1, rate frame]
        max_delay_s
            Longest delay; sets the memory. [0.0001 to 60 s, default 1.0, rate fixed]

        Examples
        --------
        >>> g = amp.Graph()
        >>> node = g.delay_line(g.input([1.0]), interpolation="linear", delay_s=0.001, max_delay_s=0.01)
        >>> node.params
        {'interpolation': 'linear', 'delay_s': 0.001, 'max_delay_s': 0.01}
        """

    def envelope(
        self,
        *inputs: Source,
        gate: Source | list[Source] | None = None,
        trigger: Source | list[Source] | None = None,
        velocity: Source | list[Source] | None = None,
        attack_s: ValueLike = 0.005,
        hold_s: ValueLike = 0.0,
        decay_s: ValueLike = 0.1,
        sustain: ValueLike = 0.7,
        release_s: ValueLike = 0.2,
        name: str | None = None,
        thermo: Mapping[str, float | None] | None = None,
    ) -> Node:
        """AHDSR envelope with gate, trigger and velocity.

        Parameters
        ----------
        attack_s
            Time of the straight rise to the peak. [0 to 3600 s, default 0.005, rate frame]
        hold_s
            Time at the peak. [0 to 3600 s, default 0.0, rate frame]
        decay_s
            Time of the fall to the sustain level. [0 to 3600 s, default 0.1, rate frame]
        sustain
            Sustain level, as a part of the peak. [0 to 1, default 0.7, rate frame]
        release_s
            Time of the fall to zero. [0 to 3600 s, default 0.2, rate frame]

        Examples
        --------
        >>> g = amp.Graph()
        >>> node = g.envelope(gate=g.lfo(shape="square"), trigger=g.lfo(shape="square"), velocity=g.lfo(shape="square"), attack_s=0.002, hold_s=0.001, decay_s=0.005, sustain=0.5, release_s=0.004)
        >>> node.params
        {'attack_s': 0.002, 'hold_s': 0.001, 'decay_s': 0.005, 'sustain': 0.5, 'release_s': 0.004}
        """

    def fir(
        self,
        *inputs: Source,
        mode: Literal["lowpass", "highpass", "bandpass", "bandstop"] = "lowpass",
        cutoff_hz: ValueLike = 1000.0,
        upper_hz: ValueLike = 4000.0,
        half_length: int = 32,
        stopband_db: ValueLike = 80.0,
        name: str | None = None,
        thermo: Mapping[str, float | None] | None = None,
    ) -> Node:
        """Linear-phase lowpass, highpass, bandpass or bandstop of any length.

        Parameters
        ----------
        mode
            What passes: below, above, inside or outside the corners. [lowpass | highpass | bandpass | bandstop, default lowpass, rate fixed]
        cutoff_hz
            Corner, where the gain is one half (-6 dB). [0.001 to 0.49 fs Hz, default 1000.0, rate fixed]
        upper_hz
            The other corner of a band; lowpass and highpass do not read it. [0.001 to 0.49 fs Hz, default 4000.0, rate fixed]
        half_length
            Frames on either side of the middle: latency half_length, length 2 half_length + 1. [1 to 8192, default 32, rate fixed]
        stopband_db
            Rejection and ripple of the design; more costs a wider transition. [21 to 200 dB, default 80.0, rate fixed]

        Examples
        --------
        >>> g = amp.Graph()
        >>> node = g.fir(g.input([1.0]), mode="lowpass", cutoff_hz=3000.0, half_length=20, stopband_db=60.0)
        >>> node.params
        {'mode': 'lowpass', 'cutoff_hz': 3000.0, 'upper_hz': 4000.0, 'half_length': 20, 'stopband_db': 60.0}
        """

    def first(
        self,
        *inputs: Source,
        name: str | None = None,
        thermo: Mapping[str, float | None] | None = None,
    ) -> Node:
        """Takes the first of its signals.

        Parameters
        ----------

        Examples
        --------
        >>> g = amp.Graph()
        >>> node = g.first(g.noise())
        >>> node.params
        {}
        """

    def gain(
        self,
        *inputs: Source,
        gain: ValueLike = 1.0,
        name: str | None = None,
        thermo: Mapping[str, float | None] | None = None,
    ) -> Node:
        """Multiplies a signal by a factor.

        Parameters
        ----------
        gain
            Factor. Negative inverts; 1 passes the signal bit for bit. [-1e+06 to 1e+06, default 1.0, rate frame]

        Examples
        --------
        >>> g = amp.Graph()
        >>> node = g.gain(g.noise(), gain=0.5)
        >>> node.params
        {'gain': 0.5}
        """

    def hold(
        self,
        *inputs: Source,
        hop_frames: int = 1,
        phase_frames: int = 0,
        name: str | None = None,
        thermo: Mapping[str, float | None] | None = None,
    ) -> Node:
        """Samples a signal every so many frames and holds the value.

        Parameters
        ----------
        hop_frames
            Frames from one taken value to the next; 1 passes the signal bit for bit. [1 to 2.14748e+09, default 1, rate fixed]
        phase_frames
            A value is taken at the frames n with n = phase_frames modulo hop_frames. [0 to 2.14748e+09, default 0, rate fixed]

        Examples
        --------
        >>> g = amp.Graph()
        >>> node = g.hold(g.noise(), hop_frames=3)
        >>> node.params
        {'hop_frames': 3, 'phase_frames': 0}
        """

    def input(
        self,
        samples: npt.ArrayLike | str | Path | None = None,
        *,
        source: str = "",
        channels: int = 1,
        scale: Scale = None,
        name: str | None = None,
        thermo: Mapping[str, float | None] | None = None,
    ) -> Node:
        """Plays bound samples: an array or an audio file.

        Parameters
        ----------
        samples
            Samples to play: floating-point array (B, C, N), (C, N) or (N,), or the path of a sound file.
        scale
            Factor on an array, required for integers: 'full' for PCM (int16: 1/32768), 1 for the values as they are.
        source
            Where the samples come from, in words (a file's name); the samples themselves are bound to the node. [text, default '', rate fixed]
        channels
            Number of channels this source makes. [1 to 1024, default 1, rate fixed]

        Examples
        --------
        >>> g = amp.Graph()
        >>> node = g.input(np.zeros((1, 256)))
        >>> node.params
        {'source': '', 'channels': 1}
        """

    def lfo(
        self,
        *,
        shape: Literal["sine", "triangle", "saw", "square", "random"] = "sine",
        rate_hz: ValueLike = 1.0,
        phase_cycles: ValueLike = 0.0,
        slew_s: ValueLike = 0.0,
        depth: ValueLike = 1.0,
        offset: ValueLike = 0.0,
        channels: int = 1,
        name: str | None = None,
        thermo: Mapping[str, float | None] | None = None,
    ) -> Node:
        """Low-frequency oscillator: sine, triangle, saw, square, random steps.

        Parameters
        ----------
        shape
            Shape between -1 and 1; random holds a new value for every cycle. [sine | triangle | saw | square | random, default sine, rate fixed]
        rate_hz
            Cycles per second; 0 stands still. [0 to 0.49 fs Hz, default 1.0, rate frame]
        phase_cycles
            Added to the phase; any real number of cycles, may be modulated. [-1e+09 to 1e+09 cycles, default 0.0, rate frame]
        slew_s
            Time constant of a one-pole that rounds the shape; 0 passes it unchanged. [0 to 60 s, default 0.0, rate frame]
        depth
            Factor on the shape. [-1e+09 to 1e+09, default 1.0, rate frame]
        offset
            Added to the scaled shape. [-1e+09 to 1e+09, default 0.0, rate frame]
        channels
            Number of channels this source makes. [1 to 1024, default 1, rate fixed]

        Examples
        --------
        >>> g = amp.Graph()
        >>> node = g.lfo(shape="sine", rate_hz=50.0, depth=2.0, offset=1.0)
        >>> node.params
        {'shape': 'sine', 'rate_hz': 50.0, 'phase_cycles': 0.0, 'slew_s': 0.0, 'depth': 2.0, 'offset': 1.0, 'channels': 1}
        """

    def lookahead_limiter(
        self,
        *inputs: Source,
        lookahead_s: ValueLike = 0.005,
        ceiling: ValueLike = 1.0,
        release_s: ValueLike = 0.1,
        name: str | None = None,
        thermo: Mapping[str, float | None] | None = None,
    ) -> Node:
        """Limits peaks; the gain falls before they come.

        Parameters
        ----------
        lookahead_s
            How long before a peak the gain begins to fall; the latency. [0 to 0.1 s, default 0.005, rate fixed]
        ceiling
            Largest magnitude that leaves the node. [1e-06 to 1e+06, default 1.0, rate frame]
        release_s
            Time in which the way back to gain 1 shrinks to 1/e; that of channel 0 counts for all. [0.0001 to 60 s, default 0.1, rate frame]

        Examples
        --------
        >>> g = amp.Graph()
        >>> node = g.lookahead_limiter(g.noise(), lookahead_s=0.001, ceiling=0.25, release_s=0.01)
        >>> node.params
        {'lookahead_s': 0.001, 'ceiling': 0.25, 'release_s': 0.01}
        """

    def matrix_mix(
        self,
        *inputs: Source,
        matrix: npt.ArrayLike = 1.0,
        name: str | None = None,
        thermo: Mapping[str, float | None] | None = None,
    ) -> Node:
        """Mixes channels into channels by a matrix.

        Parameters
        ----------
        matrix
            One row per channel that goes out, one column per channel that comes in. [-1e+06 to 1e+06, default 1.0, rate batch]

        Examples
        --------
        >>> g = amp.Graph()
        >>> node = g.matrix_mix(g.noise(), matrix=[[1.0, 0.1], [0.25, -1.0]])
        >>> node.params
        {'matrix': array([[[ 1. , 0.1 ], [ 0.25, -1. ]]])}
        """

    def mix(
        self,
        *inputs: Source,
        gain: ValueLike = 1.0,
        name: str | None = None,
        thermo: Mapping[str, float | None] | None = None,
    ) -> Node:
        """Adds signals.

        Parameters
        ----------
        gain
            Factor on the sum; 1 passes it bit for bit. [-1e+06 to 1e+06, default 1.0, rate frame]

        Examples
        --------
        >>> g = amp.Graph()
        >>> node = g.mix(g.noise(), gain=1.0)
        >>> node.params
        {'gain': 1.0}
        """

    def noise(
        self,
        *,
        amplitude: ValueLike = 1.0,
        seed: int = 0,
        channels: int = 1,
        name: str | None = None,
        thermo: Mapping[str, float | None] | None = None,
    ) -> Node:
        """White noise, uniform, reproducible.

        Parameters
        ----------
        amplitude
            Largest magnitude; the RMS value is amplitude / sqrt(3). [-1e+06 to 1e+06, default 1.0, rate frame]
        seed
            Chooses another noise. [0 to 9.0072e+15, default 0, rate fixed]
        channels
            Number of channels this source makes. [1 to 1024, default 1, rate fixed]

        Examples
        --------
        >>> g = amp.Graph()
        >>> node = g.noise()
        >>> node.params
        {'amplitude': 1.0, 'seed': 0, 'channels': 1}
        """

    def one_pole(
        self,
        *inputs: Source,
        mode: Literal["lowpass", "highpass"] = "lowpass",
        cutoff_hz: ValueLike = 1000.0,
        name: str | None = None,
        thermo: Mapping[str, float | None] | None = None,
    ) -> Node:
        """One-pole lowpass or highpass, 6 dB per octave.

        Parameters
        ----------
        mode
            lowpass, or highpass = input minus lowpass. [lowpass | highpass, default lowpass, rate fixed]
        cutoff_hz
            Corner frequency; accurate well below fs, at 0.49 fs the filter is nearly open. [0.01 to 0.49 fs Hz, default 1000.0, rate frame]

        Examples
        --------
        >>> g = amp.Graph()
        >>> node = g.one_pole(g.constant(value=1.0), mode="lowpass", cutoff_hz=100.0)
        >>> node.params
        {'mode': 'lowpass', 'cutoff_hz': 100.0}
        """

    def oscillator(
        self,
        *inputs: Source,
        sync: Source | list[Source] | None = None,
        reset: Source | list[Source] | None = None,
        waveform: Literal["sine", "saw", "square", "triangle"] = "saw",
        quality: Literal["naive", "blep2", "blep4"] = "blep2",
        frequency_hz: ValueLike = 440.0,
        phase_cycles: ValueLike = 0.0,
        pulse_width: ValueLike = 0.5,
        amplitude: ValueLike = 1.0,
        channels: int = 1,
        name: str | None = None,
        thermo: Mapping[str, float | None] | None = None,
    ) -> Node:
        """Sine, saw, square and triangle oscillator.

        Parameters
        ----------
        waveform
            Shape of a cycle; all but the square start at the phase of a sine: saw -1 to 1, triangle from 0 up. [sine | saw | square | triangle, default saw, rate fixed]
        quality
            naive: the ideal shape, sampled. blep2: steps and corners rounded over two frames, far less alias. blep4: over four, less still, for a latency of two frames. [naive | blep2 | blep4, default blep2, rate fixed]
        frequency_hz
            Frequency; 0 holds the phase. [0 to 0.49 fs Hz, default 440.0, rate frame]
        phase_cycles
            Added to the phase; any real number of cycles, may be modulated. [-1e+09 to 1e+09 cycles, default 0.0, rate frame]
        pulse_width
            Part of the cycle in which the square is +1; its mean is 2 pulse_width - 1. [0.01 to 0.99 cycles, default 0.5, rate frame]
        amplitude
            Peak value of the naive shape. [-1e+06 to 1e+06, default 1.0, rate frame]
        channels
            Number of channels this source makes. [1 to 1024, default 1, rate fixed]

        Examples
        --------
        >>> g = amp.Graph()
        >>> node = g.oscillator(waveform="sine", frequency_hz=997.0)
        >>> node.params
        {'waveform': 'sine', 'quality': 'blep2', 'frequency_hz': 997.0, 'phase_cycles': 0.0, 'pulse_width': 0.5, 'amplitude': 1.0, 'channels': 1}
        """

    def output(
        self,
        *inputs: Source,
        name: str | None = None,
        thermo: Mapping[str, float | None] | None = None,
    ) -> Node:
        """Delivers a signal as the graph's result.

        Parameters
        ----------

        Examples
        --------
        >>> g = amp.Graph()
        >>> node = g.output(g.noise())
        >>> node.params
        {}
        """

    def pan(
        self,
        *inputs: Source,
        position: ValueLike = 0.0,
        name: str | None = None,
        thermo: Mapping[str, float | None] | None = None,
    ) -> Node:
        """Places a mono signal in stereo, or balances a stereo signal.

        Parameters
        ----------
        position
            -1 left, 0 centre, 1 right. [-1 to 1, default 0.0, rate frame]

        Examples
        --------
        >>> g = amp.Graph()
        >>> node = g.pan(g.noise(), position=0.0)
        >>> node.params
        {'position': 0.0}
        """

    def safety(
        self,
        *inputs: Source,
        ceiling: ValueLike = 1.0,
        release_s: ValueLike = 0.1,
        dc_block_hz: ValueLike = 5.0,
        name: str | None = None,
        thermo: Mapping[str, float | None] | None = None,
    ) -> Node:
        """Removes DC and limits peaks.

        Parameters
        ----------
        ceiling
            Largest magnitude that leaves the node. [1e-06 to 1e+06, default 1.0, rate frame]
        release_s
            Time in which the held peak falls to 1/e. [0.0001 to 60 s, default 0.1, rate frame]
        dc_block_hz
            Corner of the one-pole highpass that removes DC; 0 turns it off. [0 to 100 Hz, default 5.0, rate frame]

        Examples
        --------
        >>> g = amp.Graph()
        >>> node = g.safety(g.noise(), ceiling=0.25, release_s=0.01)
        >>> node.params
        {'ceiling': 0.25, 'release_s': 0.01, 'dc_block_hz': 5.0}
        """

    def sine(
        self,
        *,
        frequency_hz: ValueLike = 440.0,
        phase_cycles: ValueLike = 0.0,
        amplitude: ValueLike = 1.0,
        channels: int = 1,
        name: str | None = None,
        thermo: Mapping[str, float | None] | None = None,
    ) -> Node:
        """Sine oscillator.

        Parameters
        ----------
        frequency_hz
            Frequency; 0 holds the phase. [0 to 0.49 fs Hz, default 440.0, rate frame]
        phase_cycles
            Added to the phase; any real number of cycles, may be modulated. [-1e+09 to 1e+09 cycles, default 0.0, rate frame]
        amplitude
            Peak value. [-1e+06 to 1e+06, default 1.0, rate frame]
        channels
            Number of channels this source makes. [1 to 1024, default 1, rate fixed]

        Examples
        --------
        >>> g = amp.Graph()
        >>> node = g.sine(frequency_hz=440.0)
        >>> node.params
        {'frequency_hz': 440.0, 'phase_cycles': 0.0, 'amplitude': 1.0, 'channels': 1}
        """

    def split(
        self,
        *inputs: Source,
        name: str | None = None,
        thermo: Mapping[str, float | None] | None = None,
    ) -> Node:
        """Sends each channel its own way.

        Parameters
        ----------

        Examples
        --------
        >>> g = amp.Graph()
        >>> node = g.split(g.lfo(shape="saw"))
        >>> node.params
        {}
        """

    def stack(
        self,
        *inputs: Source,
        gain: ValueLike = 1.0,
        name: str | None = None,
        thermo: Mapping[str, float | None] | None = None,
    ) -> Node:
        """Makes several signals the channels of one.

        Parameters
        ----------
        gain
            Factor, one for all or one per channel; 1 passes it bit for bit. [-1e+06 to 1e+06, default 1.0, rate frame]

        Examples
        --------
        >>> g = amp.Graph()
        >>> node = g.stack(g.noise(), gain=1.0)
        >>> node.params
        {'gain': 1.0}
        """

    def svf(
        self,
        *inputs: Source,
        mode: Literal["lowpass", "bandpass", "highpass", "notch"] = "lowpass",
        cutoff_hz: ValueLike = 1000.0,
        q: ValueLike = 0.7071067811865476,
        name: str | None = None,
        thermo: Mapping[str, float | None] | None = None,
    ) -> Node:
        """Zero-delay state-variable filter, 12 dB per octave.

        Parameters
        ----------
        mode
            Response. Bandpass has unit gain at the cutoff. [lowpass | bandpass | highpass | notch, default lowpass, rate fixed]
        cutoff_hz
            Corner or centre frequency (prewarped, exact at the corner). [1 to 0.49 fs Hz, default 1000.0, rate frame]
        q
            Quality factor; 0.707 is a Butterworth response. [0.1 to 1000, default 0.7071067811865476, rate frame]

        Examples
        --------
        >>> g = amp.Graph()
        >>> node = g.svf(g.input([1.0]), mode="lowpass", cutoff_hz=1000.0, q=2.0)
        >>> node.params
        {'mode': 'lowpass', 'cutoff_hz': 1000.0, 'q': 2.0}
        """

    def wavefolder(
        self,
        *inputs: Source,
        drive: ValueLike = 1.0,
        bias: ValueLike = 0.0,
        name: str | None = None,
        thermo: Mapping[str, float | None] | None = None,
    ) -> Node:
        """Folds a signal back at +-1, with less aliasing.

        Parameters
        ----------
        drive
            Factor on the input; what exceeds 1 with the bias is folded. [-1e+06 to 1e+06, default 1.0, rate frame]
        bias
            Added to the driven input; 0 gives odd harmonics only. [-1e+06 to 1e+06, default 0.0, rate frame]

        Examples
        --------
        >>> g = amp.Graph()
        >>> node = g.wavefolder(g.sine(), drive=4.0)
        >>> node.params
        {'drive': 4.0, 'bias': 0.0}
        """
