// biquad: transposed direct form II; coefficients are given, or designed after R. Bristow-Johnson's cookbook.
// The recursion uses only the two states (y = b0 x + s1 is substituted in their updates): its dependency chain is one
// product and two sums per frame, and the output is feed-forward.
#include "dsp/math.hpp"
#include "kernel/contract.hpp"
#include "kernel/driver.hpp"

namespace amp::AMP_KNS {
namespace {

enum Design { kCoefficients, kLowpass, kHighpass, kBandpass, kNotch, kPeak, kLowshelf, kHighshelf };

template <class T> struct Biquad {
    enum Param { kDesign, kB0, kB1, kB2, kA1, kA2, kCutoff, kQ, kGain, kParams };
    static constexpr int kInputs = 1, kOutputs = 1;
    static constexpr int kNumbers[] = {kB0, kB1, kB2, kA1, kA2, kCutoff, kQ, kGain};
    struct Coef {
        T b0, a1, a2, c1, c2;
    };  // s1' = c1 x + s2 - a1 s1; s2' = c2 x - a2 s1; y = b0 x + s1
    struct State {
        T s1, s2;
    };
    struct Mid {
        T s1;
    };

    static Coef normalised(T b0, T b1, T b2, T a0, T a1, T a2) {
        const T n = T(1.0) / a0, d1 = a1 * n, d2 = a2 * n, g = b0 * n;
        return {g, d1, d2, b1 * n - d1 * g, b2 * n - d2 * g};
    }
    // A highshelf is the lowshelf with z replaced by -z: the signs of the cosine and of the odd coefficients change.
    static Coef shelf(T A, T cosine, T alpha, T sign) {
        const T up = A + T(1.0), down = A - T(1.0), c = sign * cosine, two = T(2.0) * sign,
                r = T(2.0) * (vsqrt(A) * alpha);
        return normalised(A * ((up - down * c) + r), two * A * (down - up * c), A * ((up - down * c) - r),
                          (up + down * c) + r, -two * (down + up * c), (up + down * c) - r);
    }
    static Coef coef(const T* p, const Setup& u) {
        const int design = static_cast<int>(u.fixed[kDesign]);
        if (design == kCoefficients) return normalised(p[kB0], p[kB1], p[kB2], T(1.0), p[kA1], p[kA2]);
        const T w = p[kCutoff] * T(1.0 / u.env.sample_rate), c = vcos2pi(w), sine = vsin2pi(w);
        const T alpha = sine / (T(2.0) * p[kQ]), one(1.0), m2c = T(-2.0) * c, up = one + alpha, down = one - alpha;
        if (design == kLowpass) return normalised((one - c) * T(0.5), one - c, (one - c) * T(0.5), up, m2c, down);
        if (design == kHighpass) return normalised((one + c) * T(0.5), -(one + c), (one + c) * T(0.5), up, m2c, down);
        if (design == kBandpass) return normalised(alpha, T(0.0), -alpha, up, m2c, down);
        if (design == kNotch) return normalised(one, m2c, one, up, m2c, down);
        const T A = vexp2(p[kGain] * T(0.08304820237218407));  // 10^(gain_db / 40)
        if (design == kPeak)
            return normalised(one + alpha * A, m2c, one - alpha * A, one + alpha / A, m2c, one - alpha / A);
        return shelf(A, c, alpha, design == kLowshelf ? one : -one);
    }
    static Mid tick(const T* x, const Coef& c, State& s) {
        const Mid m{s.s1};
        s.s1 = (c.c1 * x[0] + s.s2) - c.a1 * m.s1;
        s.s2 = c.c2 * x[0] - c.a2 * m.s1;
        flush(s.s1, s.s2);
        return m;
    }
    static void shape(const Mid& m, const T* x, const Coef& c, T* y, const Setup&) { y[0] = c.b0 * x[0] + m.s1; }
};

constexpr const char* kDesigns[] = {"coefficients", "lowpass", "highpass", "bandpass",
                                    "notch",        "peak",    "lowshelf", "highshelf"};
constexpr amp_param_contract kParams[] = {
    choice("design", kDesigns, kLowpass,
           "Where the coefficients come from: given (b0 ... a2), or designed from cutoff_hz, q, gain_db."),
    number("b0", "1", -1e3, 1e3, 1.0,
           "Feed-forward coefficient of x[n] (design=coefficients only, like the next four)."),
    number("b1", "1", -1e3, 1e3, 0.0, "Feed-forward coefficient of x[n - 1]."),
    number("b2", "1", -1e3, 1e3, 0.0, "Feed-forward coefficient of x[n - 2]."),
    number("a1", "1", -2.0, 2.0, 0.0, "Feedback coefficient of y[n - 1] (a0 = 1); stable if |a1| < 1 + a2."),
    number("a2", "1", -1.0, 1.0, 0.0, "Feedback coefficient of y[n - 2]; stable if |a2| < 1."),
    frequency("cutoff_hz", 1.0, 1000.0, "Corner or centre frequency of a design."),
    number("q", "1", 0.1, 1000.0, 0.7071067811865476,
           "Quality factor of a design; bandwidth for bandpass, notch and peak.", AMP_SCALE_LOG),
    number("gain_db", "dB", -120.0, 120.0, 0.0, "Gain at the peak or on the shelf (peak and shelves only)."),
};
constexpr amp_port_contract kIn[] = {input("in", "Signal to filter.")};
constexpr amp_port_contract kOut[] = {output("out", "Filtered signal.")};
constexpr amp_case_contract kCases[] = {
    {"given", "noise", "design=coefficients b0=0.2 b1=0.4 b2=0.2 a1=-0.5 a2=0.3", 1, 1024, "exact", 0, kExactReason},
    {"lowpass", "impulse", "design=lowpass cutoff_hz=1000 q=2", 1, 2048, "exact", 0, kExactReason},
    {"highpass", "noise", "design=highpass cutoff_hz=200", 2, 1024, "exact", 0, kExactReason},
    {"bandpass", "noise", "design=bandpass cutoff_hz=440 q=10", 1, 1024, "exact", 0, kExactReason},
    {"notch", "sweep", "design=notch cutoff_hz=3000 q=1", 1, 1024, "exact", 0, kExactReason},
    {"peak", "noise", "design=peak cutoff_hz=2000 q=2 gain_db=9", 1, 1024, "exact", 0, kExactReason},
    {"lowshelf", "noise", "design=lowshelf cutoff_hz=300 gain_db=-6", 1, 1024, "exact", 0, kExactReason},
    {"highshelf", "noise", "design=highshelf cutoff_hz=6000 gain_db=6", 1, 1024, "exact", 0, kExactReason},
};
constexpr amp_node_contract kContract = contract(
    {.id = "biquad",
     .group = "filter",
     .summary = "Second-order section from coefficients or a cookbook design.",
     .doc = "y[n] = b0 x[n] + b1 x[n-1] + b2 x[n-2] - a1 y[n-1] - a2 y[n-2], as transposed direct form II: y = b0 x + "
            "s1, s1' = b1 x - a1 y + s2, s2' = b2 x - a2 y. Designs are computed for every frame in which their "
            "parameters change. Under fast modulation at high Q direct forms may diverge: use svf there.\nReference: "
            "R. Bristow-Johnson, Cookbook formulae for audio EQ biquad filter coefficients (W3C note, 2021).",
     .params = kParams,
     .cases = kCases,
     .adjoint = AMP_ADJOINT_EXACT,
     .laws = AMP_LAW_BLOCK_INVARIANT | AMP_LAW_LINEAR | AMP_LAW_TIME_INVARIANT | AMP_LAW_SILENCE},
    kIn, kOut);

}  // namespace

extern const NodeType node_biquad;
const NodeType node_biquad = frame_node<Biquad>(kContract);

}  // namespace amp::AMP_KNS
