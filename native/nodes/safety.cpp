// safety: DC blocker, then a peak limiter with instant attack and exponential release. Output never exceeds the
// ceiling.
#include "dsp/math.hpp"
#include "kernel/contract.hpp"
#include "kernel/driver.hpp"

namespace amp::AMP_KNS {
namespace {

template <class T> struct Safety {
    enum Param { kCeiling, kRelease, kDcBlock, kParams };
    static constexpr int kInputs = 1, kOutputs = 1;
    static constexpr int kNumbers[] = {kCeiling, kRelease, kDcBlock};
    struct Coef {
        T keep, take, fall, ceiling;
    };
    struct State {
        T low, peak;
    };
    struct Mid {
        T low, peak;
    };

    static Coef coef(const T* p, const Setup& u) {
        const T keep = vexp(T(-6.283185307179586) * (p[kDcBlock] * T(1.0 / u.env.sample_rate)));
        return {keep, T(1.0) - keep, vexp(T(-1.0) / (p[kRelease] * T(u.env.sample_rate))), p[kCeiling]};
    }
    static Mid tick(const T* x, const Coef& c, State& s) {
        s.low = c.keep * s.low + c.take * x[0];
        s.peak = vmax(vabs(x[0] - s.low), c.fall * s.peak);
        flush(s.low, s.peak);
        return {s.low, s.peak};
    }
    static void shape(const Mid& m, const T* x, const Coef& c, T* y, const Setup&) {
        const T limited = (x[0] - m.low) * vmin(T(1.0), c.ceiling / m.peak);
        y[0] = vmax(vmin(limited, c.ceiling), -c.ceiling);  // rounding may bring the product one ulp above the ceiling
    }
    static T heat(const T* x, const T* y, const T*) { return vmax(T(0.0), x[0] * x[0] - y[0] * y[0]); }
};

constexpr amp_param_contract kParams[] = {
    number("ceiling", "1", 1e-6, 1e6, 1.0, "Largest magnitude that leaves the node."),
    number("release_s", "s", 1e-4, 60.0, 0.1, "Time in which the held peak falls to 1/e.", AMP_SCALE_LOG),
    number("dc_block_hz", "Hz", 0.0, 100.0, 5.0, "Corner of the one-pole highpass that removes DC; 0 turns it off."),
};
constexpr amp_port_contract kIn[] = {input("in", "Signal to make safe.")};
constexpr amp_port_contract kOut[] = {output("out", "Signal without DC, within the ceiling.")};
constexpr amp_case_contract kCases[] = {
    {"limits", "noise", "ceiling=0.25 release_s=0.01", 2, 2048, "exact", 0, kExactReason},
    {"blocks_dc", "step", "ceiling=1 dc_block_hz=20", 1, 2048, "exact", 0, kExactReason},
};
constexpr amp_node_contract kContract =
    contract({.id = "safety",
              .group = "dynamics",
              .summary = "Removes DC and limits peaks.",
              .doc = "low += a (x - low), a = 1 - exp(-2 pi dc_block_hz / fs); v = x - low; peak[n] = max(|v[n]|, "
                     "peak[n-1] exp(-1 / (release_s fs))); y = v * min(1, ceiling / peak), held within +-ceiling "
                     "against the last rounding. Attack is instant and without look-ahead: below the ceiling nothing "
                     "but the DC is changed, above it the gain drops within the frame. |y| <= ceiling always.",
              .params = kParams,
              .cases = kCases,
              .adjoint = AMP_ADJOINT_SUBGRADIENT,
              .heat = "max(0, x^2 - y^2) / fs",
              .laws = AMP_LAW_BLOCK_INVARIANT | AMP_LAW_TIME_INVARIANT | AMP_LAW_BOUNDED | AMP_LAW_SILENCE,
              .bound = "ceiling"},
             kIn, kOut);

}  // namespace

extern const NodeType node_safety;
const NodeType node_safety = frame_node<Safety>(kContract);

}  // namespace amp::AMP_KNS
