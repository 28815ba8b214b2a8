// split: each edge that leaves it carries one channel.
#include "nodes/routing.hpp"

namespace amp::AMP_KNS {
namespace {

constexpr amp_port_contract kIn[] = {input("in", "Signal to take apart.")};
constexpr amp_port_contract kOut[] = {
    scattering_output("out", AMP_SCATTER_SPLIT, "One channel per edge: the one the edge names with channel=.")};
constexpr amp_case_contract kCases[] = {
    {"mono", "ramp", "", 1, 100, "exact", 0, kExactReason},
    {"three", "noise", "", 3, 256, "exact", 0, kExactReason},
};
constexpr amp_node_contract kContract =
    contract({.id = "split",
              .group = "mix",
              .summary = "Sends each channel its own way.",
              .doc = "An edge that leaves the node carries channel k of the signal alone, as a signal of one channel, "
                     "k being the edge's channel=; by default the k-th edge made carries channel k. No two edges carry "
                     "the same one: to send a channel to several places, pick it with channel= from the signal before. "
                     "Modulations and taps read all channels. stack undoes it.",
              .cases = kCases,
              .adjoint = AMP_ADJOINT_EXACT,
              .laws = AMP_LAW_BLOCK_INVARIANT | AMP_LAW_LINEAR | AMP_LAW_TIME_INVARIANT | AMP_LAW_SILENCE},
             kIn, kOut);

}  // namespace

extern const NodeType node_split;
const NodeType node_split = frame_node<Passing>(kContract);

}  // namespace amp::AMP_KNS
