// extern "C": the min/max pyramid of a signal.
#include "core/signals/pyramid.hpp"
#include "amp/diag.h"

extern "C" {

size_t amp_pyramid_size(int64_t frames) { return amp::pyramid_size(frames); }

void amp_pyramid_build(const double* samples, int64_t frames, double* pyramid) {
    if (samples && pyramid) amp::build_pyramid(samples, frames, pyramid);
}

amp_status amp_pyramid_query(const double* samples, int64_t frames, const double* pyramid, int64_t first, int64_t last,
                             int32_t columns, double* low, double* high) {
    if (!samples || !low || !high || columns < 1 || first < 0 || last > frames || first >= last)
        return AMP_E_INVALID_ARG;
    if (!pyramid && amp::pyramid_size(frames) > 0) return AMP_E_INVALID_ARG;
    amp::query_pyramid(samples, frames, pyramid, first, last, columns, low, high);
    return AMP_OK;
}

}  // extern "C"
