// The oscillator as a sequence of events: each step and corner is placed between the two frames where it occurs, and
// the correction that rounds it is added to the frames around it. Needed where a formula of the phase is not enough:
// for corrections before a step (blep4), and for phases that are set from outside (sync, reset).
// V. Valimaki, J. Pekonen and J. Nam, "Perceptually informed synthesis of bandlimited classical waveforms using
// integrated polynomial interpolation", 2012 (steps); F. Esqueda, V. Valimaki and S. Bilbao, "Rounding Corners with
// BLAMP", 2016 (corners).
#pragma once
#include "dsp/math.hpp"
#include "nodes/cycles.hpp"

namespace amp::AMP_KNS {

enum Waveform { kSine, kSaw, kSquare, kTriangle };
enum Quality { kNaive, kBlep2, kBlep4 };

// The correction of an event on four frames: two and one before it, one and two after it. It is the event filtered by
// the B-spline of two or four points, minus the event itself. The event is `a` frames before the third of them.
//   beta(x) = 1 - |x| (2 points); 2/3 - x^2 + |x|^3 / 2 for |x| < 1, (2 - |x|)^3 / 6 for 1 <= |x| < 2 (4 points)
// The correction of a unit step is the integral of beta up to x, and minus that at -x for x > 0; the correction of a
// corner is the integral of that. With u the frames from the far end of each piece:
//   2 points: step u^2 / 2, corner u^3 / 6
//   4 points, outer: step u^4 / 24, corner u^5 / 120
//   4 points, inner, with x = 1 - u: step 1/2 - 2 x / 3 + x^3 / 3 - x^4 / 8,
//                                    corner 7/30 - x / 2 + x^2 / 3 - x^4 / 12 + x^5 / 40
template <class T> AMP_INLINE void round_step(int quality, T a, T height, T (&y)[4]) {
    const T b = T(1.0) - a;
    if (quality == kBlep2) {
        y[1] += height * (T(0.5) * a * a), y[2] -= height * (T(0.5) * b * b);
        return;
    }
    const auto outer = [](T u) { return (u * u) * (u * u) * T(1.0 / 24.0); };
    const auto inner = [](T x) { return T(0.5) + x * (T(-2.0 / 3.0) + (x * x) * (T(1.0 / 3.0) - x * T(0.125))); };
    y[0] += height * outer(a), y[1] += height * inner(b), y[2] -= height * inner(a), y[3] -= height * outer(b);
}

// `bend`: change of the slope at the corner, per frame.
template <class T> AMP_INLINE void round_corner(int quality, T a, T bend, T (&y)[4]) {
    const T b = T(1.0) - a;
    if (quality == kBlep2) {
        y[1] += bend * (a * a * a * T(1.0 / 6.0)), y[2] += bend * (b * b * b * T(1.0 / 6.0));
        return;
    }
    const auto outer = [](T u) { return (u * u) * (u * u) * u * T(1.0 / 120.0); };
    const auto inner = [](T x) {
        return T(7.0 / 30.0) + x * (T(-0.5) + x * (T(1.0 / 3.0) + (x * x) * (T(-1.0 / 12.0) + x * T(0.025))));
    };
    y[0] += bend * outer(a), y[1] += bend * inner(b), y[2] += bend * inner(a), y[3] += bend * outer(b);
}

// signed_cycles: a move of less than half a cycle, either way, in cycles. part_of: the fraction `part` of a move.
template <class T> AMP_INLINE T signed_cycles(u64_of<T> d) { return unit52(d + u64_of<T>(uint64_t{1} << 63)) - T(0.5); }
template <class T> AMP_INLINE u64_of<T> part_of(u64_of<T> d, T part) {
    return fraction_of_cycle(signed_cycles<T>(d) * part);
}

// The exact waveform, and its slope per cycle.
template <class T> AMP_INLINE T shape_at(int waveform, u64_of<T> t, u64_of<T> width) {
    switch (waveform) {
    case kSine: return vsin_of_phase(t);
    case kSaw: return saw_of_phase<T>(t);
    case kSquare: return select(t < width, T(1.0), T(-1.0));
    default: return triangle_of_phase<T>(t);
    }
}
template <class T> AMP_INLINE T slope_at(int waveform, u64_of<T> t) {
    using U = u64_of<T>;
    constexpr uint64_t quarter = uint64_t{1} << 62, half = uint64_t{1} << 63;
    switch (waveform) {
    case kSine: return vsin_of_phase(t + U(quarter)) * T(6.283185307179586);
    case kTriangle: return select(t + U(quarter) < U(half), T(4.0), T(-4.0));
    default: return T(waveform == kSaw ? 2.0 : 0.0);
    }
}

// How phase and pulse width moved: by `d` to `t`, and by `d_width` to `width`. The move took `time` frames and ended
// `age` frames before the computed frame. d_frame: the phase move of a whole frame.
template <class T> struct Move {
    u64_of<T> t, d, width, d_width, d_frame;
    T age, time;
};

template <class T> struct Events {
    using U = u64_of<T>;
    const int waveform, quality;
    T (&y)[4];

    struct Crossing {
        mask_of<T> is, back;
        T age;
    };
    static AMP_INLINE Crossing crossing(const Move<T>& m, U t, U d) {  // crosses 0
        const auto back = U(uint64_t{1} << 63) < d;
        const U since = select(back, ~t, t), by = select(back, U(0) - d, d);
        return {since < by, back, m.age + m.time * (unit52(since) / vmax(T(0x1p-52), unit52(by)))};
    }
    AMP_INLINE void step(const Move<T>& m, U t, U d, double height) const {
        const Crossing x = crossing(m, t, d);
        if (__builtin_expect(!any(x.is), 1)) return;
        round_step(quality, select(x.is, x.age, T(0.0)), select(x.is, select(x.back, T(-height), T(height)), T(0.0)),
                   y);
    }
    AMP_INLINE void corner(const Move<T>& m, U t, double bend) const {
        const Crossing x = crossing(m, t, m.d);
        if (__builtin_expect(!any(x.is), 1)) return;
        round_corner(quality, select(x.is, x.age, T(0.0)),
                     select(x.is, T(bend) * vabs(signed_cycles<T>(m.d_frame)), T(0.0)), y);
    }
    // Adds the corrections of the steps and corners that a move passes.
    AMP_INLINE void pass(const Move<T>& m) const {
        constexpr uint64_t quarter = uint64_t{1} << 62;
        if (quality == kNaive) return;
        if (waveform == kSaw) step(m, m.t, m.d, -2.0);
        if (waveform == kSquare) step(m, m.t, m.d, 2.0), step(m, m.t - m.width, m.d - m.d_width, -2.0);
        if (waveform == kTriangle) corner(m, m.t - U(quarter), -8.0), corner(m, m.t + U(quarter), 8.0);
    }
    // Adds the correction of the jump from the end of one move to the start of the next, in the lanes where `is` is
    // true.
    AMP_INLINE void jump(mask_of<T> is, const Move<T>& from, const Move<T>& to) const {
        if (quality == kNaive) return;
        const U t = to.t - to.d, width = to.width - to.d_width;
        const T height = shape_at<T>(waveform, t, width) - shape_at<T>(waveform, from.t, from.width),
                bend = (slope_at<T>(waveform, t) - slope_at<T>(waveform, from.t)) * signed_cycles<T>(to.d_frame);
        round_step(quality, from.age, select(is, height, T(0.0)), y);
        round_corner(quality, from.age, select(is, bend, T(0.0)), y);
    }
};

}  // namespace amp::AMP_KNS
