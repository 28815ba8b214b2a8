// dsp/*.hpp at one ISA level: eight lanes give the bits of the scalar, conversions are exact, functions keep their
// measured errors. The printed hash is the same for every level and compiler.
#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <vector>

#include "check.hpp"
#include "dsp/math.hpp"
#include "dsp/phase.hpp"

using namespace amp::AMP_KNS;

#define FN(f) [](auto x) { return f(x); }

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();
using Values = std::vector<double>;

uint64_t random_bits() {  // splitmix64
    static uint64_t state = 1;
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}
double uniform(double low, double high) { return low + (high - low) * (double(random_bits() >> 11) * 0x1p-53); }
double log_uniform(double low_exponent, double high_exponent) {
    const double magnitude = vexp2(uniform(low_exponent, high_exponent));
    return random_bits() & 1 ? magnitude : -magnitude;
}

// FNV-1a over the bytes of every output; a NaN counts as one value.
uint64_t hash = 0xcbf29ce484222325u;
void mix(uint64_t word) {
    for (int k = 0; k < 8; ++k) hash = (hash ^ (word >> (8 * k) & 0xff)) * 0x100000001b3u;
}
uint64_t canonical(double x) { return x == x ? bits(x) : 0x7ff8000000000000u; }
uint64_t canonical(uint64_t x) { return x; }
uint64_t canonical(int x) { return uint64_t(x); }  // bool & bool

void spread(f64x8 a, uint64_t* out) {
    for (int k = 0; k < 8; ++k) out[k] = canonical(lane(a, k));
}
void spread(u64x8 a, uint64_t* out) { storeu64(out, a); }
void spread(m8 a, uint64_t* out) { storeu64(out, select(a, u64x8(1), u64x8(0))); }

// Edge values, random bit patterns, and ordinary values of every magnitude.
Values mixed(size_t count) {
    Values x = {0.0,      -0.0,
                0.25,     0.5,
                -0.5,     1.0,
                -1.0,     1.5,
                2.5,      inf,
                -inf,     nan,
                DBL_MIN,  DBL_MAX,
                -DBL_MAX, 0x1p-1074,
                0x1p51,   0x1p52 - 0.5,
                0x1p53,   709.78,
                709.79,   -745.2,
                -708.5,   1024.0,
                -1074.0,  0.7071067811865475,
                20.0};
    while (x.size() % 8 != 0) x.push_back(uniform(-1.0, 1.0));
    while (x.size() < count) {
        x.push_back(from_bits(random_bits()));
        x.push_back(uniform(-1.0, 1.0));
        x.push_back(uniform(-800.0, 800.0));
        x.push_back(log_uniform(-60.0, 20.0));
    }
    x.resize(count / 8 * 8);
    return x;
}

// f on eight lanes equals f on each value, bit by bit.
template <class F> void same_bits(const Values& x, F f) {
    for (size_t n = 0; n < x.size(); n += 8) {
        const double* y = x.data() + (n + 8) % x.size();
        uint64_t got[8];
        spread(f(load(&x[n]), load(y)), got);
        for (size_t k = 0; k < 8; ++k) {
            const uint64_t expected = canonical(f(x[n + k], y[k]));
            if (!CHECK(got[k] == expected)) std::fprintf(stderr, "  at %a, %a\n", x[n + k], y[k]);
            mix(got[k]);
        }
    }
}
template <class F> void same_bits_1(const Values& x, F f) {
    same_bits(x, [f](auto a, auto) { return f(a); });
}

void test_arithmetic() {
    const Values x = mixed(8000);
    same_bits(x, [](auto a, auto b) { return a + b * a - -b / a; });
    same_bits(x, [](auto a, auto b) {
        a += b;
        a *= a;
        a -= b;
        a /= b;
        return a;
    });
    same_bits(x, [](auto a, auto b) { return vmin(a, b) + vmax(b, 0.5 * a); });
    same_bits(x, [](auto a, auto b) { return select((a < b) & !(b <= -a), vabs(a), vsqrt(b)); });
    same_bits(x, [](auto a, auto b) { return (a > b) | (a == vabs(a)); });
    same_bits(x, [](auto a, auto b) { return (a >= b) & !(b == b); });
    same_bits(
        x, [](auto a, auto b) { return (bits(a) + bits(b)) * (bits(a) ^ ~bits(b)) - (bits(a) >> 7 | bits(b) << 11); });
    same_bits(x, [](auto a, auto b) { return select(bits(a) < bits(b), bits(a) & bits(b), bits(a)); });
    same_bits(x, [](auto a, auto b) { return (bits(a) == bits(vabs(a))) | (bits(b) < bits(a)); });
    same_bits_1(x, [](auto a) { return unit52(bits(a)) + small_to_f64(bits(a) >> 12); });
    same_bits_1(x, [](auto a) { return upper26(a); });
    same_bits(x, [](auto a, auto b) { return select(magnitude(bits(a)) <= bits(b), a, b); });
    same_bits(x, [](auto a, auto b) {  // excluding NaN
        return least(select(a == a, a, decltype(a)(0.0)), select(b == b, b, decltype(b)(0.0)));
    });
    CHECK(least(-2.0, 3.0) == 2.0 && least(4.0, -3.0) == 3.0 && magnitude(uint64_t(0) - 5) == 5);
    CHECK(std::isnan(vmin(nan, 1.0)) && std::isnan(vmax(nan, 1.0)) && vmin(1.0, nan) == 1.0 && vmax(1.0, nan) == 1.0);
    CHECK(unit52(~uint64_t(0)) == 1.0 - 0x1p-52 && unit52(uint64_t(1) << 63) == 0.5 &&
          small_to_f64((1ull << 52) - 1) == 0x1p52 - 1);
}

void test_lanes() {
    f64x8 rows[8];
    for (int r = 0; r < 8; ++r) rows[r] = iota() + 8.0 * r;
    transpose(rows);
    for (int r = 0; r < 8; ++r)
        for (int k = 0; k < 8; ++k) CHECK(lane(rows[r], k) == 8 * k + r);
    double memory[7 * 11 + 8];  // the stride is larger than the row length
    for (int r = 0; r < 8; ++r) store(memory + 11 * r, iota() + 8.0 * r);
    load_transposed(memory, 11, rows);
    for (int r = 0; r < 8; ++r)
        for (int k = 0; k < 8; ++k) CHECK(lane(rows[r], k) == 8 * k + r);
    const f64x8 numbers = select(iota() == 7.0, f64x8(nan), iota());
    for (int k = 0; k < 8; ++k)
        CHECK(lane(select(le_too(iota() <= 4.0, 2.0, numbers), f64x8(1.0), f64x8(0.0)), k) == (k >= 2 && k <= 4));
    CHECK(!any(le_too(iota() == 7.0, 2.0, numbers)));
    for (int k = 0; k < 8; ++k) {
        const m8 one = iota() == double(k);
        CHECK(any(one) && !all(one) && all(one | !one) && !any(one & !one) && all(m8(true)) && !any(m8(false)));
    }
    double buffer[9] = {};
    store_as(buffer + 1, load_as<f64x8>(buffer) + iota());
    store_as(buffer, load_as<double>(buffer + 8) + 1.0);
    CHECK(width_of<f64x8> == 8 && width_of<double> == 1 && buffer[0] == 8.0 && buffer[1] == 0.0 && buffer[8] == 7.0);
}

void test_rounding() {
    Values x;
    for (double tie = -4.5; tie <= 4.5; tie += 0.5) x.push_back(tie);
    for (int e = 0; e < 62; ++e)
        for (double offset : {-0.5, 0.0, 0.5, 1.5}) x.push_back(std::ldexp(e % 2 ? 1.0 : -1.0, e) + offset);
    while (x.size() % 8 != 0 || x.size() < 40000) x.push_back(log_uniform(-3.0, 61.9));
    same_bits_1(x, [](auto a) { return to_u64(a); });
    same_bits_1(x, [](auto a) { return split_to_u64(a); });
    Values small = x;
    for (double& a : small) a = std::fabs(a) < 0x1p51 ? a : a * 0x1p-11;
    same_bits_1(small, [](auto a) { return vfloor(a); });
    for (size_t n = 0; n < x.size(); ++n) {
        CHECK(to_u64(x[n]) == uint64_t(int64_t(std::nearbyint(x[n]))) && split_to_u64(x[n]) == to_u64(x[n]));
        CHECK(vfloor(small[n]) == std::floor(small[n]));
    }
}

void test_functions_same_bits() {
    const Values x = mixed(16000);
    same_bits_1(x, FN(vexp));
    same_bits_1(x, FN(vexp2));
    same_bits_1(x, FN(vlog));
    same_bits_1(x, FN(vlog2));
    same_bits(x, [](auto a, auto b) { return vpow(vabs(a), b); });
    same_bits(x, [](auto a, auto b) { return vpow(a, b); });
    same_bits_1(x, FN(vsin2pi));
    same_bits_1(x, FN(vcos2pi));
    same_bits_1(x, FN(vtanpi));
    same_bits_1(x, FN(vtanh));
    same_bits_1(x, FN(vsin));
    same_bits_1(x, FN(vcos));
}

void test_special_values() {
    CHECK(vexp(0.0) == 1.0 && vexp(-inf) == 0.0 && vexp(inf) == inf && vexp(709.79) == inf && vexp(709.78) < inf);
    CHECK(vexp(-745.2) == 0.0 && vexp(-745.0) == 0x1p-1074 && vexp2(-1074.0) == 0x1p-1074 && vexp2(1024.0) == inf);
    CHECK(vexp2(-1076.0) == 0.0 && vexp2(10.0) == 1024.0 && vexp2(-inf) == 0.0);
    CHECK(vlog(0.0) == -inf && vlog(inf) == inf && vlog(1.0) == 0.0 && std::isnan(vlog(-1.0)) &&
          std::isnan(vlog2(-inf)));
    CHECK(vlog2(0.0) == -inf && vlog2(0x1p-1074) == -1074.0 && vlog2(0x1p1023) == 1023.0);
    CHECK(vpow(0.0, 2.0) == 0.0 && vpow(0.0, -2.0) == inf && vpow(0.0, 0.0) == 1.0 && vpow(inf, 0.0) == 1.0);
    CHECK(vpow(inf, -1.0) == 0.0 && vpow(inf, 1.0) == inf && std::isnan(vpow(-1.0, 2.0)) && vpow(1.0, inf) == 1.0);
    CHECK(vpow(2.0, inf) == inf && vpow(2.0, -inf) == 0.0 && vpow(0.5, -inf) == inf && vpow(2.0, 10.0) == 1024.0);
    CHECK(std::isnan(vpow(nan, 0.0)) && std::isnan(vpow(1.0, nan)));
    CHECK(vsin2pi(0.25) == 1.0 && vsin2pi(0.5) == 0.0 && vsin2pi(-0.25) == -1.0 && vcos2pi(0.0) == 1.0);
    CHECK(vcos2pi(0.25) == 0.0 && vcos2pi(0.5) == -1.0 && vtanpi(0.0) == 0.0 && vtanpi(0.25) == 1.0);
    CHECK(vtanh(20.0) == 1.0 && vtanh(-inf) == -1.0 && std::signbit(vtanh(-0.0)) && vtanh(0x1p-1074) == 0x1p-1074);
    CHECK(vsin(0.0) == 0.0 && vcos(0.0) == 1.0 && std::isnan(vsin(inf)) && std::isnan(vcos2pi(inf)));
    for (double y :
         {vexp(nan), vexp2(nan), vlog(nan), vlog2(nan), vsin2pi(nan), vcos2pi(nan), vtanpi(nan), vtanh(nan), vsin(nan)})
        CHECK(std::isnan(y));
}

using Extended = long double;
constexpr Extended pi = 3.14159265358979323846264338327950288L;

Extended ulps(double got, Extended expected) {
    int exponent = 0;
    std::frexp(expected, &exponent);
    return std::fabs(Extended(got) - expected) / std::ldexp(Extended(1), std::max(exponent - 53, -1074));
}

// Largest error over random arguments, compared with extended precision; `allowed` is the figure in math.hpp.
template <class D, class F, class R> void accuracy(const char* name, double allowed, D draw, F f, R reference) {
    Extended worst = 0;
    double where = 0;
    for (int n = 0; n < 50000; ++n) {
        const double x = draw(n);
        const Extended error = ulps(f(x), reference(Extended(x)));
        if (!(error <= worst)) worst = error, where = x;
    }
    if (!CHECK(worst <= allowed))
        std::fprintf(stderr, "  %s: %.3f ulp at %a, allowed %.2f\n", name, double(worst), where, allowed);
}

// sin(2 pi x), or cos if `quarter` is true. x is first reduced exactly, so that zeros are exact.
Extended sine_of_cycles(Extended x, bool quarter) {
    const Extended half_turns = std::nearbyint(2 * x), r = x - half_turns / 2;
    const Extended y = std::sin(2 * pi * (quarter ? 0.25L - std::fabs(r) : r));
    return std::fmod(half_turns, Extended(2)) == 0 ? y : -y;
}

double draw_positive(int n) { return n % 2 ? uniform(0.5, 2.0) : std::fabs(log_uniform(-1074.0, 1024.0)); }
double draw_cycles(int n) {
    if (n % 3 == 0) return uniform(-0x1p20, 0x1p20);
    return n % 3 == 1 ? uniform(-0.5, 0.5) : double(n % 9) / 4.0 + log_uniform(-50.0, -2.0);
}
double draw_radians(int n) {
    if (n % 3 == 0) return uniform(-0x1p20, 0x1p20);
    return n % 3 == 1 ? uniform(-4.0, 4.0) : double(n % 1000) * double(pi) / 2 + log_uniform(-50.0, 0.0);
}
double draw_tanpi(int n) {
    return n % 2 ? uniform(0.0, 0.5) : n % 4 ? vexp2(uniform(-900.0, -1.0)) : 0.5 - vexp2(uniform(-50.0, -2.0));
}
double draw_small(int n) { return n % 2 ? uniform(-1.0, 1.0) : log_uniform(-60.0, 0.0); }
double draw_tanh(int n) { return n % 3 ? 2.0 * draw_small(n) : uniform(0.0, 20.0); }
double draw_exp(int n) { return n % 3 ? draw_small(n) : uniform(-745.0, 709.7); }
double draw_exp2(int n) { return n % 3 ? draw_small(n) : uniform(-1074.0, 1023.9); }

uint64_t phase_of(double half_cycles) {
    return static_cast<uint64_t>(static_cast<int64_t>(half_cycles * 0x1p52)) << 11;
}
double draw_phase(int n) { return std::floor(draw_small(n) * 0x1p52) * 0x1p-52; }

void test_accuracy() {
    if constexpr (LDBL_MANT_DIG < 64) return;
    accuracy("exp", 1.1, draw_exp, FN(vexp), FN(std::exp));
    accuracy("exp2", 1.2, draw_exp2, FN(vexp2), FN(std::exp2));
    accuracy("log", 0.9, draw_positive, FN(vlog), FN(std::log));
    accuracy("log2", 1.9, draw_positive, FN(vlog2), FN(std::log2));
    accuracy("sin2pi", 1.9, draw_cycles, FN(vsin2pi), [](Extended x) { return sine_of_cycles(x, false); });
    accuracy(
        "sin_of_phase", 1.9, draw_phase, [](double x) { return vsin_of_phase(phase_of(x)); },
        [](Extended x) { return sine_of_cycles(x / 2, false); });
    accuracy("cos2pi", 1.9, draw_cycles, FN(vcos2pi), [](Extended x) { return sine_of_cycles(x, true); });
    accuracy("tanpi", 2.0, draw_tanpi, FN(vtanpi),
             [](Extended x) { return x <= 0.25L ? std::tan(pi * x) : 1 / std::tan(pi * (0.5L - x)); });
    accuracy("tanh", 1.9, draw_tanh, FN(vtanh), FN(std::tanh));
    accuracy("sin", 1.9, draw_radians, FN(vsin), FN(std::sin));
    accuracy("cos", 1.9, draw_radians, FN(vcos), FN(std::cos));
    for (double b : {0.5, -1.25, 3.0, 17.7, -300.0}) {
        const auto draw = [b](int n) { return vexp2(uniform(-1.0, 1.0) * (n % 2 ? 1020.0 : 1.0) / std::fabs(b)); };
        const auto reference = [b](Extended a) { return std::pow(a, Extended(b)); };
        accuracy("pow", 1.5, draw, [b](double a) { return vpow(a, b); }, reference);
    }
}

// The increment minus f 2^64 / fs, in units of 2^-64 cycle, by integer arithmetic.
double phase_error(double f, double fs) {
    int f_exponent = 0, fs_exponent = 0;
    const auto f_integer = __int128(std::ldexp(std::frexp(std::fabs(f), &f_exponent), 53));
    const auto fs_integer = __int128(std::ldexp(std::frexp(fs, &fs_exponent), 53));
    const int shift = 64 + f_exponent - fs_exponent;
    const __int128 numerator = shift > 0 ? f_integer << shift : f_integer,
                   denominator = shift > 0 ? fs_integer : fs_integer << -shift;
    const __int128 quotient = numerator / denominator;
    const double fraction = double(numerator % denominator) / double(denominator);
    const uint64_t step = increment(f, make_phase_scale(fs));
    return double(int64_t((f < 0 ? -step : step) - uint64_t(quotient))) - fraction;
}

void test_phase() {
    for (double fs : {8000.0, 11025.0, 44100.0, 48000.0, 96000.0, 192000.0, 22050.5, 44099.99999}) {
        Values f = {0.0, 440.0, -440.0, 0.4999 * fs, fs / 2, 1.0 / 3.0, 0x1p-20, 1000.0};
        while (f.size() < 16000) f.push_back(f.size() % 2 ? uniform(-fs / 2, fs / 2) : log_uniform(-40.0, 12.0));
        const PhaseScale scale = make_phase_scale(fs);
        same_bits_1(f, [&scale](auto a) { return increment(a, scale); });
        double worst = 0;
        for (double a : f) worst = std::fmax(worst, std::fabs(phase_error(a, fs)));
        CHECK(worst <= 0.501);
        CHECK(worst * 24 * 3600 * 48000 * 0x1p-64 <= 1.2e-10);
        CHECK(increment(fs / 4, scale) == uint64_t(1) << 62 && increment(-fs / 4, scale) == uint64_t(3) << 62);
    }
}

}  // namespace

int main() {
    test_arithmetic();
    test_lanes();
    test_rounding();
    test_functions_same_bits();
    test_special_values();
    test_phase();
    std::printf("hash %016llx\n", static_cast<unsigned long long>(hash));
    test_accuracy();
    const int status = check::finish("test_dsp");
    if (status == 0) std::puts("isa ok");
    return status;
}
