// Phase is an unsigned 64-bit fraction of a cycle; adding wraps. The increment per frame is
// round(f 2^64 / fs), the same bits for double and f64x8, for constant and for modulated frequencies.
//
// Against integer arithmetic the increment is off by 0.501 units of 2^-64 cycle at most at any f <= fs / 2:
// after 24 h at 48 kHz (4.15e9 frames) the phase is within 1.2e-10 cycles.
#pragma once
#include "dsp/lanes.hpp"

namespace amp::AMP_KNS {

// 2^64 / fs = high + middle + low, the first two of 26 bits.
struct PhaseScale {
    double high, middle, low;
};

// fs in Hz, positive and finite. The remainders are exact: each product has at most 26 x 27 bits.
AMP_INLINE PhaseScale make_phase_scale(double fs) {
    const double fs_high = upper26(fs), fs_low = fs - fs_high;
    const double high = upper26(0x1p64 / fs);
    const double rest = (0x1p64 - high * fs_high) - high * fs_low;
    const double middle = upper26(rest / fs);
    return {high, middle, ((rest - middle * fs_high) - middle * fs_low) / fs};
}

// round(f_hz 2^64 / fs) modulo 2^64, two's complement for f_hz < 0. For |f_hz| <= fs / 2, and for aliases up to
// 2^12 fs. The leading product is exact and split at 2^32; what is left stays far below 2^51.
template <class T> AMP_INLINE u64_of<T> increment(T f_hz, const PhaseScale& scale) {
    const T f_high = upper26(f_hz), f_low = f_hz - f_high;
    const T lead = f_high * scale.high;
    const T upper = lead * 0x1p-32 + round_magic;
    const T fraction = lead - (upper - round_magic) * 0x1p32;
    const T lower =
        fraction + ((f_low * scale.high + f_high * scale.middle) + (f_low * scale.middle + f_hz * scale.low));
    return (bits(upper) << 32) + (bits(lower + round_magic) - round_magic_bits);
}

}  // namespace amp::AMP_KNS
