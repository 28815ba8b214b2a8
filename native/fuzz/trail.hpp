// The source of a random sequence of calls, and the log of its calls that a failure prints.
#pragma once
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <string>
#include <vector>

namespace calls {

inline std::vector<std::string> trail;  // calls made so far, as text

[[gnu::format(printf, 1, 2)]] inline void tell(const char* format, ...) {
    char line[1200];
    va_list args;
    va_start(args, format);
    std::vsnprintf(line, sizeof line, format, args);
    va_end(args);
    trail.emplace_back(line);
}

inline void must(bool ok, const char* what) {
    if (ok) return;
    for (const auto& line : trail) std::fprintf(stderr, "  %s\n", line.c_str());
    std::fprintf(stderr, "calls: %s\n", what);
    std::abort();
}

class Source {  // reads the given bytes, then zeros
public:
    Source(const uint8_t* data, size_t size) : data_(data), size_(size) {}
    bool empty() const { return at_ >= size_; }
    uint32_t below(uint32_t n) { return n ? byte() % n : 0; }
    bool one_in(uint32_t n) { return below(n) == n - 1; }
    template <class L> const auto& of(const L& list) { return list[below(static_cast<uint32_t>(std::size(list)))]; }

private:
    uint32_t byte() { return empty() ? 0 : data_[at_++]; }
    const uint8_t* data_;
    size_t size_, at_ = 0;
};

}  // namespace calls
