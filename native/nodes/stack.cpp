// stack: several signals become the channels of one. The engine combines them before the node fires.
#include "nodes/routing.hpp"

namespace amp::AMP_KNS {
namespace {

constexpr amp_param_contract kParams[] = {
    number("gain", "1", -1e6, 1e6, 1.0, "Factor, one for all or one per channel; 1 passes it bit for bit."),
};
constexpr amp_port_contract kIn[] = {
    input("in", "Signals whose channels follow one another in the order of their slots.", AMP_GATHER_CONCAT)};
constexpr amp_port_contract kOut[] = {output("out", "All channels, scaled.")};
constexpr amp_case_contract kCases[] = {
    {"unity", "noise", "gain=1", 3, 256, "exact", 0, kExactReason},
    {"third", "ramp", "gain=0.333", 1, 100, "exact", 0, kExactReason},
};
constexpr amp_node_contract kContract =
    contract({.id = "stack",
              .group = "mix",
              .summary = "Makes several signals the channels of one.",
              .doc = "y[c][n] = gain * x[c][n], where x holds the channels of the edge with the lowest slot, then "
                     "those of the next, and so on; the node has as many channels as all edges together, at most 1024. "
                     "channel= on an edge takes one channel of its source. split undoes it.",
              .params = kParams,
              .cases = kCases,
              .adjoint = AMP_ADJOINT_EXACT,
              .laws = AMP_LAW_BLOCK_INVARIANT | AMP_LAW_LINEAR | AMP_LAW_TIME_INVARIANT | AMP_LAW_SILENCE},
             kIn, kOut);

}  // namespace

extern const NodeType node_stack;
const NodeType node_stack = frame_node<Scaling>(kContract);

}  // namespace amp::AMP_KNS
