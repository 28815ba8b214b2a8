// What AMPD version 2 adds to nodes and edges (layout in amp/graph.h): records by id, so that later additions need no
// version. They are kept as they came and are part of the digests; nothing is done with any of them yet.
#pragma once
#include <string>
#include <vector>

#include "core/bytes.hpp"
#include "core/failure.hpp"

namespace amp {

inline constexpr uint32_t kMostExtensions = 64;          // of a node or an edge
inline constexpr uint32_t kLongestExtension = 1u << 20;  // bytes

struct Extension {
    std::string id;
    bool required = false;  // whoever does not act on it refuses the graph
    std::vector<uint8_t> bytes;
};

// One list, sorted by id. `of_node`: the ids that amp/graph.h defines for nodes are held to their formats.
// Throws AMP_E_BLOB: too many, too long, no id or one twice, unknown flags, a wrong format.
std::vector<Extension> read_extensions(Reader& r, bool of_node);

void put_extensions(Writer& w, const std::vector<Extension>& list);  // into a digest; nothing for an empty list

// One violation (AMP_E_UNSUPPORTED) per required extension that this library does not act on. `where` names the node
// or edge in the sentence.
void check_extensions(const std::vector<Extension>& list, const std::string& where, const std::string& node,
                      const std::string& port, Violations& v);

// As JSON: `, "extensions": [...]` with id, required and number of bytes; nothing for an empty list.
std::string extensions_json(const std::vector<Extension>& list);

}  // namespace amp
