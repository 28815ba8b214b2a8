// The min/max pyramid returns the extremes of the samples for any range: random ranges compared with brute force,
// one-sample faults, NaN.
#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "amp/diag.h"
#include "check.hpp"

namespace {

using Samples = std::vector<double>;

std::mt19937_64 dice(20240229);

int64_t below(int64_t n) { return static_cast<int64_t>(dice() % static_cast<uint64_t>(n)); }

Samples noise(int64_t frames) {
    Samples x(static_cast<size_t>(frames));
    for (double& v : x) v = static_cast<double>(dice() >> 11) * 0x1p-53 - 0.5;
    return x;
}

Samples pyramid_of(const Samples& x) {
    Samples p(amp_pyramid_size(static_cast<int64_t>(x.size())));
    amp_pyramid_build(x.data(), static_cast<int64_t>(x.size()), p.data());
    return p;
}

struct Extremes {
    double low, high;
};

Extremes brute(const Samples& x, int64_t first, int64_t last) {
    Extremes e{std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()};
    for (auto i = static_cast<size_t>(first); i < static_cast<size_t>(last); ++i) {
        if (std::isnan(x[i])) return {NAN, NAN};
        e = {std::min(e.low, x[i]), std::max(e.high, x[i])};
    }
    return e;
}

bool same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

// Columns are equal spans; the start of a column inside the range is a rounded product.
void expect_columns(const Samples& x, const Samples& p, int64_t first, int64_t last, int32_t columns) {
    Samples low(static_cast<size_t>(columns)), high(low);
    CHECK(amp_pyramid_query(x.data(), static_cast<int64_t>(x.size()), p.data(), first, last, columns, low.data(),
                            high.data()) == AMP_OK);
    const double span = static_cast<double>(last - first) / columns;
    bool equal = true;
    for (int32_t c = 0; c < columns; ++c) {
        const int64_t a = std::min(last - 1, first + static_cast<int64_t>(span * c));
        const int64_t b = c == columns - 1 ? last : std::max(a + 1, first + static_cast<int64_t>(span * (c + 1)));
        const Extremes e = brute(x, a, b);
        equal &= same(e.low, low[static_cast<size_t>(c)]) && same(e.high, high[static_cast<size_t>(c)]);
    }
    CHECK(equal);
}

void random_ranges() {
    for (const int64_t frames : {1, 15, 16, 17, 255, 256, 257, 4097, 70000}) {
        Samples x = noise(frames);
        for (int faults = 0; faults < 3; ++faults) {
            const Samples p = pyramid_of(x);
            for (int k = 0; k < 200; ++k) {
                const int64_t first = below(frames),
                              last = first + 1 + below(std::min(frames - first, int64_t{1} << below(17)));
                expect_columns(x, p, first, last, static_cast<int32_t>(1 + below(k % 2 ? 1 : 40)));
            }
            x[static_cast<size_t>(below(frames))] = faults == 0 ? NAN : 1e300;
        }
    }
}

// A fault is visible in exactly the columns that include it.
void one_sample_faults() {
    constexpr int64_t kFrames = 100000;
    for (const double fault : {1.0, -3.0, std::numeric_limits<double>::infinity(), double(NAN)})
        for (int k = 0; k < 20; ++k) {
            Samples x(kFrames, 0.0);
            x[static_cast<size_t>(below(kFrames))] = fault;
            const Samples p = pyramid_of(x);
            Samples low(700), high(700);
            CHECK(amp_pyramid_query(x.data(), kFrames, p.data(), 0, kFrames, 700, low.data(), high.data()) == AMP_OK);
            int seen = 0;
            for (size_t c = 0; c < 700; ++c) seen += !(low[c] == 0.0 && high[c] == 0.0);
            CHECK(seen == 1);
        }
}

void arguments() {
    const Samples x = noise(100);
    const Samples p = pyramid_of(x);
    double low = 0, high = 0;
    const auto query = [&](const double* samples, const double* pyramid, int64_t first, int64_t last, int32_t columns) {
        return amp_pyramid_query(samples, 100, pyramid, first, last, columns, &low, &high);
    };
    CHECK(query(x.data(), p.data(), 0, 100, 1) == AMP_OK);
    CHECK(query(nullptr, p.data(), 0, 100, 1) == AMP_E_INVALID_ARG);
    CHECK(query(x.data(), nullptr, 0, 100, 1) == AMP_E_INVALID_ARG);
    CHECK(query(x.data(), p.data(), 0, 101, 1) == AMP_E_INVALID_ARG);
    CHECK(query(x.data(), p.data(), -1, 10, 1) == AMP_E_INVALID_ARG);
    CHECK(query(x.data(), p.data(), 10, 10, 1) == AMP_E_INVALID_ARG);
    CHECK(query(x.data(), p.data(), 0, 100, 0) == AMP_E_INVALID_ARG);
    CHECK(amp_pyramid_query(x.data(), 100, p.data(), 0, 100, 1, nullptr, &high) == AMP_E_INVALID_ARG);
    CHECK(amp_pyramid_query(x.data(), 100, p.data(), 0, 100, 1, &low, nullptr) == AMP_E_INVALID_ARG);
    CHECK(amp_pyramid_size(0) == 0 && amp_pyramid_size(-5) == 0 && amp_pyramid_size(16) == 0 &&
          amp_pyramid_size(17) == 4);
    CHECK(amp_pyramid_size(INT64_MAX) > size_t{1} << 59);
    amp_pyramid_build(nullptr, 100, &low);
    amp_pyramid_build(x.data(), 100, nullptr);
}

}  // namespace

int main() {
    random_ranges();
    one_sample_faults();
    arguments();
    return check::finish("pyramid");
}
