// Eight lanes of float64 and of uint64, and the same functions for plain double and uint64_t: a kernel is written once
// as a template over T = double | f64x8 and gives the same bits for both, at every ISA level.
//
// Only IEEE + - * / sqrt, integer operations, compares and selects are used. The default rounding mode (nearest, ties
// to even) is required. Sign and payload of a NaN may differ.
//
// The header is compiled once per ISA level; AMP_KNS is that level's namespace, so the levels share no symbols.
#pragma once
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "dsp/lanes_native.hpp"

#ifdef __clang__
#if __has_warning("-Wbitwise-instead-of-logical")
#pragma clang diagnostic ignored "-Wbitwise-instead-of-logical"  // masks, and bool, are combined by & and |
#endif
#endif

#define AMP_INLINE inline __attribute__((always_inline))

namespace amp::AMP_KNS {

// clang-format off
// The truth value of each lane, in the form of the native comparison.
struct m8 {
    native::VM v[native::parts];
    m8() = default;
    AMP_INLINE m8(bool b) { AMP_EACH(v[i] = native::splat_mask(b)); }
    friend AMP_INLINE m8 operator&(m8 a, m8 b) { AMP_EACH(a.v[i] &= b.v[i]); return a; }
    friend AMP_INLINE m8 operator|(m8 a, m8 b) { AMP_EACH(a.v[i] |= b.v[i]); return a; }
    friend AMP_INLINE m8 operator^(m8 a, m8 b) { AMP_EACH(a.v[i] ^= b.v[i]); return a; }
    friend AMP_INLINE m8 operator!(m8 a) { AMP_EACH(a.v[i] = native::flip(a.v[i])); return a; }
};

// Eight uint64, arithmetic modulo 2^64. Shift counts are below 64.
struct u64x8 {
    native::VU v[native::parts];
    u64x8() = default;
    AMP_INLINE u64x8(uint64_t x) { AMP_EACH(v[i] = native::splat(x)); }
    friend AMP_INLINE u64x8 operator+(u64x8 a, u64x8 b) { AMP_EACH(a.v[i] += b.v[i]); return a; }
    friend AMP_INLINE u64x8 operator-(u64x8 a, u64x8 b) { AMP_EACH(a.v[i] -= b.v[i]); return a; }
    friend AMP_INLINE u64x8 operator*(u64x8 a, u64x8 b) { AMP_EACH(a.v[i] *= b.v[i]); return a; }
    friend AMP_INLINE u64x8 operator&(u64x8 a, u64x8 b) { AMP_EACH(a.v[i] &= b.v[i]); return a; }
    friend AMP_INLINE u64x8 operator|(u64x8 a, u64x8 b) { AMP_EACH(a.v[i] |= b.v[i]); return a; }
    friend AMP_INLINE u64x8 operator^(u64x8 a, u64x8 b) { AMP_EACH(a.v[i] ^= b.v[i]); return a; }
    friend AMP_INLINE u64x8 operator~(u64x8 a) { AMP_EACH(a.v[i] = ~a.v[i]); return a; }
    friend AMP_INLINE u64x8 operator<<(u64x8 a, int n) { AMP_EACH(a.v[i] = a.v[i] << n); return a; }
    friend AMP_INLINE u64x8 operator>>(u64x8 a, int n) { AMP_EACH(a.v[i] = a.v[i] >> n); return a; }
    friend AMP_INLINE m8 operator==(u64x8 a, u64x8 b) { m8 r; AMP_EACH(r.v[i] = native::eq(a.v[i], b.v[i])); return r; }
    friend AMP_INLINE m8 operator<(u64x8 a, u64x8 b) { m8 r; AMP_EACH(r.v[i] = native::lt(a.v[i], b.v[i])); return r; }
    friend AMP_INLINE m8 operator<=(u64x8 a, u64x8 b) { m8 r; AMP_EACH(r.v[i] = native::le(a.v[i], b.v[i])); return r; }
    AMP_INLINE u64x8& operator+=(u64x8 b) { return *this = *this + b; }
    AMP_INLINE u64x8& operator-=(u64x8 b) { return *this = *this - b; }
};

// Eight float64.
struct f64x8 {
    native::VD v[native::parts];
    f64x8() = default;
    AMP_INLINE f64x8(double x) { AMP_EACH(v[i] = native::splat(x)); }
    friend AMP_INLINE f64x8 operator+(f64x8 a, f64x8 b) { AMP_EACH(a.v[i] += b.v[i]); return a; }
    friend AMP_INLINE f64x8 operator-(f64x8 a, f64x8 b) { AMP_EACH(a.v[i] -= b.v[i]); return a; }
    friend AMP_INLINE f64x8 operator*(f64x8 a, f64x8 b) { AMP_EACH(a.v[i] *= b.v[i]); return a; }
    friend AMP_INLINE f64x8 operator/(f64x8 a, f64x8 b) { AMP_EACH(a.v[i] /= b.v[i]); return a; }
    friend AMP_INLINE f64x8 operator-(f64x8 a) { AMP_EACH(a.v[i] = -a.v[i]); return a; }
    friend AMP_INLINE m8 operator<(f64x8 a, f64x8 b) { m8 r; AMP_EACH(r.v[i] = native::lt(a.v[i], b.v[i])); return r; }
    friend AMP_INLINE m8 operator<=(f64x8 a, f64x8 b) { m8 r; AMP_EACH(r.v[i] = native::le(a.v[i], b.v[i])); return r; }
    friend AMP_INLINE m8 operator==(f64x8 a, f64x8 b) { m8 r; AMP_EACH(r.v[i] = native::eq(a.v[i], b.v[i])); return r; }
    friend AMP_INLINE m8 operator>(f64x8 a, f64x8 b) { return b < a; }
    friend AMP_INLINE m8 operator>=(f64x8 a, f64x8 b) { return b <= a; }
    AMP_INLINE f64x8& operator+=(f64x8 b) { return *this = *this + b; }
    AMP_INLINE f64x8& operator-=(f64x8 b) { return *this = *this - b; }
    AMP_INLINE f64x8& operator*=(f64x8 b) { return *this = *this * b; }
    AMP_INLINE f64x8& operator/=(f64x8 b) { return *this = *this / b; }
};

template <class T> struct of;
template <> struct of<double> { using U = uint64_t; using M = bool; static constexpr int width = 1; };
template <> struct of<f64x8> { using U = u64x8; using M = m8; static constexpr int width = 8; };
template <class T> using u64_of = typename of<T>::U;
template <class T> using mask_of = typename of<T>::M;
template <class T> constexpr int width_of = of<T>::width;

AMP_INLINE bool any(bool m) { return m; }
AMP_INLINE bool all(bool m) { return m; }
AMP_INLINE bool any(m8 m) { int n = 0; AMP_EACH(n |= native::lane_bits(m.v[i])); return n != 0; }
AMP_INLINE bool all(m8 m) { return !any(!m); }
// m & (a <= b); a single instruction on some ISA levels.
AMP_INLINE m8 le_too(m8 m, f64x8 a, f64x8 b) { AMP_EACH(m.v[i] = native::le_too(m.v[i], a.v[i], b.v[i])); return m; }

AMP_INLINE double select(bool m, double a, double b) { return m ? a : b; }
AMP_INLINE uint64_t select(bool m, uint64_t a, uint64_t b) { return m ? a : b; }
AMP_INLINE f64x8 select(m8 m, f64x8 a, f64x8 b) { AMP_EACH(a.v[i] = native::pick(m.v[i], a.v[i], b.v[i])); return a; }
AMP_INLINE u64x8 select(m8 m, u64x8 a, u64x8 b) { AMP_EACH(a.v[i] = native::pick(m.v[i], a.v[i], b.v[i])); return a; }

// b < a ? b : a, and a < b ? b : a. If either is NaN the result is a.
AMP_INLINE double vmin(double a, double b) { return b < a ? b : a; }
AMP_INLINE double vmax(double a, double b) { return a < b ? b : a; }
AMP_INLINE f64x8 vmin(f64x8 a, f64x8 b) { AMP_EACH(a.v[i] = native::min(a.v[i], b.v[i])); return a; }
AMP_INLINE f64x8 vmax(f64x8 a, f64x8 b) { AMP_EACH(a.v[i] = native::max(a.v[i], b.v[i])); return a; }

AMP_INLINE double vsqrt(double a) { return __builtin_sqrt(a); }
AMP_INLINE f64x8 vsqrt(f64x8 a) { AMP_EACH(a.v[i] = native::sqrt(a.v[i])); return a; }

AMP_INLINE uint64_t bits(double a) { return __builtin_bit_cast(uint64_t, a); }
AMP_INLINE double from_bits(uint64_t a) { return __builtin_bit_cast(double, a); }
AMP_INLINE u64x8 bits(f64x8 a) { u64x8 r; AMP_EACH(r.v[i] = __builtin_bit_cast(native::VU, a.v[i])); return r; }
AMP_INLINE f64x8 from_bits(u64x8 a) { f64x8 r; AMP_EACH(r.v[i] = __builtin_bit_cast(native::VD, a.v[i])); return r; }

template <class T> AMP_INLINE T vabs(T a) { return from_bits(bits(a) & 0x7fffffffffffffffu); }

// The smaller of |a| and |b|; if one of them is NaN, unspecified which.
AMP_INLINE double least(double a, double b) { return vmin(vabs(a), vabs(b)); }
AMP_INLINE f64x8 least(f64x8 a, f64x8 b) { AMP_EACH(a.v[i] = native::least(a.v[i], b.v[i])); return a; }
template <class T> AMP_INLINE T least(T a) { return vabs(a); }

// The magnitude of a two's complement number.
AMP_INLINE uint64_t magnitude(uint64_t a) { return a >> 63 ? -a : a; }
AMP_INLINE u64x8 magnitude(u64x8 a) { AMP_EACH(a.v[i] = native::magnitude(a.v[i])); return a; }

// The upper 26 bits of a double's significand; products of two such numbers are exact.
template <class T> AMP_INLINE T upper26(T a) { return from_bits(bits(a) & 0xfffffffff8000000u); }

// clang-format on

// Placed inside a loop that stores and sums: keeps gcc from splitting it into two loops that compute everything twice.
AMP_INLINE void one_loop() { asm volatile(""); }

// Adding and then subtracting it rounds |x| < 2^51 to the nearest integer, ties to even.
constexpr double round_magic = 0x1.8p52;
constexpr uint64_t round_magic_bits = 0x4338000000000000u;

// Largest integer <= x, for |x| < 2^51. The floor of -0 is +0.
template <class T> AMP_INLINE T vfloor(T x) {
    const T nearest = (x + round_magic) - round_magic;
    return nearest - select(nearest > x, T(1.0), T(0.0));
}

// x rounded to the nearest integer, ties to even, as two's complement; |x| < 2^62. It rounds x / 2^32 first, so that
// the remainder and both halves are exact; the multiple of 2^32 is even and does not affect ties.
template <class T> AMP_INLINE u64_of<T> split_to_u64(T x) {
    const T high = x * 0x1p-32 + round_magic;
    const T low = (x - (high - round_magic) * 0x1p32) + round_magic;
    return (bits(high) << 32) + (bits(low) - round_magic_bits);
}
AMP_INLINE uint64_t to_u64(double x) {
#if defined(__x86_64__)
    return uint64_t(_mm_cvtsd_si64(_mm_set_sd(x)));
#else
    return split_to_u64(x);
#endif
}
AMP_INLINE u64x8 to_u64(f64x8 x) {
#if AMP_LANES_NATIVE == 8
    u64x8 r;
    r.v[0] = __builtin_bit_cast(native::VU, _mm512_maskz_cvtpd_epi64(0xff, x.v[0]));
    return r;
#else
    return split_to_u64(x);
#endif
}

// Exact for a < 2^52.
AMP_INLINE double small_to_f64(uint64_t a) { return from_bits(a | 0x4330000000000000u) - 0x1p52; }
AMP_INLINE f64x8 small_to_f64(u64x8 a) { return from_bits(a | 0x4330000000000000u) - 0x1p52; }

// The upper 52 bits of a phase as a fraction of a cycle in [0, 1), exact.
AMP_INLINE double unit52(uint64_t phase) { return from_bits((phase >> 12) | 0x3ff0000000000000u) - 1.0; }
AMP_INLINE f64x8 unit52(u64x8 phase) { return from_bits((phase >> 12) | 0x3ff0000000000000u) - 1.0; }

// Memory access: 8 consecutive values; p needs no alignment.
AMP_INLINE f64x8 load(const double* p) {
    f64x8 r;
    AMP_EACH(__builtin_memcpy(&r.v[i], p + native::width * i, sizeof r.v[i]));
    return r;
}
AMP_INLINE u64x8 loadu64(const uint64_t* p) {
    u64x8 r;
    AMP_EACH(__builtin_memcpy(&r.v[i], p + native::width * i, sizeof r.v[i]));
    return r;
}
AMP_INLINE void store(double* p, f64x8 a) { AMP_EACH(__builtin_memcpy(p + native::width * i, &a.v[i], sizeof a.v[i])); }
AMP_INLINE void storeu64(uint64_t* p, u64x8 a) {
    AMP_EACH(__builtin_memcpy(p + native::width * i, &a.v[i], sizeof a.v[i]));
}

// One value for double, eight for f64x8; the same for their unsigned integers.
template <class T> AMP_INLINE T load_as(const double* p) {
    if constexpr (width_of<T> == 8)
        return load(p);
    else
        return *p;
}
AMP_INLINE void store_as(double* p, double a) { *p = a; }
AMP_INLINE void store_as(double* p, f64x8 a) { store(p, a); }
template <class T> AMP_INLINE u64_of<T> load_u64_as(const uint64_t* p) {
    if constexpr (width_of<T> == 8)
        return loadu64(p);
    else
        return *p;
}
AMP_INLINE void store_u64_as(uint64_t* p, uint64_t a) { *p = a; }
AMP_INLINE void store_u64_as(uint64_t* p, u64x8 a) { storeu64(p, a); }

AMP_INLINE double lane(f64x8 a, int k) {
    double t[8];
    store(t, a);
    return t[k];
}
AMP_INLINE f64x8 iota() {
    constexpr double t[8] = {0, 1, 2, 3, 4, 5, 6, 7};
    return load(t);
}

namespace detail {
// Exchanges the off-diagonal S x S blocks of rows a and b = row a + S: inside a register for S < its width, by
// exchanging registers above.
template <int S> AMP_INLINE void exchange(f64x8& a, f64x8& b) {
    if constexpr (S < native::width) {
        AMP_EACH(native::zip<S>(a.v[i], b.v[i]));
    } else {
        constexpr int step = S / native::width;
        AMP_EACH(if constexpr ((i & step) == 0) {
            const native::VD t = a.v[i | step];
            a.v[i | step] = b.v[i];
            b.v[i] = t;
        });
    }
}
template <int S> AMP_INLINE void exchange_rows(f64x8* r) {
    constexpr auto row = [](int k) { return ((k & -S) << 1) | (k & (S - 1)); };
    exchange<S>(r[row(0)], r[row(0) + S]);
    exchange<S>(r[row(1)], r[row(1) + S]);
    exchange<S>(r[row(2)], r[row(2) + S]);
    exchange<S>(r[row(3)], r[row(3) + S]);
}
}  // namespace detail

// Transposes in registers: r[k] lane j <-> r[j] lane k.
AMP_INLINE void transpose(f64x8 (&r)[8]) {
    detail::exchange_rows<1>(r);
    detail::exchange_rows<2>(r);
    detail::exchange_rows<4>(r);
}

// Loads transposed rows: r[k] lane j is value k of the row at p + j * stride.
AMP_INLINE void load_transposed(const double* p, int64_t stride, f64x8 (&r)[8]) {
#if AMP_LANES_NATIVE == 8  // loading halves into place saves shuffles
    for (int k = 0; k < 4; ++k) {
        const double *upper = p + k * stride, *lower = upper + 4 * stride;
        r[k].v[0] = native::load_halves(upper, lower);
        r[k + 4].v[0] = native::load_halves(upper + 4, lower + 4);
    }
    detail::exchange_rows<1>(r);
    detail::exchange_rows<2>(r);
#else
    for (int k = 0; k < 8; ++k) r[k] = load(p + k * stride);
    transpose(r);
#endif
}

}  // namespace amp::AMP_KNS
