// Parameter values in the arena.
#pragma once
#include "engine/runtime.hpp"

namespace amp {

// The value in force: set_param's, the descriptor's, or the contract's default. Curves have no tensor.
struct Value {
    const Tensor* tensor;
    const std::string* curve;
};

struct Values {
    Runtime& r;

    Value in_force(uint32_t node, uint32_t param, Tensor& scratch) const;
    void check_shape(uint32_t node, uint32_t param, const Tensor& t, const char* stage) const;
    void check_range(uint32_t node, uint32_t param, const Tensor& t) const;
    // Writes a value that holds over frames into rows of eight doubles and points the view at them.
    void hold(double* rows, const Tensor& t, View& view) const;
    // Makes `value` the base of parameter `param` of a built node: rows, or a parameter step's source.
    void install(uint32_t node, uint32_t param, const Tensor& value);
    // A step that works parameter values out frame by frame into `scratch` (rows x (block + 8) x width).
    Step& make_step(uint32_t node, uint32_t param, double* scratch, int32_t channels, int32_t groups, int64_t row);
    bool varies(uint32_t node) const;
};

}  // namespace amp
