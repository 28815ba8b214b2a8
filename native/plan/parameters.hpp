// Parameter values against their contracts.
#pragma once
#include "core/failure.hpp"
#include "plan/plan.hpp"

namespace amp {

struct Range {
    double low, high;
};
Range range_of(const amp_param_contract& p, double sample_rate);
// `whose` stands before the value that was got: "the default, ".
inline constexpr char kChooseInside[] = "Choose a value inside.";
std::string out_of_range(const std::string& node, const amp_param_contract& p, double got, const Range& allowed,
                         const char* whose = "");

// Matches a node's parameters with its contract: unknown keys, kinds, shapes over frames, ranges, missing choices.
void check_parameters(const NodeDescriptor& node, const amp_node_contract& contract, double sample_rate,
                      std::vector<int32_t>& index, Violations& v);

struct MatrixShape {
    uint32_t rows = 1, columns = 1;
};
MatrixShape matrix_shape(const PlanNode& node);  // of its matrix parameter

// Value of a fixed parameter (enum index, integer, number); text gives 0, a matrix its rows.
double fixed_value(const PlanNode& node, uint32_t param);

}  // namespace amp
