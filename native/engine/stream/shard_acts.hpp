// Applies a stream's decisions to one shard. The decisions depend on clocks only, not on signal values, so all shards
// do the same.
#pragma once
#include "engine/run/shard.hpp"

namespace amp {

struct Share {
    Shard& s;

    void prepare();                                            // after the shard was built
    void fire(uint32_t node, int64_t frame, uint32_t frames);  // `frame` counts by the node's own clock
    // fires all nodes of a component from one virtual time on
    void loop(const Component&, int64_t time, uint32_t frames);
    // writes pushed samples as an input node's output, instead of firing it
    void take(uint32_t node, int64_t frame, const amp_buffer&);
    // Move tokens [oldest, oldest + count) to the start of a ring: move() within its memory, grow() to a larger memory
    // that replaces it.
    void move(uint32_t ring, int64_t oldest, int64_t count);
    void grow(uint32_t ring, int64_t oldest, int64_t count, int64_t capacity, double* memory);
    double* reserve(uint32_t ring, int64_t capacity);  // allocates memory for grow()
    void give(uint32_t ring, int64_t token, uint32_t frames, const amp_buffer& out, int64_t at) const;
    const std::vector<Port*>& rings() const { return s.windows_; }
    bool follows(uint32_t node, const CurveData& curve) const;

private:
    void point(uint32_t node, int64_t frame);
    int64_t row(const Port& p, int64_t capacity) const { return p.row + (capacity - p.capacity) * s.env_.width; }
};

}  // namespace amp
