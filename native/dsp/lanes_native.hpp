// One native register: vectors VD (double), VU (uint64_t) and mask VM, their width, and the operations that the
// compilers' vector extensions lack. 8 values on AVX-512, 4 on AVX2, 2 on SSE2, plain double elsewhere. Only lanes.hpp
// includes this file.
#pragma once
#include <cstdint>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#ifndef AMP_KNS
#define AMP_KNS k_base
#endif

#if defined(AMP_LANES_NATIVE)  // a narrower width was requested; tests do so
#elif defined(__AVX512F__) && defined(__AVX512DQ__)
#define AMP_LANES_NATIVE 8
#elif defined(__AVX2__)
#define AMP_LANES_NATIVE 4
#elif defined(__x86_64__)
#define AMP_LANES_NATIVE 2
#else
#define AMP_LANES_NATIVE 1
#endif

// clang-format off
// AMP_EACH(statement in i) repeats the statement for every part with i a constant, so that no loop is left to unroll.
#define AMP_AT(k, ...) { constexpr int i = k; __VA_ARGS__; }
#if AMP_LANES_NATIVE == 8
#define AMP_EACH(...) AMP_AT(0, __VA_ARGS__)
#elif AMP_LANES_NATIVE == 4
#define AMP_EACH(...) AMP_AT(0, __VA_ARGS__) AMP_AT(1, __VA_ARGS__)
#elif AMP_LANES_NATIVE == 2
#define AMP_EACH(...) AMP_AT(0, __VA_ARGS__) AMP_AT(1, __VA_ARGS__) AMP_AT(2, __VA_ARGS__) AMP_AT(3, __VA_ARGS__)
#else
#define AMP_EACH(...)                                                                             \
    AMP_AT(0, __VA_ARGS__) AMP_AT(1, __VA_ARGS__) AMP_AT(2, __VA_ARGS__) AMP_AT(3, __VA_ARGS__)     \
    AMP_AT(4, __VA_ARGS__) AMP_AT(5, __VA_ARGS__) AMP_AT(6, __VA_ARGS__) AMP_AT(7, __VA_ARGS__)
#endif

#define AMP_NATIVE inline __attribute__((always_inline))

namespace amp::AMP_KNS::native {

constexpr int width = AMP_LANES_NATIVE;
constexpr int parts = 8 / width;

#if AMP_LANES_NATIVE == 1
using VD = double;
using VU = uint64_t;
using VM = bool;
AMP_NATIVE VD splat(double x) { return x; }
AMP_NATIVE VU splat(uint64_t x) { return x; }
#else
typedef double VD __attribute__((vector_size(8 * width)));
typedef uint64_t VU __attribute__((vector_size(8 * width)));
#endif

#if AMP_LANES_NATIVE == 8
using VM = __mmask8;
AMP_NATIVE __m512i raw(VU a) { return __builtin_bit_cast(__m512i, a); }
AMP_NATIVE VD splat(double x) { return _mm512_set1_pd(x); }
AMP_NATIVE VU splat(uint64_t x) { return __builtin_bit_cast(VU, _mm512_set1_epi64(int64_t(x))); }
AMP_NATIVE VM splat_mask(bool b) { return b ? 0xff : 0; }
AMP_NATIVE VM flip(VM m) { return VM(~m); }
AMP_NATIVE int lane_bits(VM m) { return m; }
AMP_NATIVE VM lt(VD a, VD b) { return _mm512_cmp_pd_mask(a, b, _CMP_LT_OQ); }
AMP_NATIVE VM le(VD a, VD b) { return _mm512_cmp_pd_mask(a, b, _CMP_LE_OQ); }
AMP_NATIVE VM eq(VD a, VD b) { return _mm512_cmp_pd_mask(a, b, _CMP_EQ_OQ); }
AMP_NATIVE VM le_too(VM m, VD a, VD b) { return _mm512_mask_cmp_pd_mask(m, a, b, _CMP_LE_OQ); }
AMP_NATIVE VM lt(VU a, VU b) { return _mm512_cmplt_epu64_mask(raw(a), raw(b)); }
AMP_NATIVE VM le(VU a, VU b) { return _mm512_cmple_epu64_mask(raw(a), raw(b)); }
AMP_NATIVE VM eq(VU a, VU b) { return _mm512_cmpeq_epi64_mask(raw(a), raw(b)); }
AMP_NATIVE VD pick(VM m, VD a, VD b) { return _mm512_mask_blend_pd(m, b, a); }
AMP_NATIVE VU pick(VM m, VU a, VU b) { return __builtin_bit_cast(VU, _mm512_mask_blend_epi64(m, raw(b), raw(a))); }
// The maskz forms with all lanes on: gcc 12 warns of an uninitialised value in the plain ones.
AMP_NATIVE VD min(VD a, VD b) { return _mm512_maskz_min_pd(0xff, b, a); }
AMP_NATIVE VD max(VD a, VD b) { return _mm512_maskz_max_pd(0xff, b, a); }
AMP_NATIVE VD sqrt(VD a) { return _mm512_maskz_sqrt_pd(0xff, a); }
AMP_NATIVE VD least(VD a, VD b) { return _mm512_maskz_range_pd(0xff, a, b, 0xa); }
AMP_NATIVE VU magnitude(VU a) { return __builtin_bit_cast(VU, _mm512_maskz_abs_epi64(0xff, raw(a))); }
AMP_NATIVE VD load_halves(const double* low, const double* high) {
    return _mm512_maskz_insertf64x4(0xff, _mm512_castpd256_pd512(_mm256_loadu_pd(low)), _mm256_loadu_pd(high), 1);
}

#elif AMP_LANES_NATIVE == 1
AMP_NATIVE VM splat_mask(bool b) { return b; }
AMP_NATIVE VM flip(VM m) { return !m; }
AMP_NATIVE int lane_bits(VM m) { return m; }
AMP_NATIVE VM lt(VD a, VD b) { return a < b; }
AMP_NATIVE VM le(VD a, VD b) { return a <= b; }
AMP_NATIVE VM eq(VD a, VD b) { return a == b; }
AMP_NATIVE VM lt(VU a, VU b) { return a < b; }
AMP_NATIVE VM le(VU a, VU b) { return a <= b; }
AMP_NATIVE VM eq(VU a, VU b) { return a == b; }
AMP_NATIVE VD pick(VM m, VD a, VD b) { return m ? a : b; }
AMP_NATIVE VU pick(VM m, VU a, VU b) { return m ? a : b; }
AMP_NATIVE VD min(VD a, VD b) { return b < a ? b : a; }
AMP_NATIVE VD max(VD a, VD b) { return a < b ? b : a; }
AMP_NATIVE VD sqrt(VD a) { return __builtin_sqrt(a); }

#else  // AVX2 or SSE2: all bits of a true lane are 1
typedef int64_t VM __attribute__((vector_size(8 * width)));
AMP_NATIVE VM splat_mask(bool b) { return VM{} - int64_t(b); }
AMP_NATIVE VM flip(VM m) { return ~m; }
AMP_NATIVE VM lt(VD a, VD b) { return a < b; }
AMP_NATIVE VM le(VD a, VD b) { return a <= b; }
AMP_NATIVE VM eq(VD a, VD b) { return a == b; }
AMP_NATIVE VM lt(VU a, VU b) { return a < b; }
AMP_NATIVE VM le(VU a, VU b) { return a <= b; }
AMP_NATIVE VM eq(VU a, VU b) { return a == b; }
#if AMP_LANES_NATIVE == 4
AMP_NATIVE VD splat(double x) { return _mm256_set1_pd(x); }
AMP_NATIVE VU splat(uint64_t x) { return VU{x, x, x, x}; }
AMP_NATIVE int lane_bits(VM m) { return _mm256_movemask_pd(__builtin_bit_cast(VD, m)); }
AMP_NATIVE VD pick(VM m, VD a, VD b) { return _mm256_blendv_pd(b, a, __builtin_bit_cast(VD, m)); }
AMP_NATIVE VD min(VD a, VD b) { return _mm256_min_pd(b, a); }
AMP_NATIVE VD max(VD a, VD b) { return _mm256_max_pd(b, a); }
AMP_NATIVE VD sqrt(VD a) { return _mm256_sqrt_pd(a); }
#else
AMP_NATIVE VD splat(double x) { return _mm_set1_pd(x); }
AMP_NATIVE VU splat(uint64_t x) { return VU{x, x}; }
AMP_NATIVE int lane_bits(VM m) { return _mm_movemask_pd(__builtin_bit_cast(VD, m)); }
AMP_NATIVE VD pick(VM m, VD a, VD b) {
#if defined(__SSE4_1__)
    return _mm_blendv_pd(b, a, __builtin_bit_cast(VD, m));
#else
    const VM x = __builtin_bit_cast(VM, a), y = __builtin_bit_cast(VM, b);
    return __builtin_bit_cast(VD, (m & x) | (~m & y));
#endif
}
AMP_NATIVE VD min(VD a, VD b) { return _mm_min_pd(b, a); }
AMP_NATIVE VD max(VD a, VD b) { return _mm_max_pd(b, a); }
AMP_NATIVE VD sqrt(VD a) { return _mm_sqrt_pd(a); }
#endif
AMP_NATIVE VU pick(VM m, VU a, VU b) {
    return __builtin_bit_cast(VU, pick(m, __builtin_bit_cast(VD, a), __builtin_bit_cast(VD, b)));
}
#endif

#if AMP_LANES_NATIVE != 8
AMP_NATIVE VM le_too(VM m, VD a, VD b) { return m & le(a, b); }
AMP_NATIVE VU magnitude(VU a) {
    const VU sign = VU{} - (a >> 63);
    return (a ^ sign) - sign;
}
AMP_NATIVE VD least(VD a, VD b) {
    constexpr auto absolute = [](VD x) {
        return __builtin_bit_cast(VD, __builtin_bit_cast(VU, x) & 0x7fffffffffffffffu);
    };
    return min(absolute(a), absolute(b));
}
#endif

// clang-format on

// One stage of a transpose: a receives the even S-blocks of both rows, b the odd ones. Width 1 has no such stage.
template <int S> AMP_NATIVE void zip(VD& a, VD& b);
#if AMP_LANES_NATIVE == 8
#define AMP_ZIP(f) __builtin_shufflevector(a, b, f(0), f(1), f(2), f(3), f(4), f(5), f(6), f(7))
#elif AMP_LANES_NATIVE == 4
#define AMP_ZIP(f) __builtin_shufflevector(a, b, f(0), f(1), f(2), f(3))
#elif AMP_LANES_NATIVE == 2
#define AMP_ZIP(f) __builtin_shufflevector(a, b, f(0), f(1))
#endif
#ifdef AMP_ZIP
template <int S> AMP_NATIVE void zip(VD& a, VD& b) {
    constexpr auto even = [](int k) { return k & S ? width + (k ^ S) : k; };
    constexpr auto odd = [](int k) { return k & S ? width + k : k ^ S; };
    const VD t = AMP_ZIP(even);
    b = AMP_ZIP(odd);
    a = t;
}
#undef AMP_ZIP
#endif

}  // namespace amp::AMP_KNS::native
