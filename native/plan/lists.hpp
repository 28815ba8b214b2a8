// Many short lists, stored in two arrays.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace amp {

// Groups items by owner: list u has, in ascending order, the items i with owner(i) == u, for u < `count`.
class Lists {
public:
    Lists() = default;
    template <class Owner> Lists(size_t count, size_t items, const Owner& owner) : first_(count + 1), items_(items) {
        for (uint32_t i = 0; i < items; ++i) ++first_[owner(i) + 1];
        for (size_t u = 0; u < count; ++u) first_[u + 1] += first_[u];
        std::vector<uint32_t> next(first_.begin(), first_.end() - 1);
        for (uint32_t i = 0; i < items; ++i) items_[next[owner(i)]++] = i;
    }
    std::span<const uint32_t> operator[](size_t u) const {
        return std::span(items_).subspan(first_[u], first_[u + 1] - first_[u]);
    }
    size_t size() const { return first_.empty() ? 0 : first_.size() - 1; }

private:
    std::vector<uint32_t> first_, items_;
};

}  // namespace amp
