// A phase is an unsigned 64-bit fraction of a cycle; addition wraps. The increment per frame is round(f 2^64 / fs),
// with the same bits for double and f64x8, for constant and for modulated frequencies.
//
// Compared with exact arithmetic the increment is wrong by at most 0.501 units of 2^-64 cycle for f <= fs / 2: after 24
// h at 48 kHz (4.15e9 frames) the phase is within 1.2e-10 cycles.
#pragma once
#include "dsp/lanes.hpp"

namespace amp::AMP_KNS {

// 2^32 / fs = high + low, high of 26 bits.
struct PhaseScale {
    double high, low;
};

// fs in Hz, positive and finite. The remainder is exact: each product has at most 26 x 27 bits.
AMP_INLINE PhaseScale make_phase_scale(double fs) {
    const double fs_high = upper26(fs), fs_low = fs - fs_high;
    const double high = upper26(0x1p32 / fs);
    return {high, ((0x1p32 - high * fs_high) - high * fs_low) / fs};
}

// round(f_hz 2^64 / fs) modulo 2^64, two's complement for f_hz < 0. Valid for |f_hz| <= fs / 2, and for aliases up to
// 2^10 fs. The leading product is exact; its integer part is the upper word. Adding 1.5 2^20 rounds the remainder to
// multiples of 2^-32, the lower word; the upper bits of that magic number, an even integer, are subtracted from the
// upper word's magic number beforehand.
template <class T> AMP_INLINE u64_of<T> increment(T f_hz, const PhaseScale& scale) {
    constexpr double lower_magic = 0x1.8p20;
    constexpr double upper_magic = round_magic - 0x41380000;  // bits(lower_magic) >> 32
    const T f_high = upper26(f_hz), lead = f_high * scale.high;
    const T upper = lead + upper_magic, fraction = lead - (upper - upper_magic);
    const T rest = (f_hz - f_high) * scale.high + f_hz * scale.low;
    return (bits(upper) << 32) + bits((fraction + rest) + lower_magic);
}

}  // namespace amp::AMP_KNS
