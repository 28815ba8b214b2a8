// What a stream does to one share of the batches. Everything is decided from the clocks before; nothing here looks at
// data to decide, so all shares agree.
#pragma once
#include "engine/run/shard.hpp"

namespace amp {

struct Share {
    Shard& s;

    void prepare();                                              // after it was built
    void fire(uint32_t node, int64_t frame, uint32_t frames);    // frames of the node's own clock
    void loop(const Component&, int64_t time, uint32_t frames);  // all its nodes from one virtual time on
    void take(uint32_t node, int64_t frame, const amp_buffer&);  // samples from outside, in place of firing
    // Tokens [oldest, oldest + count) go to the start of a ring, or of a larger one in its place.
    void move(uint32_t ring, int64_t oldest, int64_t count);
    void grow(uint32_t ring, int64_t oldest, int64_t count, int64_t capacity, double* memory);
    double* reserve(uint32_t ring, int64_t capacity);  // memory for it
    void give(uint32_t ring, int64_t token, uint32_t frames, const amp_buffer& out, int64_t at) const;
    const std::vector<Port*>& rings() const { return s.windows_; }
    bool follows(uint32_t node, const CurveData& curve) const;

private:
    void point(uint32_t node, int64_t frame);
    int64_t row(const Port& p, int64_t capacity) const { return p.row + (capacity - p.capacity) * s.env_.width; }
};

}  // namespace amp
