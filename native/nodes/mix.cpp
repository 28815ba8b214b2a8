// mix: y = gain * (sum of the connected signals).
#include "nodes/routing.hpp"

namespace amp::AMP_KNS {
namespace {

template <class T> struct Mix : Modulated<T> {
    using typename Scaling<T>::Coef, typename Scaling<T>::Mid;
    static constexpr bool kAdds = true;

    static void shape(const Mid&, const T* x, const Coef& c, T* y, const Setup&) { y[0] = scaled(c.gain, x[0]); }
};

constexpr amp_param_contract kParams[] = {
    number("gain", "1", -1e6, 1e6, 1.0, "Factor on the sum; 1 passes it bit for bit."),
};
constexpr amp_port_contract kIn[] = {input("in", "Signals to add, in the order of their slots.")};
constexpr amp_port_contract kOut[] = {output("out", "The scaled sum.")};
constexpr amp_case_contract kCases[] = {
    {"unity", "noise", "gain=1", 2, 256, "exact", 0, kExactReason},
    {"third", "ramp", "gain=0.333", 1, 100, "exact", 0, kExactReason},
};
constexpr amp_node_contract kContract =
    contract({.id = "mix",
              .group = "mix",
              .summary = "Adds signals.",
              .doc = "y[n] = gain * sum over edges of x[n]. Edges are added in slot order, so the order of declaration "
                     "changes no bit.",
              .params = kParams,
              .cases = kCases,
              .adjoint = AMP_ADJOINT_EXACT,
              .laws = AMP_LAW_BLOCK_INVARIANT | AMP_LAW_LINEAR | AMP_LAW_TIME_INVARIANT | AMP_LAW_SILENCE},
             kIn, kOut);

}  // namespace

extern const NodeType node_mix;
const NodeType node_mix = frame_node<Mix>(kContract);

}  // namespace amp::AMP_KNS
