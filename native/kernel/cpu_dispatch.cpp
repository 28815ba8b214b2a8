// Chooses the kernels: the best instruction-set level that was built and that the CPU has, or the one AMP_ISA names.
// The choice is made once per process; the registry starts with the types of that level.
#include <cstdlib>
#include <cstring>

#include "kernel/registry.hpp"

namespace amp {

#define AMP_LEVEL(ns)                                                                                                  \
    namespace ns {                                                                                                     \
    extern const KernelTable kernel_table;                                                                             \
    extern const uint32_t node_type_count;                                                                             \
    }
AMP_LEVEL(k_v2)
AMP_LEVEL(k_v3)
AMP_LEVEL(k_v4)
AMP_LEVEL(k_base)
#undef AMP_LEVEL

namespace {

#ifndef AMP_BUILT_base
[[maybe_unused]] bool has_v2() { return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt"); }
[[maybe_unused]] bool has_v3() {
    return has_v2() && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
           __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("fma");
}
[[maybe_unused]] bool has_v4() {
    return has_v3() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl");
}
#endif

struct Chosen {
    KernelTable table{};
    bool found = false;
    void take(const KernelTable& t, uint32_t types) {
        table = t;
        table.n_types = types;
        found = true;
    }
    Chosen() {
        const char* want = std::getenv("AMP_ISA");
        const auto named = [&](const char* level) { return !want || !*want || std::strcmp(want, level) == 0; };
#ifdef AMP_BUILT_base
        if (named("base")) take(k_base::kernel_table, k_base::node_type_count);
#else
        __builtin_cpu_init();
#endif
#ifdef AMP_BUILT_v2  // levels in ascending order: the last one taken is the best
        if (named("v2") && has_v2()) take(k_v2::kernel_table, k_v2::node_type_count);
#endif
#ifdef AMP_BUILT_v3
        if (named("v3") && has_v3()) take(k_v3::kernel_table, k_v3::node_type_count);
#endif
#ifdef AMP_BUILT_v4
        if (named("v4") && has_v4()) take(k_v4::kernel_table, k_v4::node_type_count);
#endif
    }
};

}  // namespace

const KernelTable* kernels() {
    static const Chosen chosen;
    return chosen.found ? &chosen.table : nullptr;
}

Registry& registry() {
    static Registry all(kernels());
    return all;
}

}  // namespace amp
