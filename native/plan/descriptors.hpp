// The user's graph, decoded from the blob (layout in amp/graph.h). It has not been checked against contracts.
#pragma once
#include <string>
#include <vector>

#include "core/bytes.hpp"
#include "plan/extensions.hpp"

namespace amp {

struct Parameter {
    enum Kind : uint8_t { kNumber, kTensor, kCurve, kText, kInteger };
    std::string key;
    Kind kind = kNumber;
    Tensor tensor;     // a number or an integer has shape 1 x 1 x 1
    std::string text;  // curve name, enum choice or text
};

struct NodeDescriptor {
    std::string name, type;
    uint32_t revision = 0, oversample = 1;
    double heat_j_per_frame = 0, capacity_j_per_k = 0, conductance_w_per_k = 0;  // NaN: not given
    std::vector<Parameter> parameters;
    std::vector<Extension> extensions;  // sorted by id
    uint64_t digest = 0;
};

inline constexpr uint32_t kDescriptorVersion = 2;  // the newest version that can be read
inline constexpr uint32_t kNoNode = 0xffffffffu;

struct EdgeDescriptor {
    std::string src, src_port, dst, dst_port;
    uint32_t from = kNoNode, to = kNoNode;  // src and dst as places in Descriptors::nodes
    int32_t slot = 0;
    uint64_t delay = 0;
    bool has_tokens = false;
    Tensor tokens;
    int32_t channel = -1;  // the one channel of the source that is carried; -1: all
    std::vector<std::string> gates;
    double kappa = 0;                   // share of the source's heat; NaN: default
    std::vector<Extension> extensions;  // sorted by id
};

struct ModulationDescriptor {
    std::string src, src_port, dst, param;
    uint32_t from = kNoNode, to = kNoNode;
    bool multiply = true;
    double scale = 1, offset = 1;
    int32_t channel = -1, slot = 0;
    uint64_t delay = 0;
};

struct Descriptors {
    uint32_t version = 1;  // version of the blob
    double sample_rate = 0;
    std::string graph, output;
    double heat_budget_w = 0;
    uint8_t heat_policy = 0;
    std::vector<NodeDescriptor> nodes;
    std::vector<EdgeDescriptor> edges;
    std::vector<ModulationDescriptor> modulations;
    uint64_t digest = 0;  // of the canonical form, sorted by name and slot: the order of declaration does not matter
};

std::string spelled(const EdgeDescriptor&);  // how sentences name an edge: "edge osc -> drive.in"
std::string spelled(const ModulationDescriptor&);

Descriptors read_descriptors(const void* blob,
                             size_t size);  // throws AMP_E_BLOB, stage load; sorts into the canonical order

}  // namespace amp
