// A file that the gates must reject: a fused multiply-add, a libm call, a number formatted by the C locale, and an
// inline function outside a level's namespace.
#include <cmath>
#include <cstdio>

inline __attribute__((noinline)) double shared_between_levels(double a, double b, double c) { return a * b + c; }

namespace amp::k_v3 {
double offend(double a, double b, double c);
double offend(double a, double b, double c) {
    char text[32];
    return std::sin(shared_between_levels(a, b, c)) + std::snprintf(text, sizeof text, "%g", a);
}
}  // namespace amp::k_v3
