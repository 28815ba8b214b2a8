// Shared by the nodes with a phase: its increment, offsets in cycles, and waveforms.
#pragma once
#include "dsp/phase.hpp"
#include "kernel/contract.hpp"
#include "kernel/packs.hpp"

namespace amp::AMP_KNS {

// The phase increment per frame for a frequency in Hz.
template <class T> AMP_INLINE u64_of<T> phase_step(T f_hz, const Setup& u) {
    return increment(f_hz, PhaseScale{u.env.phase_scale[0], u.env.phase_scale[1]});
}

// Cycles split into the nearest integer and the remainder, a 64-bit fraction in [-1/2, 1/2) in two's complement.
template <class T> struct Cycles {
    T whole;
    u64_of<T> rest;
};

// For |x| <= 1e9. The remainder has 62 bits, more than a double near 1e-3 cycles.
template <class T> AMP_INLINE Cycles<T> split_cycles(T x) {
    const T whole = vfloor(x + T(0.5));
    return {whole, to_u64((x - whole) * T(0x1p62)) << 2};
}

template <class T> AMP_INLINE u64_of<T> fraction_of_cycle(T x) { return split_cycles(x).rest; }

// Exact waveforms of a phase t in cycles: the saw 2 t - 1, and the triangle, which starts upwards from 0 and is
// computed from its distance to the upper corner (at most 1/2 cycle).
template <class T> AMP_INLINE T saw_of_phase(u64_of<T> phase) {
    return from_bits((phase >> 12) | 0x4000000000000000u) - T(3.0);
}
template <class T> AMP_INLINE T from_top(u64_of<T> phase) {
    return vabs(unit52(phase + u64_of<T>(uint64_t{1} << 62)) - T(0.5));
}
template <class T> AMP_INLINE T triangle_of_phase(u64_of<T> phase) { return T(1.0) - T(4.0) * from_top<T>(phase); }

constexpr amp_param_contract phase_cycles() {
    return number("phase_cycles", "cycles", -1e9, 1e9, 0.0,
                  "Added to the phase; any real number of cycles, may be modulated.");
}

}  // namespace amp::AMP_KNS
