// libFuzzer target: schedule blobs of a few graphs are described, followed and rendered.
#include "exercise.hpp"
#include "seal.hpp"

static const exercise::Schedules& seeds() {
    static const exercise::Schedules s;
    return s;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
    mutations::Dice dice(seed);
    if (!dice.one_in(8)) return fuzz::sealed(data, size, max_size, "AMPI");
    // sometimes a valid schedule whose stages are mutated
    auto stages = seeds().stages[dice.below(seeds().stages.size())];
    for (size_t k = 1 + dice.below(4); k > 0; --k) mutations::mutate(dice, stages);
    return fuzz::keep(blob::schedule(stages), data, max_size);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    for (const blob::Bytes& of : seeds().descriptors) exercise::schedule(blob::Bytes(data, data + size), of);
    return 0;
}
