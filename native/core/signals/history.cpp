#include "core/signals/history.hpp"

#include <algorithm>
#include <cmath>

#include "amp/history.h"

namespace amp {

void check_points(const std::string& name, const CurveData& c, size_t first) {
    const auto bad = [&](size_t i, const char* what, const char* cure) {
        throw Failure("history", Violation{AMP_E_INVALID_ARG, "", name,
                                           text("curve %s, point %zu: %s (got time %.17g s, value %.17g).",
                                                name.c_str(), i, what, c.times[i], c.values[i]),
                                           cure, "", 0});
    };
    for (size_t i = first; i < c.times.size(); ++i) {
        if (!std::isfinite(c.times[i]) || !std::isfinite(c.values[i]))
            bad(i, "time and value must be finite", "Give numbers without NaN and Inf.");
        if (i > 0 && c.times[i] < c.times[i - 1]) bad(i, "times must not decrease", "Sort the points by time.");
        if (i == 0 || c.times[i] == c.times[i - 1]) continue;
        const double from = c.values[i - 1], to = c.values[i];
        if (!std::isfinite(1.0 / (c.times[i] - c.times[i - 1])))
            bad(i, "too close to the point before it to divide by their distance",
                "Move it, or give both the same time.");
        if (c.interpolation == AMP_CURVE_EXPONENTIAL && !(std::isfinite(to / from) && to / from > 0.0))
            bad(i, "an exponential segment needs two values of one sign, neither of them zero, in a finite ratio",
                "Move the value, or choose another interpolation.");
        if ((c.interpolation == AMP_CURVE_LINEAR || c.interpolation == AMP_CURVE_SMOOTH) && !std::isfinite(to - from))
            bad(i, "too far from the value before it: their difference is not finite", "Give smaller values.");
    }
}

void CurveData::sample(SegmentFn segment, double sample_rate, int64_t first, int64_t n, double* out) const {
    const auto time = [&](int64_t i) { return static_cast<double>(first + i) / sample_rate; };
    auto k = static_cast<size_t>(std::upper_bound(times.begin(), times.end(), time(0)) -
                                 times.begin());  // times[k - 1] <= t < times[k]
    for (int64_t i = 0; i < n;) {
        while (k < times.size() && times[k] <= time(i)) ++k;
        int64_t end = n;  // first frame after this segment
        if (k < times.size()) {
            const double ahead = times[k] * sample_rate - static_cast<double>(first);  // may exceed every integer
            end = static_cast<int64_t>(std::clamp(ahead, static_cast<double>(i + 1), static_cast<double>(n)));
            end = std::clamp(end, i + 1, n);  // n converted to double may exceed n
            while (end < n && time(end) < times[k]) ++end;
            while (end > i + 1 && time(end - 1) >= times[k]) --end;
        }
        if (k == 0 || k == times.size() || values[k] == values[k - 1])
            std::fill(out + i, out + end, values[k == 0 ? 0 : k - 1]);
        else
            segment({interpolation, times[k - 1], times[k], values[k - 1], values[k]}, sample_rate, first + i, end - i,
                    out + i);
        i = end;
    }
}

History read_history(const void* blob, size_t size) {
    Reader r(blob, size, "AMPH", "history");
    History h;
    Violations v("history", 1);
    const uint32_t n = r.count("number of curves", 7 + 16);
    for (uint32_t i = 0; i < n; ++i) {
        const std::string name = r.str("curve name");
        CurveData c;
        c.interpolation = r.get<uint8_t>("interpolation");
        if (c.interpolation > AMP_CURVE_EXPONENTIAL)
            r.fail(text("curve %s has unknown interpolation %u", name.c_str(), c.interpolation));
        const uint32_t points = r.count("number of points", 16);
        if (points == 0) r.fail(text("curve %s has no points", name.c_str()));
        for (uint32_t p = 0; p < points; ++p) {
            c.times.push_back(r.get<double>("time"));
            c.values.push_back(r.get<double>("value"));
        }
        try {
            check_points(name, c, 0);
        } catch (const Failure& f) {
            const Violation& bad = f.violations->front();
            v.add(bad.sentence, bad.cure, bad.node, bad.port, bad.code);
        }
        if (!h.emplace(name, std::move(c)).second) r.fail(text("curve %s is there twice", name.c_str()));
    }
    r.end();
    v.raise();
    return h;
}

}  // namespace amp
