// Meters: the same bits however the samples are divided and for any number of threads, readings of signals with known
// values, the filters of BS.1770, and refused arguments.
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "amp/meter.h"
#include "check.hpp"

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr uint32_t kBatches = 5, kChannels = 2;  // more signals than lanes
constexpr double kRate = 44100.0;

using Samples = std::vector<double>;

std::mt19937_64 dice(1770);

Samples noise(size_t values) {
    Samples x(values);
    for (double& v : x) v = static_cast<double>(dice() >> 11) * 0x1p-52 - 1.0;
    return x;
}

amp_meter_config config(int64_t frames, uint32_t flags = AMP_METER_TRUE_PEAK | AMP_METER_LOUDNESS) {
    amp_meter_config c{};
    c.struct_size = sizeof c;
    c.flags = flags;
    c.batches = kBatches;
    c.channels = kChannels;
    c.threads = 1;
    c.frames = frames;
    c.sample_rate = kRate;
    return c;
}

struct Readings {
    std::vector<amp_levels> levels;
    std::vector<amp_loudness> loudness;
    Samples momentary;
};

bool same(const Readings& a, const Readings& b) {
    const auto equal = [](const auto& x, const auto& y) {
        return x.size() == y.size() && std::memcmp(x.data(), y.data(), x.size() * sizeof x[0]) == 0;
    };
    return equal(a.levels, b.levels) && equal(a.loudness, b.loudness) && equal(a.momentary, b.momentary);
}

Readings read(const amp_meter* meter, const amp_meter_config& c) {
    Readings r;
    r.levels.resize(size_t{c.batches} * c.channels, {sizeof(amp_levels)});
    CHECK(amp_meter_levels(meter, r.levels.data(), r.levels.size(), nullptr) == AMP_OK);
    if (!(c.flags & AMP_METER_LOUDNESS)) return r;
    r.loudness.resize(c.batches, {sizeof(amp_loudness)});
    CHECK(amp_meter_loudness(meter, r.loudness.data(), r.loudness.size(), nullptr) == AMP_OK);
    size_t count = 0;
    CHECK(amp_meter_series(meter, 0, AMP_SERIES_MOMENTARY, nullptr, 0, &count, nullptr) == AMP_OK);
    r.momentary.resize(count);
    CHECK(amp_meter_series(meter, 0, AMP_SERIES_MOMENTARY, r.momentary.data(), count, &count, nullptr) == AMP_OK);
    return r;
}

// x is (batch, channel, frame); a call ends at every frame in `cuts`.
Readings measured(const amp_meter_config& c, Samples& x, const std::vector<int64_t>& cuts = {}) {
    amp_meter* meter = nullptr;
    amp_error error{};
    error.struct_size = sizeof error;
    CHECK(amp_meter_create(&c, &meter, &error) == AMP_OK);
    std::vector<int64_t> ends = cuts;
    ends.push_back(c.frames);
    for (int64_t from = 0; const int64_t to : ends) {
        amp_buffer b{sizeof(amp_buffer),    c.batches, c.channels,     0, to - from,
                     c.frames * c.channels, c.frames,  x.data() + from};
        CHECK(amp_meter_process(meter, &b, &error) == AMP_OK);
        from = to;
    }
    Readings r = read(meter, c);
    amp_meter_destroy(meter);
    return r;
}

void cuts_and_threads_change_no_bit() {
    constexpr int64_t kFrames = 60'001;
    Samples x = noise(size_t{kBatches} * kChannels * kFrames);
    x[0] = x[5] = 1e200;
    x[7] = -1e-200;
    x[9] = 0.0;
    amp_meter_config c = config(kFrames);
    const Readings whole = measured(c, x);
    for (int trial = 0; trial < 6; ++trial) {
        std::vector<int64_t> cuts;
        const auto most = static_cast<uint64_t>(trial < 2 ? 9 : trial < 4 ? 1100 : 60000);
        for (int64_t n = 0; (n += static_cast<int64_t>(dice() % most) + (trial != 0)) < kFrames;) cuts.push_back(n);
        c.threads = trial % 2 ? 3 : 1;
        CHECK(same(whole, measured(c, x, cuts)));
    }
}

// The reading of a signal does not depend on the signals in other lanes.
void signals_do_not_touch_each_other() {
    constexpr int64_t kFrames = 30'007;
    constexpr uint32_t kSignals = kBatches * kChannels;
    Samples x = noise(size_t{kSignals} * kFrames);
    x[kFrames] = NAN;
    amp_meter_config c = config(kFrames);
    c.channels = 1;
    for (const uint32_t count : {2u, 3u, 7u, 8u, 9u, kSignals}) {
        c.batches = count;
        const Readings together = measured(c, x);
        c.batches = 1;
        for (uint32_t b = 0; b < count; ++b) {
            Samples own(x.begin() + b * kFrames, x.begin() + (b + 1) * kFrames);
            const Readings alone = measured(c, own);
            CHECK(std::memcmp(&alone.levels[0], &together.levels[b], sizeof(amp_levels)) == 0);
            CHECK(std::memcmp(&alone.loudness[0], &together.loudness[b], sizeof(amp_loudness)) == 0);
        }
    }
}

void readings_in_between_change_nothing() {
    constexpr int64_t kFrames = 30'000;
    Samples x = noise(size_t{kBatches} * kChannels * kFrames);
    const amp_meter_config c = config(kFrames);
    amp_meter* meter = nullptr;
    CHECK(amp_meter_create(&c, &meter, nullptr) == AMP_OK);
    for (int64_t n = 0; n < kFrames; n += 1000) {
        amp_buffer b{sizeof(amp_buffer), kBatches, kChannels, 0, 1000, kFrames * kChannels, kFrames, x.data() + n};
        CHECK(amp_meter_process(meter, &b, nullptr) == AMP_OK);
        read(meter, c);
    }
    CHECK(same(measured(c, x), read(meter, c)));
    amp_meter_destroy(meter);
}

amp_levels levels_of(Samples x) {
    amp_meter_config c = config(static_cast<int64_t>(x.size()), AMP_METER_TRUE_PEAK);
    c.batches = c.channels = 1;
    return measured(c, x).levels[0];
}

bool near(double a, double b, double relative) { return std::fabs(a - b) <= relative * std::fabs(b); }

void known_levels() {
    const amp_levels square = levels_of({0.5, -0.5, 0.5, -0.5});
    CHECK(square.peak == 0.5 && square.rms == 0.5 && square.mean == 0.0 && square.left_out == 0);
    CHECK(levels_of({0.0, 0.0}).peak == 0.0 && levels_of({0.0}).rms == 0.0 && levels_of({0.0}).true_peak == 0.0);
    for (const double huge : {1e-300, 1e-170, 1.0, 1e160, 1e300}) {  // squares underflow or overflow
        const amp_levels l = levels_of(Samples(5000, -huge));
        CHECK(near(l.rms, huge, 1e-14) && l.peak == huge);
    }
    CHECK(near(levels_of({3e250, 4e250, 1.0, 1e-290}).rms, 2.5e250, 1e-14));
    CHECK(near(levels_of(Samples(3000, 0.1)).mean, 0.1, 1e-14));
    const amp_levels holes = levels_of({NAN, 1.0, kInfinity, -1.0, -kInfinity});
    CHECK(holes.left_out == 3 && holes.peak == 1.0 && holes.rms == 1.0 && std::isnan(holes.true_peak));
    const amp_levels none = levels_of({NAN});
    CHECK(none.left_out == 1 && std::isnan(none.peak) && std::isnan(none.rms) && std::isnan(none.mean));
}

// The signal reversed, padded with zeros, or negated: the same bits.
void true_peak_has_no_direction() {
    for (const size_t frames : {1, 2, 20, 63, 64, 65, 700}) {
        const Samples x = noise(frames);
        const double peak = levels_of(x).true_peak;
        CHECK(peak >= levels_of(x).peak);
        CHECK(levels_of(Samples(x.rbegin(), x.rend())).true_peak == peak);
        Samples padded(100, 0.0);
        padded.insert(padded.end(), x.begin(), x.end());
        padded.resize(padded.size() + 77, 0.0);
        CHECK(levels_of(padded).true_peak == peak);
    }
}

// BS.1770-4, tables 1 and 2.
void filters_at_48_khz_are_the_standard_ones() {
    constexpr double kTable[10] = {
        1.53512485958697,  -2.69169618940638, 1.19839281085285, -1.69065929318241, 0.73248077421585, 1.0, -2.0, 1.0,
        -1.99004745483398, 0.99007225036621};
    double k[10];
    CHECK(amp_k_weighting(48000.0, k, nullptr) == AMP_OK);
    for (int i = 0; i < 10; ++i) CHECK(std::fabs(k[i] - kTable[i]) < 1e-14);
    for (const double rate : {7999.0, 384001.0, 0.0, -48000.0, kInfinity, double(NAN)})
        CHECK(amp_k_weighting(rate, k, nullptr) == AMP_E_INVALID_ARG);
}

// The first block is complete at 400 ms, rounded to frames, and not one frame earlier.
void only_whole_blocks_count() {
    for (const double rate : {8000.0, 11025.0, 22050.5, 44100.0, 384000.0}) {
        const auto block = static_cast<int64_t>(0.4 * rate + 0.5);
        for (const int64_t frames : {block - 1, block}) {
            amp_meter_config c = config(frames);
            c.sample_rate = rate;
            Samples x = noise(size_t{kBatches} * kChannels * static_cast<size_t>(frames));
            const amp_loudness l = measured(c, x).loudness[0];
            CHECK(l.blocks == (frames == block) && std::isnan(l.integrated) == (frames < block));
            CHECK(std::isnan(l.range_low) && std::isnan(l.short_term_max));
        }
    }
}

std::string refusal(const amp_meter_config& c) {
    amp_meter* meter = nullptr;
    amp_error error{};
    error.struct_size = sizeof error;
    CHECK(amp_meter_create(&c, &meter, &error) != AMP_OK && !meter);
    return error.message;
}

void arguments() {
    amp_meter_config c = config(1000);
    const double weights[2] = {1.0, -1.0};
    c.sample_rate = 1600.0;
    CHECK(refusal(c).find("sample_rate: out of range for loudness (got 1600 Hz, allowed 8000 to 384000 Hz)") == 0);
    (c = config(1000)).weights = weights;
    CHECK(refusal(c).find("weights: must be finite") == 0);
    (c = config(1000)).flags = 64;
    CHECK(refusal(c).find("flags: unknown bits") == 0);
    (c = config(1000)).batches = 0;
    CHECK(!refusal(c).empty());
    (c = config(1000)).struct_size = 8;
    CHECK(!refusal(c).empty());
    CHECK(!refusal(config(int64_t{1} << 62)).empty());
    c = config(1000, 0);
    amp_meter* meter = nullptr;
    CHECK(amp_meter_create(&c, &meter, nullptr) == AMP_OK);
    Samples x = noise(size_t{kBatches} * kChannels * 1001);
    amp_buffer b{sizeof(amp_buffer), kBatches, kChannels, 0, 1001, 2002, 1001, x.data()};
    CHECK(amp_meter_process(meter, &b, nullptr) == AMP_E_FULL);
    b.channels = 1;
    CHECK(amp_meter_process(meter, &b, nullptr) == AMP_E_SHAPE);
    CHECK(amp_meter_process(meter, nullptr, nullptr) == AMP_E_INVALID_ARG);
    CHECK(amp_meter_process(nullptr, &b, nullptr) == AMP_E_INVALID_ARG);
    std::vector<amp_loudness> loudness(kBatches, {sizeof(amp_loudness)});
    CHECK(amp_meter_loudness(meter, loudness.data(), kBatches, nullptr) == AMP_E_UNSUPPORTED);
    std::vector<amp_levels> levels(2, {sizeof(amp_levels)});
    CHECK(amp_meter_levels(meter, levels.data(), 2, nullptr) == AMP_E_INVALID_ARG);
    amp_meter_destroy(meter);
    amp_meter_destroy(nullptr);
}

}  // namespace

int main() {
    cuts_and_threads_change_no_bit();
    signals_do_not_touch_each_other();
    readings_in_between_change_nothing();
    known_levels();
    true_peak_has_no_direction();
    filters_at_48_khz_are_the_standard_ones();
    only_whole_blocks_count();
    arguments();
    return check::finish("meters");
}
