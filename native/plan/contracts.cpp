// Looks up contracts and their digests.
#include <cstring>
#include <string_view>
#include <unordered_map>

#include "kernel/registry.hpp"
#include "plan/contract_digest.hpp"
#include "plan/plan.hpp"

namespace amp {

const NodeType* find_type(const std::string& id) { return registry().find(id); }

namespace {

using Digests = std::unordered_map<const amp_node_contract*, uint64_t>;

Digests digests_of_all(uint64_t (*digest)(const amp_node_contract&)) {
    Digests all;
    for (uint32_t i = 0; i < kernels()->n_types; ++i)
        all.emplace(kernels()->types[i]->contract, digest(*kernels()->types[i]->contract));
    return all;
}

}  // namespace

uint64_t contract_digest(const amp_node_contract& contract, uint32_t version) {
    const auto digest = version == 1 ? digest_version_1 : digest_version_2;
    static const Digests first = digests_of_all(digest_version_1), second = digests_of_all(digest_version_2);
    const Digests& built_in = version == 1 ? first : second;
    const auto it = built_in.find(&contract);
    return it != built_in.end() ? it->second : digest(contract);
}

}  // namespace amp
