// Checks tensors and blobs of the caller before they are read.
#pragma once
#include <algorithm>

#include "abi/guard.hpp"

namespace amp {

inline const void* checked(const void* p, size_t size, const char* stage) {
    need(p || size == 0, stage, "blob: a NULL pointer with a size.", "Pass the bytes.");
    return p ? p : "";
}

inline constexpr uint64_t kMostValues = uint64_t{1} << 48;

inline void check_buffer(const amp_buffer* b, const char* stage) {
    need(b && b->struct_size >= sizeof(amp_buffer), stage, "buffer: NULL or of an unknown version (struct_size).",
         "Fill it as amp/buffer.h says.");
    need(b->batches >= 1 && b->channels >= 1 && b->frames >= 0, stage,
         "buffer: batches, channels and frames must be positive.", "Give its shape.");
    need(b->data != nullptr || b->frames == 0, stage, "buffer: no data.", "Point it at your memory.");
    need(uint64_t{b->batches} * b->channels <= kMostValues / std::max<uint64_t>(1, static_cast<uint64_t>(b->frames)),
         stage, "buffer: more values than any memory holds.", "Check its shape.");
}

inline Tensor copy_of(const amp_buffer& b) {
    Tensor t;
    t.batches = b.batches;
    t.channels = b.channels;
    t.frames = static_cast<uint64_t>(b.frames);
    t.data.reserve(size_t{t.batches} * t.channels * t.frames);
    for (uint32_t k = 0; k < t.batches; ++k)
        for (uint32_t c = 0; c < t.channels; ++c) {
            const double* row = b.data + k * b.batch_stride + c * b.channel_stride;
            t.data.insert(t.data.end(), row, row + b.frames);
        }
    return t;
}

}  // namespace amp
