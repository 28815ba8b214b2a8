#include "core/signals/pyramid.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace amp {

namespace {

constexpr int64_t kFactor = 16;

struct Pair {
    double low = std::numeric_limits<double>::infinity(), high = -std::numeric_limits<double>::infinity();
    void see(double lo, double hi) {  // NaN marks a fault: once seen, it stays
        low = std::isnan(low) || std::isnan(lo) ? NAN : std::min(low, lo);
        high = std::isnan(high) || std::isnan(hi) ? NAN : std::max(high, hi);
    }
};

int64_t up(int64_t n) { return n / kFactor + (n % kFactor != 0); }

// Extremes of [first, last), from whole runs of the pyramid where possible.
void extremes(const double* x, const double* pyramid, int64_t frames, int64_t first, int64_t last, Pair& out) {
    const double* level = nullptr;  // NULL: the samples themselves
    int64_t count = frames;
    const auto see = [&](int64_t i) { level ? out.see(level[2 * i], level[2 * i + 1]) : out.see(x[i], x[i]); };
    for (const double* next = pyramid; first < last; next += 2 * count) {
        if (count <= kFactor) {  // the highest level: at most kFactor pairs are left
            while (first < last) see(first++);
            return;
        }
        for (; first < last && first % kFactor; ++first) see(first);
        // the last run counts as whole even if the signal ends inside it
        for (; last > first && last % kFactor && last != count; --last) see(last - 1);
        if (first == last) return;
        first /= kFactor;
        last = up(last);
        level = next;
        count = up(count);
    }
}

}  // namespace

size_t pyramid_size(int64_t frames) {
    size_t n = 0;
    while (frames > kFactor) n += 2 * static_cast<size_t>(frames = up(frames));
    return n;
}

void build_pyramid(const double* samples, int64_t frames, double* pyramid) {
    const double* below = nullptr;
    for (double* level = pyramid; frames > kFactor;) {
        const int64_t n = up(frames);
        for (int64_t i = 0; i < n; ++i) {
            Pair p;
            for (int64_t k = i * kFactor; k < std::min(frames, (i + 1) * kFactor); ++k)
                below ? p.see(below[2 * k], below[2 * k + 1]) : p.see(samples[k], samples[k]);
            level[2 * i] = p.low;
            level[2 * i + 1] = p.high;
        }
        below = level;
        level += 2 * n;
        frames = n;
    }
}

void query_pyramid(const double* samples, int64_t frames, const double* pyramid, int64_t first, int64_t last,
                   int32_t columns, double* low, double* high) {
    for (int32_t c = 0; c < columns; ++c) {
        const auto span = static_cast<double>(last - first) / columns;
        const int64_t a = std::min(last - 1, first + static_cast<int64_t>(span * c));
        const int64_t b = c == columns - 1 ? last : std::max(a + 1, first + static_cast<int64_t>(span * (c + 1)));
        Pair p;
        extremes(samples, pyramid, frames, a, b, p);
        low[c] = p.low;
        high[c] = p.high;
    }
}

}  // namespace amp
