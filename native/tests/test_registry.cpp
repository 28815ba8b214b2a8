// The registry of node types: the built-in contracts break no rule; types of a library are added all together or
// refused.
#include <string>

#include "amp/amp.h"
#include "check.hpp"
#include "core/failure.hpp"
#include "kernel/registry.hpp"

namespace {

using amp::Failure, amp::NodeType, amp::Registry;

amp_port_contract out{"out", "", AMP_CHANNELS_MATCH, AMP_SCATTER_BROADCAST, 0, 0, 0.0};

amp_node_contract contract(const char* id) {
    amp_node_contract c{};
    c.struct_size = sizeof c, c.revision = 1, c.oversample_max = 1;
    c.id = id, c.group = "", c.summary = "", c.doc = "", c.heat = "";
    c.outputs = &out, c.n_outputs = 1;
    return c;
}

// The message of a refused add; empty if the types were added.
std::string added(Registry& r, const std::vector<const NodeType*>& types) {
    try {
        r.add(types);
    } catch (const Failure& f) { return f.message; }
    return "";
}

void built_in_contracts_break_no_rule() {
    for (uint32_t i = 0; i < amp_node_count(); ++i)
        for (const std::string& wrong : amp::violations(*amp_node_at(i)))
            CHECK((std::fprintf(stderr, "%s\n", wrong.c_str()), false));
    CHECK(amp_node_count() > 20 && amp_describe_node("svf") && !amp_describe_node("none"));
}

void types_are_added_in_order_and_found() {
    Registry r(nullptr);
    const amp_node_contract b = contract("b"), a = contract("a"), c = contract("c");
    const NodeType tb{.contract = &b}, ta{.contract = &a}, tc{.contract = &c};
    CHECK(r.size() == 0 && !r.find("a") && !r.at(0));
    CHECK(added(r, {&tb}).empty() && added(r, {&tc, &ta}).empty());
    CHECK(r.at(0) == &ta && r.at(1) == &tb && r.at(2) == &tc && !r.at(3) && r.find("b") == &tb && !r.find("bb"));
}

void an_id_that_is_there_adds_nothing() {
    Registry r(nullptr);
    const amp_node_contract a = contract("a"), b = contract("b");
    const NodeType ta{.contract = &a}, tb{.contract = &b}, again{.contract = &a};
    CHECK(added(r, {&ta}).empty());
    CHECK(added(r, {&tb, &again}).find("a: a type of this id") == 0 && r.size() == 1 && r.find("a") == &ta);
    CHECK(added(r, {&tb, &tb}).find("b: a type of this id") == 0 && r.size() == 1);
}

void every_rule_a_contract_breaks_is_named() {
    Registry r(nullptr);
    const char* words[] = {"one"};
    const amp_param_contract params[] = {
        {"gain", "", "", AMP_PARAM_NUMBER, 0, AMP_RATE_FRAME, 0, 0.0, 1.0, 0, 0, 2.0, nullptr},
        {"gain", "", "", AMP_PARAM_NUMBER, 0, AMP_RATE_FRAME, 0, 1.0, 0.0, 0, 0, 0.5, nullptr},
        {"mode", "", "", AMP_PARAM_ENUM, 0, AMP_RATE_FIXED, 0, 0.0, 0.0, 0, 1, 1.0, words},
    };
    amp_node_contract c = contract("odd");
    c.params = params, c.n_params = 3, c.curve_param = 4, c.channels_param = 1, c.io = 7;
    c.bound_param = 3, c.oversample_max = 4;
    const NodeType t{.contract = &c};
    const std::string said = added(r, {&t});
    for (const char* what : {"odd.gain: its default is out of range", "odd.gain: its range is upside down",
                             "odd.gain: is there twice", "odd.mode: its default is no choice", "curve_param names no",
                             "odd.gain: channels_param asks", "has_channels is not", "io is of no kind",
                             "odd.mode: bound_param asks", "bound_param without the law", "oversample_max is reserved"})
        if (!CHECK(said.find(what) != std::string::npos))
            std::fprintf(stderr, "no \"%s\" in:\n%s\n", what, said.c_str());
    CHECK(r.size() == 0);
    amp_node_contract empty{};
    CHECK(amp::violations(empty).size() > 4);
    empty.n_params = 2;
    CHECK(!amp::violations(empty).empty());
}

}  // namespace

int main() {
    built_in_contracts_break_no_rule();
    types_are_added_in_order_and_found();
    an_id_that_is_there_adds_nothing();
    every_rule_a_contract_breaks_is_named();
    return check::finish("test_registry");
}
