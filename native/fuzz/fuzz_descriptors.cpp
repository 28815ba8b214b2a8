// libFuzzer target: descriptor blobs are compiled, described, configured and executed.
#include "exercise.hpp"
#include "seal.hpp"

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
    mutations::Dice dice(seed);
    if (!dice.one_in(8)) return fuzz::sealed(data, size, max_size, "AMPD");
    auto graphs = graphs::all();  // sometimes a valid graph that is mutated
    auto& g = dice.of(graphs);
    for (size_t k = 1 + dice.below(4); k > 0; --k) mutations::mutate(dice, g);
    return fuzz::keep(blob::descriptors(g), data, max_size);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    exercise::descriptors(blob::Bytes(data, data + size));
    return 0;
}
