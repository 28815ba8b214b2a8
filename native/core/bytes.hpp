// Reads and writes blobs: magic, version, length, checksum, payload (layout in amp/graph.h). The reader checks every
// byte and count before it uses it.
#pragma once
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "core/failure.hpp"

namespace amp {

inline constexpr uint64_t kFnvBasis = 0xcbf29ce484222325u;
uint64_t fnv1a(const void* data, size_t size, uint64_t h = kFnvBasis);
std::string hex(uint64_t v);
// Well-formed UTF-8 (Unicode 15, table 3-7): no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(const std::string& s);

struct Tensor {
    uint32_t batches = 1, channels = 1;
    uint64_t frames = 1;
    std::vector<double> data;  // in (b, c, n) order
    double at(uint32_t b, uint32_t c, uint64_t n) const {
        b = batches == 1 ? 0 : b;
        c = channels == 1 ? 0 : c;
        n = n < frames ? n : frames - 1;
        return data[(uint64_t{b} * channels + c) * frames + n];
    }
};

class Reader {
public:
    // Checks the header; throws AMP_E_BLOB that says where and what. Reads versions 1 to `newest`.
    Reader(const void* data, size_t size, const char* magic, const char* stage, uint32_t newest = 1);
    uint32_t version() const { return version_; }
    template <class T> T get(const char* what) {
        need(sizeof(T), what);
        T v;
        std::memcpy(&v, p_, sizeof v);
        p_ += sizeof v;
        return v;
    }
    void raw(void* to, size_t size, const char* what);
    std::vector<uint8_t> bytes(size_t size, const char* what);
    std::string str(const char* what);
    Tensor tensor(const char* what);
    uint32_t count(const char* what, size_t least_bytes_each);  // throws if the payload is too short for the count
    void end();                                                 // throws if bytes are left over
    [[noreturn]] void fail(const std::string& what, const char* cure = "Write the blob again.") const;

private:
    void need(size_t n, const char* what) const;
    const uint8_t *begin_, *p_, *end_;
    const char* name_;
    std::string stage_;
    uint32_t version_ = 0;
};

class Writer {
public:
    template <class T> void put(T v) { raw(&v, sizeof v); }
    void raw(const void* from, size_t size) {
        const auto* p = static_cast<const uint8_t*>(from);
        payload_.insert(payload_.end(), p, p + size);
    }
    void str(const std::string& s);
    void tensor(const Tensor& t);
    std::vector<uint8_t> seal(const char* magic, uint32_t version = 1) const;
    const std::vector<uint8_t>& payload() const { return payload_; }
    void clear() { payload_.clear(); }

private:
    std::vector<uint8_t> payload_;
};

}  // namespace amp
