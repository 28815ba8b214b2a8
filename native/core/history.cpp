#include "core/history.hpp"

#include <algorithm>
#include <cmath>

#include "amp/history.h"
#include "dsp/math.hpp"

namespace amp {

namespace {

double between(uint8_t mode, double v0, double v1, double u) {
    switch (mode) {
        case AMP_CURVE_HOLD: return v0;
        case AMP_CURVE_SMOOTH: u = u * u * (3.0 - 2.0 * u); break;
        case AMP_CURVE_EXPONENTIAL: return v0 * AMP_KNS::vpow(v1 / v0, u);
        default: break;
    }
    return v0 + (v1 - v0) * u;
}

void check(const std::string& name, const CurveData& c) {
    const auto bad = [&](size_t i, const char* what) {
        throw Failure(AMP_E_INVALID_ARG, "history", text("curve %s, point %zu: %s (got time %.17g s, value %.17g).", name.c_str(), i, what, c.times[i], c.values[i]),
                      "", name);
    };
    for (size_t i = 0; i < c.times.size(); ++i) {
        if (!std::isfinite(c.times[i]) || !std::isfinite(c.values[i])) bad(i, "time and value must be finite");
        if (i > 0 && c.times[i] < c.times[i - 1]) bad(i, "times must not decrease");
        if (c.interpolation == AMP_CURVE_EXPONENTIAL && i > 0 && !(c.values[i] / c.values[i - 1] > 0.0))
            bad(i, "an exponential segment needs two values of one sign, neither of them zero");
    }
}

}  // namespace

void CurveData::sample(double sample_rate, int64_t first, int64_t n, double* out) const {
    size_t k = 0;   // times[k - 1] <= t < times[k]
    for (int64_t i = 0; i < n; ++i) {
        const double t = static_cast<double>(first + i) / sample_rate;
        if (i == 0) k = static_cast<size_t>(std::upper_bound(times.begin(), times.end(), t) - times.begin());
        else while (k < times.size() && times[k] <= t) ++k;
        if (k == 0) out[i] = values.front();
        else if (k == times.size()) out[i] = values.back();
        else out[i] = values[k] == values[k - 1] ? values[k] : between(interpolation, values[k - 1], values[k], (t - times[k - 1]) / (times[k] - times[k - 1]));
    }
}

History read_history(const void* blob, size_t size) {
    Reader r(blob, size, "AMPH", "history");
    History h;
    const uint32_t n = r.count("number of curves", 7 + 16);
    for (uint32_t i = 0; i < n; ++i) {
        const std::string name = r.str("curve name");
        CurveData c;
        c.interpolation = r.get<uint8_t>("interpolation");
        if (c.interpolation > AMP_CURVE_EXPONENTIAL) r.fail(text("curve %s has unknown interpolation %u", name.c_str(), c.interpolation));
        const uint32_t points = r.count("number of points", 16);
        if (points == 0) r.fail(text("curve %s has no points", name.c_str()));
        for (uint32_t p = 0; p < points; ++p) {
            c.times.push_back(r.get<double>("time"));
            c.values.push_back(r.get<double>("value"));
        }
        check(name, c);
        if (!h.emplace(name, std::move(c)).second) r.fail(text("curve %s is there twice", name.c_str()));
    }
    r.end();
    return h;
}

}  // namespace amp
