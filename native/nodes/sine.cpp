// sine: y = amplitude * sin(2 pi (phase + phase_cycles)), the phase a 64-bit fraction of a cycle.
#include "dsp/math.hpp"
#include "kernel/contract.hpp"
#include "kernel/driver.hpp"
#include "nodes/cycles.hpp"

namespace amp::AMP_KNS {
namespace {

template <class T> struct Sine {
    using U = u64_of<T>;
    enum Param { kFrequency, kPhaseCycles, kAmplitude, kChannels, kParams };
    static constexpr int kInputs = 0, kOutputs = 1;
    static constexpr int kNumbers[] = {kFrequency, kPhaseCycles, kAmplitude};
    static constexpr bool kPhase = true;
    static constexpr int kFast = kFrequency;
    struct Coef {
        U inc, offset;
        T amplitude;
    };
    struct State {
        U phase;
    };
    struct Mid {
        U phase;
    };

    static Coef coef(const T* p, const Setup& u) {
        return {phase_step(p[kFrequency], u), fraction_of_cycle(p[kPhaseCycles]), p[kAmplitude]};
    }
    static void recoef(T frequency, const Setup& u, Coef& c) { c.inc = phase_step(frequency, u); }
    static Mid tick(const T*, const Coef& c, State& s) {
        const Mid m{s.phase};
        s.phase += c.inc;
        return m;
    }
    static void shape(const Mid& m, const T*, const Coef& c, T* y, const Setup&) {
        y[0] = c.amplitude * vsin_of_phase(m.phase + c.offset);
    }
};

constexpr amp_param_contract kParams[] = {
    frequency("frequency_hz", 0.0, 440.0, "Frequency; 0 holds the phase."),
    phase_cycles(),
    number("amplitude", "1", -1e6, 1e6, 1.0, "Peak value."),
    channels(),
};
constexpr amp_port_contract kOut[] = {output("out", "The sine.")};
constexpr amp_case_contract kCases[] = {
    {"a4", "none", "frequency_hz=440", 1, 2048, "exact", 0, kExactReason},
    {"cosine", "none", "frequency_hz=997 phase_cycles=0.25 amplitude=0.5 channels=2", 2, 2048, "exact", 0,
     kExactReason},
    {"standing", "none", "frequency_hz=0 phase_cycles=0.125", 1, 64, "exact", 0, kExactReason},
};
constexpr amp_node_contract kContract =
    contract({.id = "sine",
              .group = "source",
              .summary = "Sine oscillator.",
              .doc = "y[n] = amplitude * sin(2 pi (phase[n] + phase_cycles[n])), phase[0] = 0, phase[n + 1] = phase[n] "
                     "+ frequency_hz[n] / fs modulo one cycle. The phase is a 64-bit integer: at most 1.2e-10 cycles "
                     "of drift in 24 h. Modulate frequency_hz for FM, phase_cycles for PM.",
              .params = kParams,
              .cases = kCases,
              .channels = "channels",
              .adjoint = AMP_ADJOINT_EXACT,
              .laws = AMP_LAW_BLOCK_INVARIANT},
             {}, kOut);

}  // namespace

extern const NodeType node_sine;
const NodeType node_sine = frame_node<Sine>(kContract);

}  // namespace amp::AMP_KNS
