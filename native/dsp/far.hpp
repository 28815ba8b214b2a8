// Stores that bypass the caches, for arrays larger than them: a whole cache line is written without being read first.
#pragma once
#include "dsp/lanes.hpp"

namespace amp::AMP_KNS {

// Stores all eight lanes; p is a multiple of 64 bytes.
AMP_INLINE void store_far(double* p, const f64x8& a) {
#if AMP_LANES_NATIVE == 8
    _mm512_stream_pd(p, a.v[0]);
#elif AMP_LANES_NATIVE == 4
    for (int i = 0; i < 2; ++i) _mm256_stream_pd(p + 4 * i, a.v[i]);
#elif AMP_LANES_NATIVE == 2
    for (int i = 0; i < 4; ++i) _mm_stream_pd(p + 2 * i, a.v[i]);
#else
    store(p, a);
#endif
}

// Must be called after the last such store and before another thread reads.
inline void end_of_far_stores() {
#if AMP_LANES_NATIVE > 1
    _mm_sfence();
#endif
}

}  // namespace amp::AMP_KNS
