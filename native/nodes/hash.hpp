// Counter-based randomness: hashes of (seed, batch, channel, counter).
#pragma once
#include "dsp/lanes.hpp"

namespace amp::AMP_KNS {

// Finaliser of splitmix64: every bit of the result depends on every bit of x.
template <class U> AMP_INLINE U mix64(U x) {
    x = (x ^ (x >> 30)) * U(0xbf58476d1ce4e5b9u);
    x = (x ^ (x >> 27)) * U(0x94d049bb133111ebu);
    return x ^ (x >> 31);
}

// The start of a random stream for each batch and channel.
template <class U> AMP_INLINE U stream_of(U seed, U batch, uint64_t channel) {
    return mix64(mix64(seed + batch * U(0xd1b54a32d192ed03u)) + U(channel * 0x8cb92ba72f3d8dd7u));
}

// Number n of a stream: the output of splitmix64 after n steps.
template <class U> AMP_INLINE U hash_at(U stream, U n) { return mix64(stream + n * U(0x9e3779b97f4a7c15u)); }

}  // namespace amp::AMP_KNS
