// libFuzzer target: snapshot blobs are restored into runtimes, which continue from them.
#include "exercise.hpp"
#include "seal.hpp"

namespace {

exercise::Snapshots& snapshots() {
    static exercise::Snapshots all;
    return all;
}

}  // namespace

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
    mutations::Dice dice(seed);
    if (!dice.one_in(8)) return fuzz::sealed(data, size, max_size, "AMPS");
    blob::Bytes b = dice.of(snapshots().cuts);  // sometimes a valid snapshot with a few damaged bytes
    mutations::damage(dice, b);
    return fuzz::keep(b, data, max_size);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    exercise::snapshot(blob::Bytes(data, data + size), snapshots());
    return 0;
}
