#include "plan/extensions.hpp"

#include <algorithm>

#include "plan/plan.hpp"

namespace amp {

namespace {

constexpr uint8_t kRequired = 1;
constexpr size_t kDelayBytes = 8, kDigestBytes = 32;

void check_format(const Reader& r, const Extension& e) {
    const auto wrong = [&](const char* allowed) {
        r.fail(text("extension %s is damaged (got %zu bytes, allowed %s)", e.id.c_str(), e.bytes.size(), allowed));
    };
    if (e.id == "params_json" && !is_utf8(std::string(e.bytes.begin(), e.bytes.end()))) wrong("UTF-8 text");
    if (e.id == "declared_delay" && e.bytes.size() != kDelayBytes) wrong("8: a u64 of frames");
    if (e.id == "plugin_digest" && e.bytes.size() != kDigestBytes) wrong("32: a SHA-256");
}

Extension read_extension(Reader& r, bool of_node) {
    Extension e;
    e.id = r.str("extension id");
    if (e.id.empty()) r.fail("an extension has no id");
    const auto flags = r.get<uint8_t>("extension flags");
    if (flags > kRequired)
        r.fail(text("flags of extension %s are %u, allowed the bit 1 (required)", e.id.c_str(), flags));
    e.required = flags & kRequired;
    const auto length = r.get<uint32_t>("extension length");
    if (length > kLongestExtension)
        r.fail(text("extension %s has %u bytes, allowed %u", e.id.c_str(), length, kLongestExtension));
    e.bytes = r.bytes(length, "extension bytes");
    if (of_node) check_format(r, e);
    return e;
}

}  // namespace

std::vector<Extension> read_extensions(Reader& r, bool of_node) {
    const uint32_t count = r.count("number of extensions", 7);
    if (count > kMostExtensions) r.fail(text("%u extensions, allowed %u", count, kMostExtensions));
    std::vector<Extension> list;
    list.reserve(count);
    for (uint32_t i = 0; i < count; ++i) list.push_back(read_extension(r, of_node));
    std::sort(list.begin(), list.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
    const auto twice =
        std::adjacent_find(list.begin(), list.end(), [](const auto& a, const auto& b) { return a.id == b.id; });
    if (twice != list.end()) r.fail(text("extension %s stands there twice", twice->id.c_str()));
    return list;
}

void put_extensions(Writer& w, const std::vector<Extension>& list) {
    if (list.empty()) return;
    w.put(static_cast<uint32_t>(list.size()));
    for (const Extension& e : list)
        w.str(e.id), w.put(uint8_t{e.required}), w.put(static_cast<uint32_t>(e.bytes.size())),
            w.raw(e.bytes.data(), e.bytes.size());
}

void check_extensions(const std::vector<Extension>& list, const std::string& where, const std::string& node,
                      const std::string& port, Violations& v) {
    for (const Extension& e : list)
        if (e.required)
            v.add(text("%s: extension \"%s\" is required, and this library does not act on it.", where.c_str(),
                       e.id.c_str()),
                  "Load the graph with a newer library, or make the extension optional.", node, port,
                  AMP_E_UNSUPPORTED);
}

std::string extensions_json(const std::vector<Extension>& list) {
    std::string s;
    for (const Extension& e : list)
        s += text("%s{\"id\": %s, \"required\": %s, \"bytes\": %zu}", s.empty() ? ", \"extensions\": [" : ", ",
                  quoted(e.id).c_str(), e.required ? "true" : "false", e.bytes.size());
    return s.empty() ? s : s + "]";
}

}  // namespace amp
