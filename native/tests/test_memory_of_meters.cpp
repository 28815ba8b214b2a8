// A meter allocates when it is created and not while it processes samples; if memory is refused, create returns a
// status.
#include <vector>

#include "amp/meter.h"
#include "check.hpp"
#include "refusing_allocator.hpp"

int main() {
    constexpr int64_t kFrames = 50'000;
    amp_meter_config c{};
    c.struct_size = sizeof c;
    c.flags = AMP_METER_TRUE_PEAK | AMP_METER_LOUDNESS;
    c.batches = 2;
    c.channels = 3;
    c.frames = kFrames;
    c.sample_rate = 48000.0;
    std::vector<double> x(6 * kFrames, 0.25);
    for (uint32_t threads = 1; threads < 3; ++threads) {
        c.threads = threads;
        amp_meter* meter = nullptr;
        CHECK(amp_meter_create(&c, &meter, nullptr) == AMP_OK);
        amp_buffer b{sizeof(amp_buffer), 2, 3, 0, 5000, 3 * kFrames, kFrames, x.data()};
        const long before = allocations;
        for (int k = 0; k < 10; ++k) CHECK(amp_meter_process(meter, &b, nullptr) == AMP_OK);
        CHECK(allocations == before);
        amp_meter_destroy(meter);
    }
    c.threads = 1;
    const long kept = live;
    for (fail_at = 0;; ++fail_at) {
        amp_meter* meter = nullptr;
        failing = false;
        const long first = allocations;
        fail_at += first;
        const amp_status status = amp_meter_create(&c, &meter, nullptr);
        fail_at -= first;
        amp_meter_destroy(meter);
        if (!failing) break;
        CHECK(status == AMP_E_NOMEM && !meter);
    }
    fail_at = -1;
    CHECK(live == kept);
    return check::finish("memory of meters");
}
