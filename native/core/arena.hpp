// An arena: one contiguous range of address space, reserved once. Pages are committed by first use, so the base address
// never changes. The arena owns all memory taken from it.
#pragma once
#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

namespace amp {

class Arena {
public:
    Arena() = default;
    Arena(Arena&& o) noexcept
        : base_(std::exchange(o.base_, nullptr)), size_(std::exchange(o.size_, 0)), used_(std::exchange(o.used_, 0)) {}
    Arena& operator=(Arena&& o) noexcept {
        std::swap(base_, o.base_), std::swap(size_, o.size_), std::swap(used_, o.used_);
        return *this;
    }
    ~Arena();

    static Arena reserve();  // throws AMP_E_NOMEM
    // Returns zeroed memory; throws AMP_E_NOMEM beyond the reserved size.
    void* take(uint64_t bytes, uint64_t alignment = 64);
    template <class T, class... A> T* make(uint64_t n, A... arguments) {  // small objects share cache lines
        constexpr uint64_t kAlignment = alignof(T) > 32 ? alignof(T) : 32;
        auto* p = static_cast<T*>(take(n > kMost / sizeof(T) ? kMost : n * sizeof(T), kAlignment));
        for (uint64_t i = 0; i < n; ++i) new (p + i) T(arguments...);
        return p;
    }
    double* doubles(uint64_t n) {
        return static_cast<double*>(take(n > kMost / sizeof(double) ? kMost : n * sizeof(double)));
    }
    uint64_t used() const { return used_; }
    // frees everything taken since used() returned `used`; that memory must not have been written
    void rewind(uint64_t used) { used_ = used; }

private:
    static constexpr uint64_t kMost = uint64_t{1} << 40;
    unsigned char* base_ = nullptr;
    uint64_t size_ = 0, used_ = 0;
};

}  // namespace amp
