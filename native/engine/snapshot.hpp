// Saves a runtime between two calls of execute as bytes, and restores it.
#pragma once
#include "engine/runtime.hpp"

namespace amp {

struct Snapshot {
    static std::vector<uint8_t> take(const Runtime& r);  // throws AMP_E_INVALID_ARG, stage snapshot
    // Throws AMP_E_BLOB, AMP_E_DRIFT, AMP_E_NONFINITE or AMP_E_INVALID_ARG, stage restore, and leaves `r` as it was.
    static void restore(Runtime& r, const void* blob, size_t size);

private:
    struct Progress;
    static void read(Runtime& r, Reader& in);
    static void read_changes(Runtime& r, Reader& in);
    template <class Io> static void memory(Shard& s, const Io& io);
    static void check_finite(const Shard& s);
    template <class Io> static void heat(Shard& s, const Io& io);
};

}  // namespace amp
