// Compiled with contraction, unlike the library: measures the machine's fused multiply-add.
#include "kernel/step.hpp"
// clang-format off
#include "bench/multiply_add.hpp"
// clang-format on

bool has_fused() {
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
    return true;
#else
    return false;
#endif
}
double fused_multiply_add(int64_t turns, double factor, double term) { return multiply_add(turns, factor, term); }
