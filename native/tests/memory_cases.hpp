// What the tests of memory share: runtimes and streams of many graphs, and how many allocations a call makes.
#pragma once
#include "refusing_allocator.hpp"
#include "rig.hpp"

namespace {

template <class F> long allocations_of(F&& f) {
    const long before = allocations;
    f();
    return allocations - before;
}

struct Case {
    blob::Graph graph;
    uint32_t batches, block, flags;
};

inline bool has_curves(const blob::Graph& g) { return g.nodes[0].type == "controller"; }

}  // namespace
