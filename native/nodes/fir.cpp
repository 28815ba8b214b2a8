// fir: linear-phase filter designed by the window method, of any length.
#include "dsp/kaiser.hpp"
#include "kernel/contract.hpp"
#include "kernel/packs.hpp"

namespace amp::AMP_KNS {
namespace {

enum Param { kMode, kCutoff, kUpper, kHalf, kStopband };
enum Mode { kLowpass, kHighpass, kBandpass, kBandstop };

// Half of a symmetric lowpass, from its first value h[0] to its middle h[half], with gain 1 at 0 Hz. `cutoff` is in
// cycles per frame.
void lowpass(double cutoff, int64_t half, double beta, double* h) {
    double sum = 0.0;
    const double top = bessel_i0(beta);
    for (int64_t k = 0; k <= half; ++k) {
        const auto m = static_cast<double>(half - k);
        const double place = half ? m / static_cast<double>(half) : 0.0;
        const double window = kaiser(place, beta, top);
        h[k] = window * (k == half ? 2.0 * cutoff : vsin2pi(cutoff * m) / (3.141592653589793 * m));
        sum += k == half ? h[k] : 2.0 * h[k];
    }
    for (int64_t k = 0; k <= half; ++k) h[k] /= sum;
}

// The memory of a row: half of the response, then past and present frames of the input.
struct Memory {
    int64_t half, width;
    double *h, *past;
    Memory(const Step& s, int row)
        : half(static_cast<int64_t>(s.fixed[kHalf])),
          width(s.env->width),
          h(s.aux),  // stored in row 0 and used by all rows
          past(s.aux + (int64_t{row} * s.aux_frames + half + 1) * width) {}
    int64_t capacity() const { return 4 * half + kChunk; }
};

uint32_t memory(const Step& s) {
    const auto half = static_cast<uint32_t>(s.fixed[kHalf]);
    return (half + 1) + (4 * half + kChunk) + kLanes;
}

void reset(Step& s) {
    const int mode = static_cast<int>(s.fixed[kMode]);
    const Memory own(s, 0);
    const double beta = kaiser_beta(s.fixed[kStopband]), rate = s.env->sample_rate,
                 low = vmin(s.fixed[kCutoff], s.fixed[kUpper]) / rate,
                 high = vmax(s.fixed[kCutoff], s.fixed[kUpper]) / rate;
    const bool band = mode == kBandpass || mode == kBandstop;
    lowpass(band ? high : s.fixed[kCutoff] / rate, own.half, beta, own.h);
    if (band) {
        lowpass(low, own.half, beta, own.past);  // not used otherwise yet
        for (int64_t k = 0; k <= own.half; ++k) own.h[k] -= own.past[k], own.past[k] = 0.0;
    }
    if (mode == kHighpass || mode == kBandstop) {
        for (int64_t k = 0; k <= own.half; ++k) own.h[k] = -own.h[k];
        own.h[own.half] += 1.0;
    }
    for (int r = 0; r < s.channels * s.env->groups; ++r)
        reinterpret_cast<int64_t*>(s.state)[r] = 2 * own.half;  // where the next frame is written
}

bool possible(const Step& s) {
    const Memory own(s, 0);
    for (int r = 0; r < s.channels * s.env->groups; ++r) {
        const int64_t place = reinterpret_cast<const int64_t*>(s.state)[r];
        if (place < 2 * own.half || place > own.capacity()) return false;
    }
    return true;
}

// Returns where `frames` frames can be written. When the memory is full, frames older than the newest 2 half are
// dropped.
double* room(const Memory& m, int64_t& place, uint32_t frames) {
    if (place + frames > m.capacity()) {
        std::memmove(m.past, m.past + (place - 2 * m.half) * m.width,
                     static_cast<size_t>(2 * m.half * m.width) * sizeof(double));
        place = 2 * m.half;
    }
    double* x = m.past + place * m.width;
    place += frames;
    return x;
}

// Sums each frame from both ends to the middle. kPacks packs at a time hide the latency of an addition.
template <int kPacks> void convolve(const Memory& m, const double* x, f64x8* y) {
    for (int p = 0; p < kPacks; ++p) y[p] = f64x8(0.0);
    const double* old = x - 2 * m.half * m.width;
    for (int64_t k = 0; k < m.half; ++k) {
        const f64x8 h(m.h[k]);
        const double *a = x - k * m.width, *b = old + k * m.width;
        for (int p = 0; p < kPacks; ++p) y[p] += h * (load(a + p * kLanes) + load(b + p * kLanes));
    }
    const f64x8 middle(m.h[m.half]);
    for (int p = 0; p < kPacks; ++p) y[p] += middle * load(x - m.half * m.width + p * kLanes);
}

uint32_t fire(Step& s, const Firing& f) {
    constexpr int kPacks = 4;
    const Packs packs(s, f);
    const auto width = static_cast<uint32_t>(s.env->width);
    Watch watch;
    for (int c = 0, r = 0; c < s.channels; ++c)
        for (int g = 0; g < s.env->groups; ++g, ++r) {
            const Memory m(s, r);
            int64_t& place = reinterpret_cast<int64_t*>(s.state)[r];
            const double* in = row(s.in[0], c, g, f.offset);
            double* out = row(s.out[0], c, g, f.offset);
            for (uint32_t i = 0; i < f.frames; i += kChunk) {
                const uint32_t n = f.frames - i < kChunk ? f.frames - i : kChunk;
                double* x = room(m, place, n);
                for (uint32_t k = 0; k < n; ++k)
                    for (uint32_t j = 0; j < width; ++j) x[k * width + j] = in[(i + k) * s.in[0].step + j];
                for (uint32_t k = 0; k < n;) {
                    f64x8 y[kPacks];
                    const int run = k + kPacks * packs.frames <= n ? kPacks : 1;
                    run == kPacks ? convolve<kPacks>(m, x + k * width, y) : convolve<1>(m, x + k * width, y);
                    for (int p = 0; p < run; ++p, k += packs.frames) {
                        const uint32_t valid = packs.valid(i + k);
                        store_first(out + (i + k) * s.out[0].step, y[p], valid);
                        watch.see(y[p], valid);
                    }
                }
            }
        }
    return watch.verdict();
}

constexpr const char* kModes[] = {"lowpass", "highpass", "bandpass", "bandstop"};
constexpr amp_param_contract corner(const char* key, double value, const char* doc) {
    return {key, "Hz", doc,   AMP_PARAM_NUMBER, AMP_SCALE_LOG, AMP_RATE_FIXED, AMP_RANGE_ERROR, 1e-3, 0.49,
            1,   0,    value, nullptr};
}
constexpr amp_param_contract kParams[] = {
    choice("mode", kModes, kLowpass, "What passes: below, above, inside or outside the corners."),
    corner("cutoff_hz", 1000.0, "Corner, where the gain is one half (-6 dB)."),
    corner("upper_hz", 4000.0, "The other corner of a band; lowpass and highpass do not read it."),
    integer("half_length", 1, 8192, 32,
            "Frames on either side of the middle: latency half_length, length 2 half_length + 1."),
    fixed("stopband_db", "dB", 21.0, 200.0, 80.0, "Rejection and ripple of the design; more costs a wider transition."),
};
constexpr amp_port_contract kIn[] = {input("in", "Signal to filter.")};
constexpr amp_port_contract kOut[] = {output("out", "Filtered signal, in phase with the input.")};
constexpr amp_case_contract kCases[] = {
    {"lowpass", "impulse", "mode=lowpass cutoff_hz=3000 half_length=20 stopband_db=60", 2, 300, "exact", 0,
     kExactReason},
    {"highpass", "noise", "mode=highpass cutoff_hz=500 half_length=31 stopband_db=40", 1, 500, "exact", 0,
     kExactReason},
    {"bandpass", "noise", "mode=bandpass cutoff_hz=1000 upper_hz=8000 half_length=64 stopband_db=90", 2, 700, "exact",
     0, kExactReason},
    {"bandstop", "sweep", "mode=bandstop cutoff_hz=6000 upper_hz=2000 half_length=1 stopband_db=21", 1, 300, "exact", 0,
     kExactReason},
};
constexpr amp_node_contract kContract = contract(
    {.id = "fir",
     .group = "filter",
     .summary = "Linear-phase lowpass, highpass, bandpass or bandstop of any length.",
     .doc = "y[n] = h[0] x[n] + sum over k = 1 .. half_length of h[k] (x[n - k] + x[n + k]): no phase shift at any "
            "frequency. The frames ahead are latency, which the graph compensates.\nh is a Kaiser-windowed sinc, h[k] "
            "= w[k] sin(2 pi k cutoff_hz / fs) / (pi k), w[k] = I0(beta sqrt(1 - (k / half_length)^2)) / I0(beta), "
            "scaled to gain 1 at 0 Hz; beta = 0.1102 (A - 8.7) for A = stopband_db above 50, 0.5842 (A - 21)^0.4 + "
            "0.07886 (A - 21) below. The transition is about (A - 8) fs / (28.7 half_length) Hz wide. A bandpass is "
            "the difference of two lowpasses (the corners may be given either way round), highpass and bandstop are "
            "what a lowpass and a bandpass leave of the input.\nReference: J. F. Kaiser, Nonrecursive digital filter "
            "design using the I0-sinh window function, Proc. IEEE Int. Symp. Circuits and Systems, 1974.",
     .params = kParams,
     .cases = kCases,
     .latency_frames = 32,
     .adjoint = AMP_ADJOINT_EXACT,
     .laws = AMP_LAW_BLOCK_INVARIANT | AMP_LAW_LINEAR | AMP_LAW_TIME_INVARIANT | AMP_LAW_SILENCE},
    kIn, kOut);

constexpr LayoutOps kOps{.fire = fire, .tick = ticking<fire>, .reset = reset, .state_bytes = sizeof(int64_t)};

}  // namespace

extern const NodeType node_fir;
const NodeType node_fir{.kind = NodeKind::row,
                        .contract = &kContract,
                        .ops = {kOps, kOps},
                        .aux_frames = memory,
                        .latency = [](const double* fixed, double) { return static_cast<int64_t>(fixed[kHalf]); },
                        .possible = possible};

}  // namespace amp::AMP_KNS
