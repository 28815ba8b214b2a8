// One segment of a control curve, eight frames at a time.
#include "amp/history.h"
#include "dsp/math.hpp"
#include "kernel/steps/steps.hpp"

namespace amp::AMP_KNS {

void curve_segment(const CurveSegment& s, double sample_rate, int64_t first, int64_t frames, double* out) {
    const f64x8 from(s.value), rise(s.next_value - s.value), start(s.time), inverse(1.0 / (s.next_time - s.time));
    const f64x8 octaves(s.interpolation == AMP_CURVE_EXPONENTIAL ? vlog2(s.next_value / s.value) : 0.0);
    for (int64_t i = 0; i < frames; i += kLanes) {
        const f64x8 n = f64x8(static_cast<double>(first + i)) + iota();
        f64x8 u = (n / f64x8(sample_rate) - start) * inverse, v;
        switch (s.interpolation) {
        case AMP_CURVE_HOLD: v = from; break;
        case AMP_CURVE_EXPONENTIAL: v = from * vexp2(u * octaves); break;
        case AMP_CURVE_SMOOTH: u = u * u * (f64x8(3.0) - f64x8(2.0) * u); [[fallthrough]];
        default: v = from + rise * u; break;
        }
        store_first(out + i, v, static_cast<uint32_t>(frames - i < kLanes ? frames - i : kLanes));
    }
}

}  // namespace amp::AMP_KNS
