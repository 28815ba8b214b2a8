// Rounding to integers: nearest with ties to even at every width, limits, signals in pieces, statistics of the dither.
#include "amp/quantize.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "check.hpp"

namespace {

amp_quantizer quantizer(int32_t bits, uint32_t dither = AMP_DITHER_NONE, uint64_t seed = 0, uint64_t stream = 0) {
    return {sizeof(amp_quantizer), bits, dither, 0, seed, stream, 0};
}

int32_t one(double x, int32_t bits) {
    const auto how = quantizer(bits);
    int32_t out = 77;
    CHECK(amp_quantize(&x, 1, &how, &out, 1) == AMP_OK);
    return out >> (32 - bits);
}

void every_width_rounds_to_nearest() {
    for (int32_t bits = 2; bits <= 32; ++bits) {
        const double step = std::ldexp(1.0, 1 - bits);
        const auto top = static_cast<int32_t>((int64_t{1} << (bits - 1)) - 1);
        CHECK(one(0.0, bits) == 0 && one(-0.0, bits) == 0);
        CHECK(one(0.5 * step, bits) == 0 && one(-0.5 * step, bits) == 0);  // ties
        CHECK(one(std::nextafter(0.5 * step, 1.0), bits) == 1 && one(std::nextafter(-0.5 * step, -1.0), bits) == -1);
        CHECK(one(-1.5 * step, bits) == -2);
        if (bits > 2) CHECK(one(1.5 * step, bits) == 2 && one(2.5 * step, bits) == 2);
        CHECK(one(1.0, bits) == top && one(-1.0, bits) == -top - 1);
        CHECK(one(1e300, bits) == top && one(-1e300, bits) == -top - 1);
        CHECK(one(std::numeric_limits<double>::infinity(), bits) == top);
        CHECK(one(std::numeric_limits<double>::quiet_NaN(), bits) == 0);
    }
}

void pieces_give_the_bits_of_the_whole() {
    constexpr int64_t kFrames = 1000;
    std::vector<double> x(kFrames);
    for (int64_t n = 0; n < kFrames; ++n) x[static_cast<size_t>(n)] = std::ldexp(static_cast<double>(n - 500), -12);
    std::vector<int32_t> whole(kFrames), pieces(3 * kFrames, 5);
    auto how = quantizer(16, AMP_DITHER_TPDF, 9, 2);
    CHECK(amp_quantize(x.data(), kFrames, &how, whole.data(), 1) == AMP_OK);
    for (int64_t n = 0; n < kFrames; n += 7) {
        how.first_frame = n;
        const int64_t length = std::min<int64_t>(7, kFrames - n);
        CHECK(amp_quantize(x.data() + n, length, &how, pieces.data() + 3 * n, 3) == AMP_OK);
    }
    for (size_t n = 0; n < kFrames; ++n) {
        CHECK(pieces[3 * n] == whole[n] && pieces[3 * n + 1] == 5 && pieces[3 * n + 2] == 5);
        CHECK((whole[n] & 0xffff) == 0);
    }
}

// Moments of the total error, in steps, for a constant x with dither.
struct Moments {
    double mean = 0.0, power = 0.0;
};

Moments error_of(double x, uint64_t seed) {
    constexpr int64_t kFrames = 1 << 20;
    const std::vector<double> samples(kFrames, x * 0x1p-15);
    std::vector<int32_t> out(kFrames);
    const auto how = quantizer(16, AMP_DITHER_TPDF, seed);
    CHECK(amp_quantize(samples.data(), kFrames, &how, out.data(), 1) == AMP_OK);
    Moments m;
    for (const int32_t q : out) {
        const double error = (q >> 16) - x;
        m.mean += error / kFrames;
        m.power += error * error / kFrames;
    }
    return m;
}

// The mean of 2^20 errors of variance 1/4 has a standard deviation of 0.0005, their power one of about 0.0004. Five
// deviations are allowed.
void dither_makes_the_error_independent_of_the_signal() {
    for (const double x : {0.0, 0.1, 0.25, 0.5, 0.9, -3.3, 1000.5}) {
        const Moments m = error_of(x, 11);
        CHECK(std::abs(m.mean) < 0.0025 && std::abs(m.power - 0.25) < 0.002);
    }
}

void wrong_arguments_are_refused() {
    double x = 0.0;
    int32_t out = 0;
    for (const int32_t bits : {-1, 0, 1, 33}) {
        const auto how = quantizer(bits);
        CHECK(amp_quantize(&x, 1, &how, &out, 1) == AMP_E_INVALID_ARG);
    }
    auto how = quantizer(16, 2);
    CHECK(amp_quantize(&x, 1, &how, &out, 1) == AMP_E_INVALID_ARG);
    how = quantizer(16);
    CHECK(amp_quantize(nullptr, 1, &how, &out, 1) == AMP_E_INVALID_ARG);
    CHECK(amp_quantize(&x, -1, &how, &out, 1) == AMP_E_INVALID_ARG);
    CHECK(amp_quantize(&x, 1, &how, &out, 0) == AMP_E_INVALID_ARG);
    CHECK(amp_quantize(&x, 1, nullptr, &out, 1) == AMP_E_INVALID_ARG);
    how.struct_size -= 1;
    CHECK(amp_quantize(&x, 1, &how, &out, 1) == AMP_E_INVALID_ARG);
}

}  // namespace

int main() {
    every_width_rounds_to_nearest();
    pieces_give_the_bits_of_the_whole();
    dither_makes_the_error_independent_of_the_signal();
    wrong_arguments_are_refused();
    return check::finish("quantize");
}
