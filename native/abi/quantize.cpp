// extern "C": rounds samples to integers, optionally with dither.
#include "amp/quantize.h"

#include <algorithm>

#include "abi/guard.hpp"

namespace {

// Finaliser of splitmix64 (Steele, Lea, Flood 2014): every bit of the result depends on every bit of x.
uint64_t mix64(uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

// Dither number n of a stream: triangular density in (-1, 1), mean 0, variance 1/6, times 2^32.
double tpdf(uint64_t start, int64_t n) {
    const uint64_t bits = mix64(start + static_cast<uint64_t>(n) * 0x9e3779b97f4a7c15u);
    const auto high = static_cast<int64_t>(bits >> 32), low = static_cast<int64_t>(bits & 0xffffffffu);
    return static_cast<double>(high - low) * 0x1p-32;
}

// The nearest integer, ties to even, for |x| <= 2^32; without libm.
int64_t nearest(double x) {
    constexpr double kShift = 0x1.8p52;  // doubles of this size are integers
    return static_cast<int64_t>((x + kShift) - kShift);
}

}  // namespace

extern "C" amp_status amp_quantize(const double* samples, int64_t frames, const amp_quantizer* how, int32_t* out,
                                   int64_t stride) {
    const amp_status checked = amp::reported("quantize", nullptr, [&] {
        amp::need(samples && out, "quantize", "samples or out: NULL.", "Pass the arrays.");
        amp::need(how && how->struct_size >= sizeof(amp_quantizer), "quantize",
                  "quantizer: NULL or of an unknown version (struct_size).", "Fill it as amp/quantize.h says.");
        amp::need(frames >= 0 && stride >= 1, "quantize",
                  "frames or stride: out of range (allowed frames from 0, stride from 1).",
                  "Give the shape of the arrays.");
        amp::need(how->bits >= 2 && how->bits <= 32, "quantize", "bits: out of range (allowed 2 to 32).",
                  "Use 16 or 24.");
        amp::need(how->dither <= AMP_DITHER_TPDF && how->reserved == 0, "quantize",
                  "dither: unknown, or reserved not 0.", "Use none or TPDF, and clear reserved.");
    });
    if (checked) return checked;
    const auto scale = static_cast<double>(int64_t{1} << (how->bits - 1));
    const int32_t step = int32_t{1} << std::min(32 - how->bits, 30);
    const uint64_t start = mix64(mix64(how->seed) + how->stream * 0x8cb92ba72f3d8dd7u);
    for (int64_t n = 0; n < frames; ++n) {
        double x = samples[n] * scale;
        if (how->dither) x += tpdf(start, how->first_frame + n);
        if (x != x) x = 0.0;
        const int64_t whole = nearest(std::clamp(x, -scale, scale - 1.0));
        out[n * stride] = static_cast<int32_t>(whole * step);
    }
    return AMP_OK;
}
