// Sets the floating-point environment that kernels need (round to nearest, no flush-to-zero), whatever the caller's is,
// and restores the caller's at the end of the scope.
#pragma once
#include <cstdint>

#if defined(__x86_64__) || defined(_M_X64)
#include <xmmintrin.h>
#endif

namespace amp {

class FloatingPoint {
public:
#if defined(__x86_64__) || defined(_M_X64)
    FloatingPoint() : saved_(_mm_getcsr()) { _mm_setcsr(0x1f80); }
    ~FloatingPoint() { _mm_setcsr(saved_); }
#elif defined(__aarch64__)
    FloatingPoint() {
        asm volatile("mrs %0, fpcr" : "=r"(saved_));
        asm volatile("msr fpcr, %0" : : "r"(uint64_t{0}));
    }
    ~FloatingPoint() { asm volatile("msr fpcr, %0" : : "r"(saved_)); }
#else
    FloatingPoint() = default;
#endif
    FloatingPoint(const FloatingPoint&) = delete;
    FloatingPoint& operator=(const FloatingPoint&) = delete;

private:
#if defined(__aarch64__)
    uint64_t saved_ = 0;
#else
    [[maybe_unused]] uint32_t saved_ = 0;
#endif
};

}  // namespace amp
