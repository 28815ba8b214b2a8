// libFuzzer target: history blobs are sampled, and played by a runtime.
#include "exercise.hpp"
#include "seal.hpp"

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
    mutations::Dice dice(seed);
    if (!dice.one_in(8)) return fuzz::sealed(data, size, max_size, "AMPH");
    auto curves = graphs::voice_curves();  // sometimes valid curves that are mutated
    for (size_t k = 1 + dice.below(4); k > 0; --k) mutations::mutate(dice, curves);
    return fuzz::keep(blob::history(curves), data, max_size);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    static rig::Runtime voice(graphs::voice());
    exercise::history(blob::Bytes(data, data + size), voice);
    return 0;
}
