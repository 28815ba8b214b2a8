// output: delivers a signal of the graph and passes it on unchanged; its power is heat of the load.
#include "nodes/routing.hpp"

namespace amp::AMP_KNS {
namespace {

template <class T> struct Output : Passing<T> {
    static constexpr bool kPasses = true;

    static T heat(const T* x, const T*, const T*) { return x[0] * x[0]; }
};

constexpr amp_port_contract kIn[] = {input("in", "Signal to deliver.")};
constexpr amp_port_contract kOut[] = {output("out", "The same signal.")};
constexpr amp_case_contract kCases[] = {
    {"noise", "noise", "", 2, 256, "exact", 0, kExactReason},
};
constexpr amp_node_contract kContract = contract(
    {.id = "output",
     .group = "io",
     .summary = "Delivers a signal as the graph's result.",
     .doc = "y[n] = x[n]. The signal is volts across a load of 1 ohm; the power delivered into it is the node's heat.",
     .cases = kCases,
     .io = AMP_IO_SINK,
     .adjoint = AMP_ADJOINT_EXACT,
     .heat = "x^2 / fs",
     .laws = AMP_LAW_BLOCK_INVARIANT | AMP_LAW_LINEAR | AMP_LAW_TIME_INVARIANT | AMP_LAW_SILENCE},
    kIn, kOut);

}  // namespace

extern const NodeType node_output;
const NodeType node_output = frame_node<Output>(kContract);

}  // namespace amp::AMP_KNS
