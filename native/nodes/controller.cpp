// controller: outputs a named control curve. The engine samples the curve into the node's only input view.
#include "nodes/routing.hpp"

namespace amp::AMP_KNS {
namespace {

template <class T> struct Controller : Passing<T> {
    enum Param { kCurve, kChannels, kParams };
};

constexpr amp_param_contract kParams[] = {
    text("curve", "Name of the control curve to play."),
    channels(),
};
constexpr amp_port_contract kOut[] = {output("out", "The curve's value at every frame.")};
constexpr amp_case_contract kCases[] = {
    {"ramp", "ramp", "", 1, 256, "exact", 0, kExactReason},
};
constexpr amp_node_contract kContract =
    contract({.id = "controller",
              .group = "control",
              .summary = "Plays a control curve as a signal.",
              .doc = "y[n] = curve(n / fs), with the curve's own interpolation; before its first and after its last "
                     "point it holds its end value. All channels and batches carry the same value.",
              .params = kParams,
              .cases = kCases,
              .curve = "curve",
              .channels = "channels",
              .adjoint = AMP_ADJOINT_NOT_DIFFERENTIABLE,
              .laws = AMP_LAW_BLOCK_INVARIANT},
             {}, kOut);

}  // namespace

extern const NodeType node_controller;
const NodeType node_controller = frame_node<Controller>(kContract);

}  // namespace amp::AMP_KNS
