// Elementary functions over T = double | f64x8: the same bits for both, at every ISA level and compiler.
// No branch on data, no table; coefficients from fit.py.
//
// Error below, in ulp, for every argument tried (over 10^6 a function), and the domain tried:
//   vexp      1.1   all x; overflows to inf, underflows gradually to 0
//   vexp2     1.2   likewise
//   vlog      0.9   all x > 0, subnormals included
//   vlog2     1.9   likewise
//   vpow      1.5   a >= 0, every b; overflows and underflows like vexp
//   vsin2pi   1.9   |x| < 2^20 cycles; relative error, next to the zeros too
//   vcos2pi   1.9   likewise
//   vsin_of_phase   1.9   every 64-bit phase that is a multiple of 2^-53 cycle
//   vtanpi    2.0   tan(pi x), 0 <= x < 0.5
//   vtanh     1.9   all x; keeps the sign of zero
//   vsin      1.9   |x| <= 2^20 rad; relative error, next to the zeros too
//   vcos      1.9   likewise
// NaN in, NaN out.
#pragma once
#include "dsp/lanes.hpp"

namespace amp::AMP_KNS {

namespace detail {

// Polynomial with coefficients from the lowest degree up, evaluated as c0 + x q(x), so that only the last sum rounds at
// the size of the result. q is evaluated in pairs a + b x and by Horner's rule in x^2, which halves the dependency
// chain.
template <class T> AMP_INLINE T pairs(T, T, double a) { return a; }
template <class T> AMP_INLINE T pairs(T x, T, double a, double b) { return a + b * x; }
template <class T, class... C> AMP_INLINE T pairs(T x, T square, double a, double b, C... higher) {
    return (a + b * x) + square * pairs(x, square, higher...);
}
template <class T, class... C> AMP_INLINE T poly(T x, double lowest, C... higher) {
    return lowest + x * pairs(x, x * x, higher...);
}

// p * 2^k for the k in the low bits of `rounded` = k + round_magic, -2046 <= k <= 2047. It multiplies by two factors,
// so that only the second product can round: overflow to inf and gradual underflow are correct.
template <class T> AMP_INLINE T scale(T p, T rounded) {
    const u64_of<T> biased = bits(rounded) - (round_magic_bits - 2046);
    const u64_of<T> half = biased >> 1;
    return p * from_bits(half << 52) * from_bits((biased - half) << 52);
}

// x = k ln2 + high - low with |high - low| <= ln2 / 2 and high exact; rounded = k + round_magic.
template <class T> struct ExpSplit {
    T rounded, high, low;
};
template <class T> AMP_INLINE ExpSplit<T> split_exp(T x) {
    const T rounded = x * 0x1.71547652b82fep+0 + round_magic;
    const T k = rounded - round_magic;
    return {rounded, x - k * 0x1.62e42fefa2000p-1, k * 0x1.9ef35793c7673p-41};
}

// exp(r) - 1 - r for |r| <= ln2 / 2.
template <class T> AMP_INLINE T exp_tail(T r) {
    return r * r *
           poly(r, 0x1.0000000000001p-1, 0x1.5555555555556p-3, 0x1.5555555553d63p-5, 0x1.11111111109b3p-7,
                0x1.6c16c1788bd90p-10, 0x1.a01a01a7c41d5p-13, 0x1.a019b90d2ae7ap-16, 0x1.71de0dae63bb3p-19,
                0x1.289185613a3d6p-22, 0x1.af38a9b0ec855p-26);
}

// 2^r - 1 for |r| <= 1/2.
template <class T> AMP_INLINE T exp2m1_small(T r) {
    return r * poly(r, 0x1.62e42fefa39efp-1, 0x1.ebfbdff82c598p-3, 0x1.c6b08d704a0c2p-5, 0x1.3b2ab6fba1dd8p-7,
                    0x1.5d87fe78a5275p-10, 0x1.43091309705fdp-13, 0x1.ffcbfc670e3f6p-17, 0x1.62bfd475db30ep-20,
                    0x1.b524fae4cb89bp-24, 0x1.e60642a220885p-28, 0x1.e9d400f144ca3p-32);
}

// x = m 2^k with sqrt(1/2) <= m < sqrt(2) to 2^-21, for 0 < x < inf.
template <class T> struct LogSplit {
    T m, k;
};
template <class T> AMP_INLINE LogSplit<T> split_log(T x) {
    const mask_of<T> subnormal = x < 0x1p-1022;
    const u64_of<T> u = bits(select(subnormal, x * 0x1p54, x)) + (0x3ff0000000000000u - 0x3fe6a09e00000000u);
    const T bias = select(subnormal, T(1023.0 + 54.0), T(1023.0));
    return {from_bits((u & 0x000fffffffffffffu) + 0x3fe6a09e00000000u), small_to_f64(u >> 52) - bias};
}

// log(1 + f) = f - (half_square - rest).
template <class T> struct LogTerms {
    T half_square, rest;
};
template <class T> AMP_INLINE LogTerms<T> log_terms(T f) {
    const T s = f / (f + 2.0);
    const T z = s * s;
    const T tail = z * poly(z, 0x1.5555555555558p-1, 0x1.99999999952bfp-2, 0x1.2492492df5266p-2, 0x1.c71c62e0922bcp-3,
                            0x1.7462b61242bb4p-3, 0x1.39fe31c77715cp-3, 0x1.2b5a8aca255fdp-3);
    const T half_square = 0.5 * f * f;
    return {half_square, s * (half_square + tail)};
}

// Sets the values of a logarithm for arguments outside 0 < x < inf.
template <class T> AMP_INLINE T log_special(T x, T y) {
    y = select(x == __builtin_inf(), x, y);
    y = select(x == 0.0, T(-__builtin_inf()), y);
    return select(x >= 0.0, y, T(__builtin_nan("")));
}

// log2(a) = high + low to about 2^-67, high of 26 bits, for 0 < a < inf.
// Method of the pow of fdlibm (Sun Microsystems, 1993) on a wider interval and without its table.
template <class T> struct Pair {
    T high, low;
};
template <class T> AMP_INLINE Pair<T> log2_pair(T a) {
    const LogSplit<T> split = split_log(a);
    const T f = split.m - 1.0, d = split.m + 1.0, inverse = 1.0 / d;
    const T s = f * inverse;
    const T s_high = upper26(s), d_high = upper26(d), d_low = split.m - (d_high - 1.0);
    const T s_low = inverse * ((f - s_high * d_high) - s_high * d_low);
    const T z = s * s, z_high = s_high * s_high;
    // 3 + s^2 + rest = 3 atanh(s) / s
    const T rest = s_low * (s_high + s) + z * z *
                                              poly(z, 0x1.3333333333333p-1, 0x1.b6db6db6db7b3p-2, 0x1.555555552fec2p-2,
                                                   0x1.1745d19bfbb4ap-2, 0x1.d89d60b1ce9fap-3, 0x1.99a52dd2eea54p-3,
                                                   0x1.679d618d45e2dp-3, 0x1.6824ff6ddfa7dp-3);
    const T t_high = upper26(z_high + 3.0 + rest), t_low = rest - ((t_high - 3.0) - z_high);
    const T u = s_high * t_high, v = s_low * t_high + t_low * s;
    const T p_high = upper26(u + v), p_low = v - (p_high - u);
    const T q_high = p_high * 0x1.ec709d8000000p-1;  // times 2 / (3 ln2)
    const T q_low = p_high * 0x1.0e80ff5d27f05p-27 + p_low * 0x1.ec709dc3a03fdp-1;
    const T high = upper26((q_high + q_low) + split.k);
    return {high, q_low - ((high - split.k) - q_high)};
}

// sin(y) for |y| <= pi / 2.
template <class T> AMP_INLINE T sin_small(T y) {
    const T z = y * y;
    const T q = poly(z, 0x1.1111111111107p-7, -0x1.a01a01a018aadp-13, 0x1.71de3a5456716p-19, -0x1.ae6455a1d7087p-26,
                     0x1.6124015b5ee3ap-33, -0x1.ae5138c1216b3p-41, 0x1.89a4866f527ebp-49);
    const T cube = y * z;
    // 1/6 = 1/24 + 1/8; the product with 1/8 is exact
    return y + (cube * (z * q - 0x1.5555555555555p-5) - cube * 0.125);
}

// y with its sign flipped where the integer in the low bits of `rounded` is odd.
template <class T> AMP_INLINE T flip_if_odd(T y, T rounded) { return from_bits(bits(y) ^ (bits(rounded) << 63)); }

// x - k pi; pi is split in parts of 33, 33 and 53 bits. The first two products are exact for |k| < 2^19, and the
// rounding error of the second difference is added to the third.
template <class T> AMP_INLINE T minus_pi(T x, T k) {
    const T first = x - k * 0x1.921fb54400000p+1, second = k * 0x1.0b4611a600000p-33;
    const T r = first - second;
    return r - (k * 0x1.3198a2e037073p-68 - ((first - r) - second));
}

constexpr double pi = 0x1.921fb54442d18p+1;
constexpr double two_pi = 0x1.921fb54442d18p+2;
constexpr double inverse_pi = 0x1.45f306dc9c883p-2;
constexpr double log2_of_e = 0x1.71547652b82fep+0;
constexpr double ln2 = 0x1.62e42fefa39efp-1;

}  // namespace detail

// e^x.
template <class T> AMP_INLINE T vexp(T x) {
    const auto split = detail::split_exp(vmax(vmin(x, T(710.0)), T(-746.0)));
    const T r = split.high - split.low;
    return detail::scale(1.0 + (r + detail::exp_tail(r)), split.rounded);
}

// 2^x.
template <class T> AMP_INLINE T vexp2(T x) {
    x = vmax(vmin(x, T(1025.0)), T(-1076.0));
    const T rounded = x + round_magic;
    return detail::scale(1.0 + detail::exp2m1_small(x - (rounded - round_magic)), rounded);
}

// Natural logarithm: log(0) = -inf, NaN below.
template <class T> AMP_INLINE T vlog(T x) {
    const auto split = detail::split_log(x);
    const T f = split.m - 1.0;
    const auto terms = detail::log_terms(f);
    const T low = terms.half_square - (terms.rest + split.k * 0x1.9ef35793c7673p-41);
    return detail::log_special(x, split.k * 0x1.62e42fefa2000p-1 - (low - f));
}

// Logarithm of base 2, exact for powers of 2: log2(0) = -inf, NaN below.
template <class T> AMP_INLINE T vlog2(T x) {
    const auto split = detail::split_log(x);
    const T f = split.m - 1.0;
    const auto terms = detail::log_terms(f);
    return detail::log_special(x, split.k + (f - (terms.half_square - terms.rest)) * detail::log2_of_e);
}

// a^b for a >= 0; NaN below. 0^b and inf^b are 0, 1 or inf; 1^b = 1 for every b but NaN.
template <class T> AMP_INLINE T vpow(T a, T b) {
    b = vmax(vmin(b, T(0x1p65)), T(-0x1p65));  // outside these limits the result is already 0, 1 or inf
    const auto log = detail::log2_pair(a);
    const T b_high = upper26(b);
    const T high = b_high * log.high, low = (b - b_high) * log.high + b * log.low;
    const T sum = high + low;
    const T x = vmax(vmin(sum, T(1025.0)), T(-1076.0));
    const T x_low = select(x == sum, ((high - sum) + low) * detail::ln2, T(0.0));
    const T rounded = x + round_magic;
    const T p = detail::exp2m1_small(x - (rounded - round_magic));
    T y = detail::scale(1.0 + (p + (x_low + x_low * p)), rounded);
    y = select(a == __builtin_inf(), select(b < 0.0, T(0.0), a), y);
    y = select(a == 0.0, select(b < 0.0, T(__builtin_inf()), T(0.0)), y);
    y = select((b == 0.0) & ((a == 0.0) | (a == __builtin_inf())), T(1.0), y);
    return select((a >= 0.0) & (b == b), y, T(__builtin_nan("")));
}

// sin(2 pi x), x in cycles. The range reduction is exact.
template <class T> AMP_INLINE T vsin2pi(T x) {
    const T rounded = x * 2.0 + round_magic;
    const T r = x - (rounded - round_magic) * 0.5;
    return detail::flip_if_odd(detail::sin_small(r * detail::two_pi), rounded);
}

// sin(2 pi p) of a 64-bit phase p. The distance to the nearest half cycle is taken from the bits of p, to 2^-53 cycles.
template <class U> AMP_INLINE auto vsin_of_phase(U phase) {
    constexpr uint64_t half = uint64_t{1} << 63, quarter = uint64_t{1} << 62;
    const auto r = from_bits(((phase >> 11) & 0x000fffffffffffffu) ^ 0x3ff8000000000000u) - 1.5;  // in half cycles
    return from_bits(bits(detail::sin_small(r * detail::pi)) ^ ((phase + quarter) & half));
}

// cos(2 pi x), x in cycles: the sine of (a quarter cycle - |x|).
template <class T> AMP_INLINE T vcos2pi(T x) {
    const T rounded = x * 2.0 + round_magic;
    const T r = 0.25 - vabs(x - (rounded - round_magic) * 0.5);
    return detail::flip_if_odd(detail::sin_small(r * detail::two_pi), rounded);
}

// tan(pi x) = n / d for 0 <= x < 0.5: a rational function for x <= 1/4, the inverse of that of 1/2 - x above. For x > 0
// both are positive and at most 0.32, and they are never small at the same time.
template <class T> struct Ratio {
    T n, d;
};
namespace detail {
template <class T> AMP_INLINE Ratio<T> tanpi_below(T s) {  // 0 <= s <= 1/4
    const T z = s * s;
    const T d_rest =
        z * detail::poly(z, -0x1.7340dc2ea5b35p+0, 0x1.7298bb5b884a8p-1, -0x1.0542132274cbcp-4) - 0x1.c5af6e5003c44p-56;
    const T d = d_rest + detail::inverse_pi;
    const T d_error = (detail::inverse_pi - d) + d_rest;  // added to n, as n (1 - d_error / d) with 1 / d near 3.7
    const T n_rest = z * detail::poly(z, -0x1.441edead265bcp+0, 0x1.17de8492eccb4p-2, -0x1.d76f4b361452cp-8);
    const T n = s + s * (n_rest - d_error * 3.7);
    return {n, d};
}
}  // namespace detail
template <class T> AMP_INLINE Ratio<T> vtanpi_ratio(T x) {
    const mask_of<T> below = x <= 0.25;
    if (__builtin_expect(all(below), 1)) return detail::tanpi_below(x);
    const Ratio<T> r = detail::tanpi_below(select(below, x, 0.5 - x));
    return {select(below, r.n, r.d), select(below, r.d, r.n)};
}
template <class T> AMP_INLINE T vtanpi(T x) {
    const auto tan = vtanpi_ratio(x);
    return tan.n / tan.d;
}

// Hyperbolic tangent, as e / (e + 2) with e = exp(2 |x|) - 1 = (2^k - 1) + 2^k (exp(r) - 1).
template <class T> AMP_INLINE T vtanh(T x) {
    const auto split = detail::split_exp(vmin(vabs(x), T(20.0)) * 2.0);
    const T power = from_bits((bits(split.rounded) - (round_magic_bits - 1023)) << 52);
    const T lead = (power - 1.0) + power * split.high;
    const T rest = power * (detail::exp_tail(split.high - split.low) - split.low);
    const T e = lead + rest, d = e + 2.0;
    // The rounding error of d is added to the numerator, as e (1 - d_error / d); an accuracy of 12 % of 1 / d is
    // enough.
    const T d_error = select(d < 0x1p53, (2.0 - d) + e, T(0.0));  // exact below 2^53; irrelevant above
    const T near_inverse = from_bits(0x7fde623800000000u - bits(d));
    const T n = lead + (rest - e * (d_error * near_inverse));
    return from_bits(bits(n / d) | (bits(x) & 0x8000000000000000u));
}

// sin(x), x in radians.
template <class T> AMP_INLINE T vsin(T x) {
    const T rounded = x * detail::inverse_pi + round_magic;
    return detail::flip_if_odd(detail::sin_small(detail::minus_pi(x, rounded - round_magic)), rounded);
}

// cos(x), x in radians: the sine of x - (k + 1/2) pi for an integer k.
template <class T> AMP_INLINE T vcos(T x) {
    const T rounded = (x * detail::inverse_pi - 0.5) + round_magic;
    const T r = detail::minus_pi(x, (rounded - round_magic) + 0.5);
    return detail::flip_if_odd(-detail::sin_small(r), rounded);
}

}  // namespace amp::AMP_KNS
