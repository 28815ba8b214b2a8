// first: passes on the connected signal with the lowest slot. The engine reads no other.
#include "nodes/routing.hpp"

namespace amp::AMP_KNS {
namespace {

constexpr amp_port_contract kIn[] = {
    input("in", "Signals of which the one with the lowest slot is taken.", AMP_GATHER_FIRST)};
constexpr amp_port_contract kOut[] = {output("out", "That signal.")};
constexpr amp_case_contract kCases[] = {
    {"passes", "noise", "", 2, 256, "exact", 0, kExactReason},
};
constexpr amp_node_contract kContract =
    contract({.id = "first",
              .group = "mix",
              .summary = "Takes the first of its signals.",
              .doc = "y[n] = x[n] of the edge with the lowest slot. The other edges stay in the graph, unread and "
                     "without a say in channels, delays or heat; the plan lists them as dead. A switch that is set by "
                     "editing slots: to hear another source give it the lowest one.",
              .cases = kCases,
              .adjoint = AMP_ADJOINT_EXACT,
              .laws = AMP_LAW_BLOCK_INVARIANT | AMP_LAW_LINEAR | AMP_LAW_TIME_INVARIANT | AMP_LAW_SILENCE},
             kIn, kOut);

}  // namespace

extern const NodeType node_first;
const NodeType node_first = frame_node<Passing>(kContract);

}  // namespace amp::AMP_KNS
