// average: y = gain * (mean of the connected signals). The engine computes the mean before the node fires.
#include "nodes/routing.hpp"

namespace amp::AMP_KNS {
namespace {

constexpr amp_param_contract kParams[] = {
    number("gain", "1", -1e6, 1e6, 1.0, "Factor on the mean; 1 passes it bit for bit."),
};
constexpr amp_port_contract kIn[] = {input("in", "Signals to average, in the order of their slots.", AMP_GATHER_MEAN)};
constexpr amp_port_contract kOut[] = {output("out", "The scaled mean.")};
constexpr amp_case_contract kCases[] = {
    {"unity", "noise", "gain=1", 2, 256, "exact", 0, kExactReason},
    {"third", "ramp", "gain=0.333", 1, 100, "exact", 0, kExactReason},
};
constexpr amp_node_contract kContract =
    contract({.id = "average",
              .group = "mix",
              .summary = "Averages signals.",
              .doc = "y[n] = gain * ((x_1[n] + ... + x_k[n]) * (1 / k)) over the k edges, added in slot order; 1 / k "
                     "is rounded once, so the bits are the same everywhere. A lone edge passes bit for bit. Unlike the "
                     "sum of mix its level does not grow with the number of signals.",
              .params = kParams,
              .cases = kCases,
              .adjoint = AMP_ADJOINT_EXACT,
              .laws = AMP_LAW_BLOCK_INVARIANT | AMP_LAW_LINEAR | AMP_LAW_TIME_INVARIANT | AMP_LAW_SILENCE},
             kIn, kOut);

}  // namespace

extern const NodeType node_average;
const NodeType node_average = frame_node<Scaling>(kContract);

}  // namespace amp::AMP_KNS
