// svf: two-pole state-variable filter, trapezoidal (zero-delay) integrators.
// A. Simper, "Solving the continuous SVF equations using trapezoidal integration", 2013; V. Zavalishin, "The Art of VA
// Filter Design". Written in state-space form: the recursion is one 2x2 product per frame, everything else is
// feed-forward.
#include "dsp/math.hpp"
#include "kernel/contract.hpp"
#include "kernel/driver.hpp"

namespace amp::AMP_KNS {
namespace {

enum Mode { kLowpass, kBandpass, kHighpass, kNotch };

template <class T> struct Svf {
    enum Param { kMode, kCutoff, kQ, kParams };
    static constexpr int kInputs = 1, kOutputs = 1;
    static constexpr int kNumbers[] = {kCutoff, kQ};
    static constexpr int kFast = kCutoff, kChoice = kMode, kChoices = 4;
    using Half = Ratio<T>;  // tan(pi f / fs)
    struct Coef {
        T a11, a21, a22, b2, damping;
    };  // s' = [a11 -a21; a21 a22] s + [a21; b2] x, damping = 1 / q
    struct State {
        T s1, s2;
    };
    struct Mid {
        T s1, s2;  // sum of each state before and after the frame: twice the integrators' outputs
    };

    static Coef coef(const T* p, const Setup& u) {
        Coef c{};
        c.damping = T(1.0) / p[kQ];
        recoef(p[kCutoff], u, c);
        return c;
    }
    // 1 / (1 + g (g + 1 / q)) with g = n / d = tan(pi f / fs), multiplied by d^2 in numerator and denominator: one
    // division.
    static void recoef(T cutoff, const Setup& u, Coef& c) { rest(half(cutoff, u), c); }
    static Half half(T cutoff, const Setup& u) { return vtanpi_ratio(cutoff * T(1.0 / u.env.sample_rate)); }
    static void rest(const Half& g, Coef& c) {
        const auto [n, d] = g;
        const T dd = d * d, nd = n * d, nn = n * n;
        const T twice = T(2.0) / ((dd + nn) + nd * c.damping);
        c.a11 = dd * twice - T(1.0);
        c.a21 = nd * twice;
        c.b2 = nn * twice;
        c.a22 = T(1.0) - c.b2;
    }
    static Mid tick(const T* x, const Coef& c, State& s) {
        const T s1 = c.a11 * s.s1 + c.a21 * (x[0] - s.s2);
        const T s2 = c.a22 * s.s2 + (c.a21 * s.s1 + c.b2 * x[0]);
        const Mid m{s.s1 + s1, s.s2 + s2};
        s = {s1, s2};
        flush(s.s1, s.s2);
        return m;
    }
    static void shape(const Mid& m, const T* x, const Coef& c, T* y, const Setup& u) {
        const T low = T(0.5) * m.s2, unit = c.damping * (T(0.5) * m.s1);
        switch (static_cast<int>(u.fixed[kMode])) {
        case kLowpass: y[0] = low; break;
        case kBandpass: y[0] = unit; break;
        case kHighpass: y[0] = (x[0] - unit) - low; break;
        default: y[0] = x[0] - unit; break;
        }
    }
};

constexpr const char* kModes[] = {"lowpass", "bandpass", "highpass", "notch"};
constexpr amp_param_contract kParams[] = {
    choice("mode", kModes, kLowpass, "Response. Bandpass has unit gain at the cutoff."),
    frequency("cutoff_hz", 1.0, 1000.0, "Corner or centre frequency (prewarped, exact at the corner)."),
    number("q", "1", 0.1, 1000.0, 0.7071067811865476, "Quality factor; 0.707 is a Butterworth response.",
           AMP_SCALE_LOG),
};
constexpr amp_port_contract kIn[] = {input("in", "Signal to filter.")};
constexpr amp_port_contract kOut[] = {output("out", "Filtered signal.")};
constexpr amp_case_contract kCases[] = {
    {"lowpass", "impulse", "mode=lowpass cutoff_hz=1000 q=2", 1, 2048, "exact", 0, kExactReason},
    {"bandpass", "noise", "mode=bandpass cutoff_hz=440 q=10", 2, 2048, "exact", 0, kExactReason},
    {"highpass", "sweep", "mode=highpass cutoff_hz=5000 q=0.707", 1, 2048, "exact", 0, kExactReason},
    {"notch", "noise", "mode=notch cutoff_hz=3000 q=1", 1, 2048, "exact", 0, kExactReason},
};
constexpr amp_node_contract kContract = contract(
    {.id = "svf",
     .group = "filter",
     .summary = "Zero-delay state-variable filter, 12 dB per octave.",
     .doc = "Two trapezoidal integrators in a loop without delay; stays bounded under audio-rate modulation of cutoff "
            "and Q. Lowpass, bandpass (unit peak), highpass and notch from one structure.\nReference: A. Simper, "
            "Solving the continuous SVF equations using trapezoidal integration (2013).",
     .params = kParams,
     .cases = kCases,
     .adjoint = AMP_ADJOINT_EXACT,
     .laws = AMP_LAW_BLOCK_INVARIANT | AMP_LAW_LINEAR | AMP_LAW_TIME_INVARIANT | AMP_LAW_SILENCE},
    kIn, kOut);

}  // namespace

extern const NodeType node_svf;
const NodeType node_svf = frame_node<Svf>(kContract);

}  // namespace amp::AMP_KNS
