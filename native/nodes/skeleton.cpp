// skeleton: here a node's file says in one line what the node computes. This file is a template to copy; it is compiled
// but not listed in nodes.inc.
//
// To add a node: copy this file to native/nodes/<id>.cpp, rename, and add AMP_NODE(<id>) to nodes.inc in alphabetical
// order. Builder, documentation page, validation and tests follow from the contract table at the end. The example is a
// leaky integrator: y[n] = leak * y[n-1] + rate * x[n].
#include "kernel/contract.hpp"
#include "kernel/driver.hpp"

namespace amp::AMP_KNS {
namespace {

// T is double or f64x8 (eight frames or eight batches). Use only what dsp/lanes.hpp and dsp/math.hpp offer: no libm, no
// branch on a T (select instead), no sum whose order depends on the width of T.
template <class T> struct Skeleton {
    enum Param { kLeak, kRate, kParams };  // in the order of the contract
    static constexpr int kInputs = 1, kOutputs = 1;
    static constexpr int kNumbers[] = {kLeak, kRate};  // parameters that are signals; not choices, integers and texts
    struct Coef {
        T leak, rate;
    };  // values that depend on parameters only
    struct State {
        T y;
    };  // state carried from one frame to the next; starts at zero
    struct Mid {
        T y;
    };  // what the recursion passes to shape

    // Called once per block while the parameters are constant, otherwise per eight frames: put exp, tan and divisions
    // here.
    static Coef coef(const T* p, const Setup&) { return {p[kLeak], p[kRate]}; }
    // The recursion, called frame by frame: keep it short. Flush state that can decay into denormals.
    static Mid tick(const T* x, const Coef& c, State& s) {
        s.y = c.leak * s.y + c.rate * x[0];
        flush(s.y);
        return {s.y};
    }
    // Everything else, for eight frames at a time. Nodes without state do all their work here.
    static void shape(const Mid& m, const T*, const Coef&, T* y, const Setup&) { y[0] = m.y; }
};

constexpr amp_param_contract kParams[] = {
    number("leak", "1", 0.0, 1.0, 0.999, "Part of the sum that is kept from frame to frame."),
    number("rate", "1", -1e3, 1e3, 1.0, "Factor on the input."),
};
constexpr amp_port_contract kIn[] = {input("in", "Signal to integrate.")};
constexpr amp_port_contract kOut[] = {output("out", "The leaky sum.")};
constexpr amp_case_contract kCases[] = {
    // every case is a law test, a golden and a figure
    {"step", "step", "leak=0.99 rate=0.01", 1, 512, "exact", 0, kExactReason},
};
constexpr amp_node_contract kContract =
    contract({.id = "skeleton",
              .group = "filter",
              .summary = "Leaky integrator.",
              .doc = "y[n] = leak * y[n-1] + rate * x[n]. Here stand the maths, the units and a reference.",
              .params = kParams,
              .cases = kCases,
              .adjoint = AMP_ADJOINT_EXACT,
              .laws = AMP_LAW_BLOCK_INVARIANT | AMP_LAW_LINEAR | AMP_LAW_TIME_INVARIANT | AMP_LAW_SILENCE},
             kIn, kOut);

}  // namespace

extern const NodeType node_skeleton;
const NodeType node_skeleton = frame_node<Skeleton>(kContract);

}  // namespace amp::AMP_KNS
