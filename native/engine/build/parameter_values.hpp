// Stores parameter values in the arena.
#pragma once
#include <cmath>
#include <memory>

#include "engine/run/shard.hpp"
#include "plan/parameters.hpp"

namespace amp {

// The value in force: set_param's, the descriptor's, or the contract's default. For a curve, `tensor` is NULL.
struct Value {
    const Tensor* tensor;
    const std::string* curve;
};

// The name of the curve that a node plays: the text of the parameter with that role.
inline const std::string& curve_played(const PlanNode& n, uint32_t param) { return n.given(param)->text; }

// The descriptor's value, or the contract's default, which is written to `scratch`.
Value given_value(const Plan& plan, uint32_t node, uint32_t param, Tensor& scratch);

// Throw with this stage, or set_param, if a value has a wrong shape or is out of range.
void check_shape(const Plan& plan, uint32_t node, uint32_t param, const Tensor& t, uint32_t batches, const char* stage);
void check_range(const Plan& plan, uint32_t node, uint32_t param, const Tensor& t);

inline bool is_settable(const amp_param_contract& c) {
    return (c.kind == AMP_PARAM_NUMBER || c.kind == AMP_PARAM_MATRIX) && c.rate != AMP_RATE_FIXED;
}

// The parameter values of one shard.
struct Values {
    Shard& r;

    bool is_default(uint32_t node, uint32_t param) const;               // the descriptor gives no value
    Value given(uint32_t node, uint32_t param, Tensor& scratch) const;  // the descriptor's or the default
    Value in_force(uint32_t node, uint32_t param, Tensor& scratch) const;
    // Throws AMP_E_UNSUPPORTED if the steps that were built cannot play `value`.
    static void check_fits(const Shard& r, uint32_t node, uint32_t param, const Tensor& value);
    // Writes a value that is constant over frames into rows of eight doubles, clamped to `range`, and points the view
    // at them.
    void hold(double* rows, const Tensor& t, View& view, const Range& range = {-INFINITY, INFINITY}) const;
    // While the shard is built: makes a copy of `value` the base value of a parameter that has a step.
    void install(uint32_t node, uint32_t param, const Tensor& value);
    // The same after frame 0, for any parameter that can be set. install_later() copies nothing, and allocates nothing
    // if the value was announced.
    void announce(uint32_t node, uint32_t param, const Tensor& value);
    void install_later(uint32_t node, uint32_t param, std::shared_ptr<const Tensor> value);
    // The same for a lane group: the values its members have now, lane by lane.
    void hold_lanes(const LaneGroup& group, uint32_t param, View& view) const;
    void install_lanes(const LaneGroup& group, uint32_t param);
    // Creates a step that computes parameter values frame by frame into `scratch` (rows x (block + 8) x width doubles).
    Step& make_step(StepKind kind, uint32_t node, uint32_t param, double* scratch, int32_t channels, int32_t groups,
                    int64_t row);
    // The range to which a constant value is clamped; infinite if the contract reports an error instead.
    Range clamp_range(const amp_param_contract& c) const;
    bool varies(uint32_t node) const;  // some parameter of the node has a step

private:
    const Tensor& played(uint32_t node, uint32_t param, Tensor& scratch) const;
    // longest frame axis among the values that the members have now
    uint64_t frames_played(const LaneGroup& group, uint32_t param) const;
    View& lanes(const LaneGroup& group, uint32_t param, uint64_t frames);
    void reserve_lanes(const LaneGroup& group, uint32_t param, uint64_t frames);
    void play(Step& step, View& view, const double* values, const Tensor& shape) const;
    void hold_value(uint32_t node, uint32_t param, const Tensor& value);
};

}  // namespace amp
