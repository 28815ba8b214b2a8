// Independent multiply-adds: enough chains to fill the execution units, few enough to stay in registers.
#pragma once
#include <cstdint>
#include <utility>

#include "dsp/lanes.hpp"

namespace {

inline constexpr int kChains = 12 / amp::AMP_KNS::native::parts;
inline constexpr int64_t kMultiplyAdds = int64_t{amp::kLanes} * kChains;  // per iteration

template <int... k>
[[gnu::always_inline]] inline double multiply_add(int64_t turns, double factor, double term,
                                                  std::integer_sequence<int, k...>) {
    using amp::AMP_KNS::f64x8;
    const f64x8 a(factor), b(term);
    f64x8 x[] = {f64x8(k)...};
    for (int64_t i = 0; i < turns; ++i) ((x[k] = x[k] * a + b), ...), amp::AMP_KNS::one_loop();
    double sums[amp::kLanes];
    store(sums, (x[k] + ...));
    return sums[0];
}
[[gnu::always_inline]] inline double multiply_add(int64_t turns, double factor, double term) {
    return multiply_add(turns, factor, term, std::make_integer_sequence<int, kChains>{});
}

}  // namespace

bool has_fused();
double fused_multiply_add(int64_t turns, double factor, double term);
