// output: where a graph delivers a signal; passes it through, the power goes into the load.
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
constexpr amp_node_contract kContract{
    sizeof(amp_node_contract),
    1,
    "output",
    "io",
    "Delivers a signal as the graph's result.",
    "y[n] = x[n]. The signal is volts across a load of 1 ohm; the power delivered into it is the node's heat.",
    kIn,
    kOut,
    nullptr,
    kCases,
    count(kIn),
    count(kOut),
    0,
    count(kCases),
    0,
    1,
    AMP_ADJOINT_EXACT,
    "x^2 / fs",
    AMP_LAW_BLOCK_INVARIANT | AMP_LAW_LINEAR | AMP_LAW_TIME_INVARIANT | AMP_LAW_SILENCE,
    0};

}  // namespace

extern const NodeType node_output;
const NodeType node_output = node_type<Output>(kContract);

}  // namespace amp::AMP_KNS
