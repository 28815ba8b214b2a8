// The node types there are: those of the chosen instruction set, and what libraries add to them.
#pragma once
#include <cstddef>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/step.hpp"

namespace amp {

// Every rule that a contract breaks, a sentence each: `where: what (got X, allowed Y).`
std::vector<std::string> violations(const amp_node_contract& contract);

// [any] A type that was added stays, at one address, for the life of the process; its place among the others may grow.
class Registry {
public:
    explicit Registry(const KernelTable* built_in);  // NULL: none
    Registry(const Registry&) = delete;
    Registry& operator=(const Registry&) = delete;

    const NodeType* find(std::string_view id) const;  // NULL if unknown
    const NodeType* at(size_t place) const;           // ordered by id; NULL past the end
    size_t size() const;
    // All of them or none. Throws AMP_E_INVALID_ARG, stage register: an id that is there, a contract that breaks rules.
    void add(const std::vector<const NodeType*>& types);

private:
    mutable std::shared_mutex changing_;
    std::vector<const NodeType*> types_;
};

Registry& registry();  // of the process; empty if AMP_ISA names a level this machine lacks

}  // namespace amp
