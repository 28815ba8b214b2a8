// Extensions: records by id that AMPD version 2 adds to nodes and edges (layout in amp/graph.h), so that later
// additions need no new version. They are stored as they were given and are part of the digests; the library acts on
// none yet.
#pragma once
#include <string>
#include <vector>

#include "core/bytes.hpp"
#include "core/failure.hpp"

namespace amp {

inline constexpr uint32_t kMostExtensions = 64;          // per node or edge
inline constexpr uint32_t kLongestExtension = 1u << 20;  // bytes

struct Extension {
    std::string id;
    bool required = false;  // a library that does not act on it must refuse the graph
    std::vector<uint8_t> bytes;
};

// Reads one list, sorted by id. `of_node`: ids that amp/graph.h defines for nodes must have their formats. Throws
// AMP_E_BLOB: too many, too long, an id missing or repeated, unknown flags, a wrong format.
std::vector<Extension> read_extensions(Reader& r, bool of_node);

// adds a list to a digest; an empty list adds nothing
void put_extensions(Writer& w, const std::vector<Extension>& list);

// Adds one violation (AMP_E_UNSUPPORTED) for each required extension that the library does not act on. `where` names
// the node or edge in the sentence.
void check_extensions(const std::vector<Extension>& list, const std::string& where, const std::string& node,
                      const std::string& port, Violations& v);

// As JSON: `, "extensions": [...]` with id, required and number of bytes; "" for an empty list.
std::string extensions_json(const std::vector<Extension>& list);

}  // namespace amp
