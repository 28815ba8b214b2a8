// The registry of node types: the built-in types of the chosen instruction set, and types added by libraries.
#pragma once
#include <cstddef>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/step.hpp"

namespace amp {

// The rules that a contract breaks, one sentence each: `where: what (got X, allowed Y).`
std::vector<std::string> violations(const amp_node_contract& contract);

// [any] An added type keeps its address for the life of the process. Its place may rise when others are added.
class Registry {
public:
    explicit Registry(const KernelTable* built_in);  // NULL: an empty registry
    Registry(const Registry&) = delete;
    Registry& operator=(const Registry&) = delete;

    const NodeType* find(std::string_view id) const;  // NULL if unknown
    const NodeType* at(size_t place) const;           // ordered by id; NULL past the end
    size_t size() const;
    // Adds all types or none. Throws AMP_E_INVALID_ARG, stage register, if an id is already registered or a contract
    // breaks a rule.
    void add(const std::vector<const NodeType*>& types);

private:
    mutable std::shared_mutex changing_;
    std::vector<const NodeType*> types_;
};

Registry& registry();  // the registry of the process; empty if AMP_ISA names a level this machine lacks

}  // namespace amp
