// gain: y = g * x.
#include "nodes/routing.hpp"

namespace amp::AMP_KNS {
namespace {

template <class T> struct Gain : Modulated<T> {
    using Scaling<T>::kGain;

    static T heat(const T* x, const T*, const T* p) {
        return vmax(T(0.0), T(1.0) - p[kGain] * p[kGain]) * (x[0] * x[0]);
    }
};

constexpr amp_param_contract kParams[] = {
    number("gain", "1", -1e6, 1e6, 1.0, "Factor. Negative inverts; 1 passes the signal bit for bit."),
};
constexpr amp_port_contract kIn[] = {input("in", "Signal to scale.")};
constexpr amp_port_contract kOut[] = {output("out", "Scaled signal.")};
constexpr amp_case_contract kCases[] = {
    {"half", "noise", "gain=0.5", 2, 256, "exact", 0, kExactReason},
    {"invert", "ramp", "gain=-1", 1, 100, "exact", 0, kExactReason},
};
constexpr amp_node_contract kContract =
    contract({.id = "gain",
              .group = "mix",
              .summary = "Multiplies a signal by a factor.",
              .doc = "y[n] = gain * x[n]. An ideal attenuator: below unity the power it takes away becomes heat.",
              .params = kParams,
              .cases = kCases,
              .adjoint = AMP_ADJOINT_EXACT,
              .heat = "max(0, 1 - gain^2) * x^2 / fs",
              .laws = AMP_LAW_BLOCK_INVARIANT | AMP_LAW_LINEAR | AMP_LAW_TIME_INVARIANT | AMP_LAW_SILENCE},
             kIn, kOut);

}  // namespace

extern const NodeType node_gain;
const NodeType node_gain = frame_node<Gain>(kContract);

}  // namespace amp::AMP_KNS
