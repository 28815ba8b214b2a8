// Shared by the drivers and by nodes with loops of their own: rows of views, structs in eight lanes, the flush of
// denormals, the check for values that are not finite, and the running sum of phases.
#pragma once
#include <concepts>
#include <cstring>
#include <type_traits>

#include "dsp/lanes.hpp"
#include "kernel/step.hpp"

namespace amp::AMP_KNS {

struct Setup {
    const Environment& env;
    const double* fixed;
    uint64_t key;
};

// A local copy of Setup: stores to signals cannot alias it, so the compiler loads each value once.
template <int kParams> struct Pinned {
    Environment env;
    double fixed[kParams];
    uint64_t key;
    explicit Pinned(const Setup& u) : env(u.env), key(u.key) { std::memcpy(fixed, u.fixed, sizeof fixed); }
    operator Setup() const { return {env, fixed, key}; }
};

struct Nothing {  // an empty list of parameters
    static constexpr const int* begin() { return nullptr; }
    static constexpr const int* end() { return nullptr; }
};

constexpr double kFirstEight[kLanes] = {0, 1, 2, 3, 4, 5, 6, 7};
[[gnu::always_inline]] inline f64x8 lane_numbers() { return load(kFirstEight); }  // one load, also inside loops

inline constexpr uint32_t kChunk = 64;  // frames per pass, few enough for temporaries to stay in L1

template <class S> inline constexpr int fields = std::is_empty_v<S> ? 0 : static_cast<int>(sizeof(S) / sizeof(double));

// pick: lane j of a struct of packs, as the same struct of doubles. put: replaces lane j.
template <class S, class P> [[gnu::always_inline]] inline S pick(const P& packs, uint32_t j) {
    S s;
    for (int k = 0; k < fields<S>; ++k)
        std::memcpy(reinterpret_cast<char*>(&s) + k * sizeof(double),
                    reinterpret_cast<const double*>(&packs) + k * kLanes + j, sizeof(double));
    return s;
}

template <class S, class P> [[gnu::always_inline]] inline void put(P& packs, uint32_t j, const S& s) {
    for (int k = 0; k < fields<S>; ++k)
        std::memcpy(reinterpret_cast<double*>(&packs) + k * kLanes + j,
                    reinterpret_cast<const char*>(&s) + k * sizeof(double), sizeof(double));
}

// Copies a struct of doubles into all eight lanes.
template <class P, class S> [[gnu::always_inline]] inline P spread(const S& s) {
    P p;
    if constexpr (fields<S> > 0) {
        double one[fields<S>];
        f64x8 all[fields<S>];
        std::memcpy(one, &s, sizeof one);
        for (int k = 0; k < fields<S>; ++k) all[k] = f64x8(one[k]);
        std::memcpy(&p, all, sizeof all);
    }
    return p;
}

// Sets recursive state below 1e-30 to zero, so that denormals never slow a render. The empty asm prevents the compiler
// from turning the branch into a select, which would lengthen the recursion's dependency chain.
[[gnu::always_inline]] inline bool is_tiny(double s) {  // |s| < 1e-30, compared as integers
    return bits(s) << 1 < __builtin_bit_cast(uint64_t, 1e-30) << 1;
}
template <std::same_as<double>... T> [[gnu::always_inline]] inline void flush(T&... s) {
    if (__builtin_expect((... | is_tiny(s)), 0)) {
        asm("");
        ((s = is_tiny(s) ? 0.0 : s), ...);
    }
}
template <class... T> [[gnu::always_inline]] inline void flush(T&... s) {
    if (__builtin_expect(any(least(s...) < 1e-30), 0)) {
        asm("");
        ((s = select(vabs(s) < T(1e-30), T(0.0), s)), ...);
    }
}

// gain * x. For a double, a branch skips the product if the gain is 1: in feedback loops the product is part of the
// dependency chain that limits their speed.
[[gnu::always_inline]] inline f64x8 scaled(const f64x8& gain, const f64x8& x) { return gain * x; }
[[gnu::always_inline]] inline double scaled(double gain, double x) {
    if (gain != 1.0) {
        asm("" : "+x"(x));
        x = gain * x;
    }
    return x;
}

template <class T> [[gnu::always_inline]] inline bool is_finite(const T& y) { return all(y - y == T(0.0)); }

// Keeps the first `valid` lanes and sets the others to zero.
[[gnu::always_inline]] inline f64x8 first_lanes(const f64x8& y, int64_t valid) {
    return valid >= kLanes ? y : select(lane_numbers() < f64x8(static_cast<double>(valid)), y, f64x8(0.0));
}

// Detects NaN and Inf by summing: both remain in a sum. Two sums alternate, so that consecutive additions do not depend
// on each other. A sum of huge finite values may overflow: the caller then checks the values themselves.
class Watch {
public:
    [[gnu::always_inline]] void see(const f64x8& y) {
        const f64x8 next = sum_ + y;
        sum_ = other_;
        other_ = next;
    }
    [[gnu::always_inline]] void see(const f64x8& y, uint32_t valid) { see(first_lanes(y, valid)); }
    // Checks a fused parameter against its range; values that are not finite are outside it.
    [[gnu::always_inline]] void fused(const f64x8& v, const f64x8& low, const f64x8& high, uint32_t valid) {
        fused((v >= low) & (v <= high), valid);
    }
    [[gnu::always_inline]] void fused(const m8& in, uint32_t valid) {
        inside_ = inside_ & (valid >= kLanes ? in : in | !(lane_numbers() < f64x8(static_cast<double>(valid))));
    }
    // Adds what another Watch has seen. A Watch that only one loop uses stays in registers.
    [[gnu::always_inline]] void add(const Watch& w) {
        sum_ = sum_ + w.sum_, other_ = other_ + w.other_;
        inside_ = inside_ & w.inside_;
    }
    [[gnu::always_inline]] uint32_t verdict() const {
        return (is_finite(sum_ + other_) ? kFired : kNonfinite) | (all(inside_) ? kFired : kFusedWrong);
    }

private:
    f64x8 sum_ = f64x8(0.0), other_ = f64x8(0.0);
    m8 inside_ = m8(true);
};

[[gnu::always_inline]] inline double* row(const View& v, int c, int g, uint32_t offset) {
    return v.data + c * v.channel_stride + g * v.group_stride + offset * v.step;
}

template <class T> [[gnu::always_inline]] inline T at(const double* row, const View& v, uint32_t i) {
    return load_as<T>(row + i * v.step);
}

// One row of the kFast parameter: the values that its step wrote, or, if it is fused, what that step would read.
struct FastRow {
    // fused with a modulator: `values` points to the constant base value
    const double *values = nullptr, *modulator = nullptr;
    int64_t step = 0;
    double scale = 0, offset = 0, low = 0, high = 0;
    bool fused = false, multiply = false;

    FastRow() = default;
    FastRow(const Step& s, int param, int c, int g) : values(row(s.par[param], c, g, 0)), step(s.par[param].step) {
        if (!s.fused || !stays_fused(*s.fused)) return;
        const ParameterStep& p = s.fused->of_parameter;
        const Modulation& m = p.mods[0];
        const int to = s.fused->channels == 1 ? 0 : c, from = m.channel >= 0 ? m.channel : m.channels == 1 ? 0 : to;
        fused = true, low = p.low, high = p.high, multiply = m.multiply != 0, scale = m.scale, offset = m.offset;
        values = row(p.base, to, g, 0);
        if (from < m.channels) modulator = row(m.source, from, g, 0), step = m.source.step;
    }
    [[gnu::always_inline]] f64x8 value(uint32_t i, uint32_t valid, Watch& watch) const {
        if (!fused) return load(values + i * step);
        f64x8 v = load(values);
        if (modulator) {
            const f64x8 m = load(modulator + i * step);
            v = multiply ? v * (f64x8(offset) + f64x8(scale) * m) : v + f64x8(scale) * m;
        }
        watch.fused(v, f64x8(low), f64x8(high), valid);
        return v;
    }
};

// Stores the first `valid` lanes; memory after them is unchanged.
[[gnu::always_inline]] inline void store_first(double* p, const f64x8& y, uint32_t valid) {
    if (valid >= kLanes) return store(p, y);
    double raw[kLanes];
    store(raw, y);
    for (uint32_t j = 0; j < valid; ++j) p[j] = raw[j];
}

// Makes a Carried: of the only value written, without an instruction; or of the first value and whether the others are
// finite.
[[gnu::always_inline]] inline Carried carry(double x) {
#ifdef __clang__  // clang does not accept this asm
    return Carried{x};
#else
    Carried c;
    asm("" : "=x"(c) : "0"(x));
    return c;
#endif
}
[[gnu::always_inline]] inline Carried carry(double first, bool good) {
    return Carried{first, good ? 0.0 : __builtin_nan("")};
}

// The tick of a step that only has a FireFn: a firing of one frame.
template <FireFn kFire> Carried ticking(Step& s, int64_t i, int64_t time, Carried) {
    const uint32_t verdict = kFire(s, {time - s.arrival, static_cast<uint32_t>(i), 1});
    s.verdict |= verdict;
    return carry(s.out[0].data[i * s.out[0].step], verdict == kFired);
}

// How nodes with loops of their own step through a window: in packs of eight frames of one batch (frame layout) or of
// one frame of eight batches (lane layout).
struct Packs {
    uint32_t frames;  // frames per pack
    uint32_t window;
    Packs(const Step& s, const Firing& f) : frames(s.env->width == kLanes ? 1 : kLanes), window(f.frames) {}
    // lanes of the pack at frame i that are inside the window
    uint32_t valid(uint32_t i) const { return frames == 1 ? kLanes : window - i; }
};

// Replaces the increments of 64 frames by the phase before each frame; returns the phase after the last. Integer
// additions may be regrouped, so the result equals the frame-by-frame recursion bit for bit.
[[gnu::always_inline]] inline uint64_t scan(uint64_t phase, u64x8 (&p)[kLanes]) {
    f64x8 t[kLanes];
    for (int k = 0; k < kLanes; ++k) t[k] = from_bits(p[k]);
    transpose(t);
    u64x8 sum(0);
    for (int k = 0; k < kLanes; ++k) {
        const u64x8 before = sum;
        sum += bits(t[k]);
        t[k] = from_bits(before);
    }
    uint64_t total[kLanes], start[kLanes];
    storeu64(total, sum);
    for (int j = 0; j < kLanes; ++j) {
        start[j] = phase;
        phase += total[j];
    }
    const u64x8 base = loadu64(start);
    for (int k = 0; k < kLanes; ++k) t[k] = from_bits(bits(t[k]) + base);
    transpose(t);
    for (int k = 0; k < kLanes; ++k) p[k] = bits(t[k]);
    return phase;
}

}  // namespace amp::AMP_KNS
