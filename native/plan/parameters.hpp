// Checks parameter values against their contracts.
#pragma once
#include "core/failure.hpp"
#include "plan/plan.hpp"

namespace amp {

struct Range {
    double low, high;
};
Range range_of(const amp_param_contract& p, double sample_rate);
// out_of_range(): `whose` is written before the value, as in "the default, ".
inline constexpr char kChooseInside[] = "Choose a value inside.";
std::string out_of_range(const std::string& node, const amp_param_contract& p, double got, const Range& allowed,
                         const char* whose = "");

// Checks a node's parameters against its contract: unknown keys, kinds, values over frames, ranges, missing choices.
// `index` receives, per contract parameter, its place in node.parameters, or -1.
void check_parameters(const NodeDescriptor& node, const amp_node_contract& contract, double sample_rate,
                      std::vector<int32_t>& index, Violations& v);

struct MatrixShape {
    uint32_t rows = 1, columns = 1;
};
MatrixShape matrix_shape(const PlanNode& node);  // of the node's matrix parameter

// The value of a fixed parameter: enum index, integer or number; 0 for text, the number of rows for a matrix.
double fixed_value(const PlanNode& node, uint32_t param);

}  // namespace amp
