// extern "C": meters.
#include <algorithm>
#include <cmath>

#include "abi/buffers.hpp"
#include "meters/meter.hpp"

struct amp_meter {
    explicit amp_meter(const amp_meter_config& config) : meter(config) {}
    amp::Meter meter;
};

using namespace amp;

namespace {

constexpr char kStage[] = "meter";

void check_rate(double rate) {
    if (!(rate >= kLowestLoudnessRate && rate <= kHighestLoudnessRate))
        throw Failure(AMP_E_INVALID_ARG, kStage,
                      text("sample_rate: out of range for loudness (got %.10g Hz, allowed 8000 to 384000 Hz).", rate),
                      "Resample the signal.");
}

void check_config(const amp_meter_config& c) {
    check_flags(c.flags, AMP_METER_TRUE_PEAK | AMP_METER_LOUDNESS, kStage);
    need(c.batches >= 1 && c.channels >= 1 && c.frames >= 0, kStage,
         "meter: batches and channels must be positive, frames not negative.",
         "Give the shape of what it will measure.");
    need(c.threads <= AMP_MOST_THREADS && c.reserved == 0, kStage,
         "meter: threads out of range (allowed 0 to 256), or reserved not 0.",
         "Use 0 threads for as many as there are.");
    need(uint64_t{c.batches} * c.channels <= kMostValues / std::max<uint64_t>(1, static_cast<uint64_t>(c.frames)),
         kStage, "meter: more values than any memory holds.", "Check its shape.");
    need(kernels() != nullptr, kStage,
         "AMP_ISA: this machine lacks that level, or the name is unknown (allowed v2, v3, v4).", "Unset AMP_ISA.");
    if (!(c.flags & AMP_METER_LOUDNESS)) return;
    check_rate(c.sample_rate);
    for (uint32_t k = 0; c.weights && k < c.channels; ++k)
        need(std::isfinite(c.weights[k]) && c.weights[k] >= 0.0, kStage, "weights: must be finite and not negative.",
             "Use those of BS.1770: 1, surround 1.41, LFE 0.");
}

void check_samples(const Meter& m, const amp_buffer* in) {
    check_buffer(in, kStage);
    if (in->batches != m.batches() || in->channels != m.channels())
        throw Failure(AMP_E_SHAPE, kStage,
                      text("samples: another shape than the meter's (got %u x %u, allowed %u x %u batches x channels).",
                           in->batches, in->channels, m.batches(), m.channels()),
                      "Make a meter for it.");
    if (in->frames > m.room())
        throw Failure(AMP_E_FULL, kStage,
                      text("samples: more frames than the meter was made for (got %lld, allowed %lld more).",
                           static_cast<long long>(in->frames), static_cast<long long>(m.room())),
                      "Create it with more frames.");
}

template <class F> amp_status with(const amp_meter* meter, amp_error* error, F&& f) {
    return guarded(kStage, error, [&] {
        need(meter, kStage, "meter: NULL.", "Create one.");
        f(meter->meter);
    });
}

void need_loudness(const Meter& m) {
    if (!m.measures(AMP_METER_LOUDNESS))
        throw Failure(AMP_E_UNSUPPORTED, kStage, "meter: loudness is not measured.", "Create it with loudness.");
}

template <class Record, class F> void fill(Record* out, size_t count, size_t records, F&& read) {
    need(out && count == records, kStage, "records: NULL, or not as many as there are to read.", "Give room for each.");
    for (size_t i = 0; i < count; ++i)
        need(out[i].struct_size >= sizeof(Record), kStage, "record: of an unknown version (struct_size).",
             "Set struct_size to its size.");
    for (size_t i = 0; i < count; ++i) {
        const uint32_t size = out[i].struct_size;
        out[i] = read(i);
        out[i].struct_size = size;
    }
}

}  // namespace

extern "C" {

amp_status amp_meter_create(const amp_meter_config* config, amp_meter** meter, amp_error* error) {
    if (meter) *meter = nullptr;
    return guarded(kStage, error, [&] {
        need(config && config->struct_size >= sizeof(amp_meter_config), kStage,
             "config: NULL or of an unknown version (struct_size).", "Fill it as amp/meter.h says.");
        need(meter != nullptr, kStage, "meter: NULL.", "Pass a place for it.");
        check_config(*config);
        *meter = new amp_meter(*config);
    });
}

void amp_meter_destroy(amp_meter* meter) { delete meter; }

amp_status amp_meter_process(amp_meter* meter, const amp_buffer* samples, amp_error* error) {
    return guarded(kStage, error, [&] {
        need(meter, kStage, "meter: NULL.", "Create one.");
        check_samples(meter->meter, samples);
        meter->meter.process(*samples);
    });
}

amp_status amp_meter_levels(const amp_meter* meter, amp_levels* levels, size_t count, amp_error* error) {
    return with(meter, error,
                [&](const Meter& m) { fill(levels, count, m.signals(), [&](size_t i) { return m.levels(i); }); });
}

amp_status amp_meter_loudness(const amp_meter* meter, amp_loudness* loudness, size_t count, amp_error* error) {
    return with(meter, error, [&](const Meter& m) {
        need_loudness(m);
        fill(loudness, count, m.batches(), [&](size_t b) { return m.loudness(static_cast<uint32_t>(b)); });
    });
}

amp_status amp_meter_series(const amp_meter* meter, uint32_t batch, int32_t series, double* values, size_t capacity,
                            size_t* count, amp_error* error) {
    return with(meter, error, [&](const Meter& m) {
        need_loudness(m);
        need(batch < m.batches(), kStage, "batch: there is no such batch.", "Count from 0.");
        need(series == AMP_SERIES_MOMENTARY || series == AMP_SERIES_SHORT_TERM, kStage,
             "series: unknown (allowed momentary or short-term).", "Use one of these.");
        need(count && (values || capacity == 0), kStage, "values or count: NULL.",
             "Pass the array and the place for the count.");
        const std::vector<double> found = m.series(batch, series);
        *count = found.size();
        std::transform(found.begin(), found.begin() + static_cast<ptrdiff_t>(std::min(capacity, found.size())), values,
                       lufs);
    });
}

amp_status amp_k_weighting(double sample_rate, double coefficients[10], amp_error* error) {
    return guarded(kStage, error, [&] {
        need(coefficients, kStage, "coefficients: NULL.", "Pass room for ten.");
        check_rate(sample_rate);
        const KWeighting k = k_weighting(sample_rate);
        const double all[10] = {k.shelf.b0,    k.shelf.b1,    k.shelf.b2,    k.shelf.a1,    k.shelf.a2,
                                k.highpass.b0, k.highpass.b1, k.highpass.b2, k.highpass.a1, k.highpass.a2};
        std::copy_n(all, 10, coefficients);
    });
}

}  // extern "C"
