// Parameter values in the arena.
#pragma once
#include "engine/shard.hpp"

namespace amp {

// The value in force: set_param's, the descriptor's, or the contract's default. Curves have no tensor.
struct Value {
    const Tensor* tensor;
    const std::string* curve;
};

void check_shape(const Plan& plan, uint32_t node, uint32_t param, const Tensor& t, uint32_t batches, const char* stage);
void check_range(const Plan& plan, uint32_t node, uint32_t param, const Tensor& t);

struct Values {
    Shard& r;

    Value in_force(uint32_t node, uint32_t param, Tensor& scratch) const;
    // Writes a value that holds over frames into rows of eight doubles and points the view at them.
    void hold(double* rows, const Tensor& t, View& view) const;
    // Makes `value` the base of parameter `param` of a built node: rows, or a parameter step's source.
    void install(uint32_t node, uint32_t param, const Tensor& value);
    // A step that works parameter values out frame by frame into `scratch` (rows x (block + 8) x width).
    Step& make_step(uint32_t node, uint32_t param, double* scratch, int32_t channels, int32_t groups, int64_t row);
    bool varies(uint32_t node) const;
};

}  // namespace amp
