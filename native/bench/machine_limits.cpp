// Limits of the machine at one ISA level, independent of any engine. Prints one line of JSON, in nanoseconds unless
// stated otherwise, each the best of many runs. Of the library only the vector types are used.
#include <algorithm>
#include <chrono>
#include <cstdio>

#include "kernel/step.hpp"
// clang-format off
#include "bench/multiply_add.hpp"
// clang-format on

namespace {

using namespace amp;
using AMP_KNS::f64x8;

constexpr int kRounds = 25;

template <class Work> double best_ns(double units, const Work& work) {
    double best = 1e9;
    for (int round = 0; round < kRounds; ++round) {
        const auto start = std::chrono::steady_clock::now();
        work();
        const std::chrono::duration<double, std::nano> taken = std::chrono::steady_clock::now() - start;
        best = std::min(best, taken.count() / units);
    }
    return best;
}

// y = gain * x over 8 KiB that are in L1, together with the 8 KiB of x.
double gain_ns() {
    constexpr int kValues = 1024, kTimes = 400;
    alignas(64) static double x[kValues], y[kValues];
    std::fill(x, x + kValues, 0.5);
    return best_ns(double{kValues} * kTimes, [] {
        const f64x8 gain(0.9999);
        for (int t = 0; t < kTimes; ++t) {
#pragma GCC unroll 4
            for (int i = 0; i < kValues; i += kLanes) store(y + i, gain * AMP_KNS::load(x + i));
            asm volatile("" : : "r"(x), "r"(y) : "memory");
        }
    });
}

template <class F> double multiply_add_ns(const F& run) {
    constexpr int64_t kTurns = 4000;
    volatile double sink = 0.0;
    return best_ns(double(kTurns * kMultiplyAdds), [&] { sink = run(kTurns, 0.999, 0.001); });
}
double apart_ns() {
    return multiply_add_ns([](int64_t turns, double factor, double term) { return multiply_add(turns, factor, term); });
}
double fused_ns() { return multiply_add_ns(fused_multiply_add); }

// x = a x + b, where each depends on the one before: the least time of a recursion per frame.
double recursion_ns() {
    constexpr int kTimes = 100000;
    volatile double sink = 0.0, factor = 0.999, term = 0.001;
    return best_ns(kTimes, [&] {
        const double a = factor, b = term;
        double x = 0.0;
        for (int i = 0; i < kTimes; ++i) x = a * x + b, AMP_KNS::one_loop();
        sink = x;
    });
}

// Calls the functions of a table, each with the result of the one before, like a loop of nodes.
using Call = double (*)(double);
template <int k> [[gnu::noinline]] double pass(double x) {
    asm volatile("" : "+x"(x) : "i"(k));
    return x;
}
double call_ns() {
    constexpr int kTimes = 4000;
    static const Call kTable[] = {pass<0>, pass<1>, pass<2>, pass<0>, pass<3>, pass<1>, pass<4>, pass<2>};
    const Call* volatile first = kTable;
    volatile double sink = 0.0;
    return best_ns(double{kTimes} * std::size(kTable), [&] {
        double x = 1.0;
        const Call *begin = first, *end = begin + std::size(kTable);
        for (int t = 0; t < kTimes; ++t)
            for (const Call* call = begin; call != end; ++call) x = (*call)(x);
        sink = x;
    });
}

}  // namespace

int main() {
    std::printf("{\"isa\": \"%s\", \"gain_ns\": %.5f, \"multiply_add_ns\": %.6f, ", AMP_ISA_NAME, gain_ns(),
                apart_ns());
    if (has_fused()) std::printf("\"fused_ns\": %.6f, ", fused_ns());
    std::printf("\"recursion_ns\": %.4f, \"call_ns\": %.4f}\n", recursion_ns(), call_ns());
    return 0;
}
