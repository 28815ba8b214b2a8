// wavefolder: a triangle fold, first-order antialiased.
// J. Parker, V. Zavalishin, E. Le Bivic, "Reducing the aliasing of nonlinear waveshaping using continuous-time
// convolution", DAFx-16; S. Bilbao, F. Esqueda, J. Parker, V. Valimaki, "Antiderivative antialiasing for memoryless
// nonlinearities", IEEE Signal Processing Letters 24 (2017).
#include "dsp/math.hpp"
#include "kernel/contract.hpp"
#include "kernel/driver.hpp"

namespace amp::AMP_KNS {
namespace {

template <class T> struct Wavefolder {
    enum Param { kDrive, kBias, kParams };
    static constexpr int kInputs = 1, kOutputs = 1;
    static constexpr int kNumbers[] = {kDrive, kBias};
    // limit of |v|: above it neighbouring doubles are 1/4 or more apart, and the fold is defined as 0
    static constexpr double kLargest = 0x1p50;
    struct Coef {
        T drive, bias;
    };
    struct State {
        T v;
    };
    struct Mid {
        T before;  // v of the previous frame
    };
    // v is on the straight piece number k of the fold: v = 2 k + r with |r| <= 1, exactly. Even pieces rise.
    struct Place {
        T rounded, r;  // rounded = k + round_magic

        explicit Place(T v) : rounded(v * 0.5 + round_magic), r(v - 2.0 * (rounded - round_magic)) {}
        T integral() const {  // F(v) = (-1)^k (r^2 - 1) / 2
            return detail::flip_if_odd(0.5 * ((vabs(r) - 1.0) * (vabs(r) + 1.0)), rounded);
        }
    };

    static Coef coef(const T* p, const Setup&) { return {p[kDrive], p[kBias]}; }
    static T argument(T x, const Coef& c) {
        const T v = c.drive * x + c.bias;
        return select(vabs(v) <= kLargest, v, v - v);  // 0 above the limit; NaN for NaN and Inf
    }
    static Mid tick(const T* x, const Coef& c, State& s) {
        const Mid m{s.v};
        s.v = argument(x[0], c);
        return m;
    }
    // The mean of the fold between the two arguments a and b is (F(b) - F(a)) / (b - a). It needs no threshold on |b -
    // a|. If a and b are on one piece, the mean is the fold of their middle. If they are on neighbouring pieces, F(a)
    // and -F(b) have the same sign, so their sum loses no bits however small b - a is. Otherwise |b - a| >= 2.
    static void shape(const Mid& m, const T* x, const Coef& c, T* y, const Setup&) {
        const T a = m.before, b = argument(x[0], c);
        const Place from(a), to(b);
        const T middle = detail::flip_if_odd(0.5 * (from.r + to.r), to.rounded);
        const T mean = (to.integral() - from.integral()) / (b - a);
        const T bounded = vmax(vmin(mean, T(1.0)), T(-1.0));  // rounding may bring the quotient one ulp above 1
        y[0] = select(from.rounded == to.rounded, middle, bounded);
    }
};

constexpr amp_param_contract kParams[] = {
    number("drive", "1", -1e6, 1e6, 1.0, "Factor on the input; what exceeds 1 with the bias is folded."),
    number("bias", "1", -1e6, 1e6, 0.0, "Added to the driven input; 0 gives odd harmonics only."),
};
constexpr amp_port_contract kIn[] = {input("in", "Signal to fold.")};
constexpr amp_port_contract kOut[] = {output("out", "Folded signal, within +-1.")};
constexpr amp_case_contract kCases[] = {
    {"folds", "sine", "drive=4", 2, 1024, "exact", 0, kExactReason},
    {"biased", "sweep", "drive=2.5 bias=0.4", 1, 2048, "exact", 0, kExactReason},
    {"every_piece", "ramp", "drive=1", 2, 1024, "exact", 0, kExactReason},
    {"jumps", "noise", "drive=20", 1, 512, "exact", 0, kExactReason},
};
constexpr amp_node_contract kContract = contract(
    {.id = "wavefolder",
     .group = "dynamics",
     .summary = "Folds a signal back at +-1, with less aliasing.",
     .doc =
         "v = drive * x + bias; fold(v) = v from -1 to 1, is reflected there and goes on so (period 4). The output is "
         "the mean of fold between v[n-1] and v[n], (F(v[n]) - F(v[n-1])) / (v[n] - v[n-1]) with F the integral of "
         "fold: first-order antiderivative antialiasing. A component that would alias from f is lowered by about "
         "sinc(f / fs). v[-1] = 0.\nBelow the folds, and for small signals without bias, y[n] = (v[n] + v[n-1]) / 2: "
         "a gain of drive * cos(pi f / fs) and half a frame of delay, which is no whole number of frames and so not "
         "part of the latency. Where |v| > 2^50, v counts as 0.\nReferences: J. Parker, V. Zavalishin, E. Le Bivic, "
         "Reducing the aliasing of nonlinear waveshaping using continuous-time convolution (DAFx-16); S. Bilbao, F. "
         "Esqueda, J. Parker, V. Valimaki, Antiderivative antialiasing for memoryless nonlinearities (2017).",
     .params = kParams,
     .cases = kCases,
     .adjoint = AMP_ADJOINT_SUBGRADIENT,
     .laws = AMP_LAW_BLOCK_INVARIANT | AMP_LAW_BOUNDED},
    kIn, kOut);

}  // namespace

extern const NodeType node_wavefolder;
const NodeType node_wavefolder = frame_node<Wavefolder>(kContract);

}  // namespace amp::AMP_KNS
