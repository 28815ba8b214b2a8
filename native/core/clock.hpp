// Time for metrics and traces, in ticks since `start`. A tick is one count of the CPU's time-stamp counter if that has
// a constant rate (reading it takes a third of the time of the system clock), otherwise one nanosecond.
#pragma once
#include <chrono>
#include <cstdint>

#if defined(__x86_64__)
#include <cpuid.h>
#define AMP_HAS_COUNTER 1
#endif

namespace amp {

class Clock {
public:
    void start() {
        begin_ = System::now();
        first_ = read();
    }
    int64_t now() const { return read() - first_; }
    // Seconds per tick, measured from `start` to now.
    double scale() const {
        const double seconds = std::chrono::duration<double>(System::now() - begin_).count(),
                     ticks = static_cast<double>(now());
        return ticks > 0.0 ? seconds / ticks : 0.0;
    }

private:
    using System = std::chrono::steady_clock;

    static bool has_even_counter() {  // CPUID 8000_0007, EDX bit 8: invariant TSC
#ifdef AMP_HAS_COUNTER
        unsigned a = 0, b = 0, c = 0, d = 0;
        return __get_cpuid(0x80000007u, &a, &b, &c, &d) && (d >> 8 & 1u);
#else
        return false;
#endif
    }
    int64_t read() const {
#ifdef AMP_HAS_COUNTER
        if (counts_) return static_cast<int64_t>(__builtin_ia32_rdtsc());
#endif
        return std::chrono::duration_cast<std::chrono::nanoseconds>(System::now().time_since_epoch()).count();
    }

    bool counts_ = has_even_counter();
    System::time_point begin_{};
    int64_t first_ = 0;
};

}  // namespace amp
