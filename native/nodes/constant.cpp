// constant: outputs the value of its parameter.
#include "kernel/contract.hpp"
#include "kernel/driver.hpp"

namespace amp::AMP_KNS {
namespace {

template <class T> struct Constant {
    enum Param { kValue, kChannels, kParams };
    static constexpr int kInputs = 0, kOutputs = 1;
    static constexpr int kNumbers[] = {kValue};
    static constexpr bool kHolds = true;
    struct Coef {
        T value;
    };
    struct State {};
    struct Mid {};

    static Coef coef(const T* p, const Setup&) { return {p[kValue]}; }
    static Mid tick(const T*, const Coef&, State&) { return {}; }
    static void shape(const Mid&, const T*, const Coef& c, T* y, const Setup&) { y[0] = c.value; }
};

constexpr amp_param_contract kParams[] = {
    number("value", "1", -1e9, 1e9, 0.0, "The value of every frame."),
    channels(),
};
constexpr amp_port_contract kOut[] = {output("out", "The value.")};
constexpr amp_case_contract kCases[] = {
    {"half", "none", "value=0.5", 1, 100, "exact", 0, kExactReason},
    {"negative", "none", "value=-3 channels=2", 2, 65, "exact", 0, kExactReason},
};
constexpr amp_node_contract kContract =
    contract({.id = "constant",
              .group = "source",
              .summary = "Makes a constant signal.",
              .doc = "y[n] = value[n]. Turns a parameter (a number, a tensor or a control curve) into a signal that "
                     "can be mixed and modulated.",
              .params = kParams,
              .cases = kCases,
              .channels = "channels",
              .adjoint = AMP_ADJOINT_EXACT,
              .laws = AMP_LAW_BLOCK_INVARIANT | AMP_LAW_TIME_INVARIANT},
             {}, kOut);

}  // namespace

extern const NodeType node_constant;
const NodeType node_constant = frame_node<Constant>(kContract);

}  // namespace amp::AMP_KNS
