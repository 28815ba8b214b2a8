// Finds the nodes, outputs and parameters that a caller names; an error lists the names that exist. Also checks what a
// call needs to have been done before it.
#include <cstring>
#include <span>

#include "engine/build/parameter_values.hpp"
#include "engine/runtime.hpp"

namespace amp {

uint32_t Runtime::find(std::string_view node, const char* stage) const {
    const auto u = plan_.find(node);
    if (!u)
        throw Failure(AMP_E_INVALID_ARG, stage,
                      text("%s: there is no such node (allowed %s).", std::string(node).c_str(),
                           listed(plan_.nodes, [](const PlanNode& n) { return n.shown(); }).c_str()),
                      "Name one of these.", std::string(node));
    return *u;
}

// `node` NULL: the graph's output; `port` NULL: the node's first output.
std::pair<uint32_t, uint32_t> Runtime::find_output(const char* node, const char* port, const char* stage) const {
    if (!node && plan_.output < 0)
        throw Failure(AMP_E_INVALID_ARG, stage, "the graph has no output node.", "Add one, or read taps.");
    const uint32_t u = node ? find(node, stage) : static_cast<uint32_t>(plan_.output);
    const amp_node_contract& c = *plan_.nodes[u].type->contract;
    uint32_t k = 0;
    while (port && k < c.n_outputs && std::strcmp(port, c.outputs[k].key) != 0) ++k;
    if (k >= c.n_outputs)
        throw Failure(AMP_E_INVALID_ARG, stage,
                      text("%s: has no output \"%s\" to tap (allowed %s).", plan_.nodes[u].name.c_str(),
                           port ? port : "",
                           listed(std::span(c.outputs, c.n_outputs), [](const auto& p) { return p.key; }).c_str()),
                      c.n_outputs ? "Name one of these." : "Tap a node before it.", plan_.nodes[u].name);
    return {u, k};
}

void Runtime::need_history(const char* stage) const {
    if (!plan_.curves.empty() && common_.history.empty())
        throw Failure(AMP_E_INVALID_ARG, stage,
                      text("the graph follows control curves (first \"%s\") and has no control history.",
                           plan_.curves.front().c_str()),
                      "Give the render one that has them.", "", plan_.curves.front());
}

void Runtime::need_configured(const char* stage) const {
    if (!configured_)
        throw Failure(AMP_E_INVALID_ARG, stage, "the runtime is not configured.", "Call configure first.");
}

std::pair<uint32_t, uint32_t> Runtime::find_param(const std::string& node, const std::string& key) const {
    const uint32_t u = find(node, "set_param");
    const amp_node_contract& c = *plan_.nodes[u].type->contract;
    uint32_t k = 0;
    while (k < c.n_params && key != c.params[k].key) ++k;
    if (k == c.n_params)
        throw Failure(AMP_E_INVALID_ARG, "set_param",
                      text("%s.%s: there is no such parameter (allowed %s).", node.c_str(), key.c_str(),
                           listed(std::span(c.params, c.n_params), [](const auto& p) { return p.key; }).c_str()),
                      c.n_params ? "Name one of these." : "Choose another node.", node, key);
    if (!is_settable(c.params[k]))
        throw Failure(AMP_E_INVALID_ARG, "set_param",
                      text("%s.%s: this parameter is fixed by the graph.", node.c_str(), key.c_str()),
                      "Build the graph with the new value.", node, key);
    return {u, k};
}

}  // namespace amp
