// Runs 2,000 random sequences of calls of the C API, the same in every build. Fails if too few frames were compared.
//
// random_calls [COUNT] [FIRST]: number of sequences, and seed of the first.
#include "calls.hpp"
#include "check.hpp"
#include "mutations.hpp"

int main(int argc, char** argv) {
    const long count = argc > 1 ? std::atol(argv[1]) : 2000, first = argc > 2 ? std::atol(argv[2]) : 0;
    long frames = 0;
    for (long seed = first; seed < first + count; ++seed) {
        mutations::Dice dice(static_cast<uint64_t>(seed));
        std::vector<uint8_t> bytes(40 + dice.below(400));
        for (uint8_t& b : bytes) b = static_cast<uint8_t>(dice.next());
        calls::Source source(bytes.data(), bytes.size());
        calls::Sequence sequence(source);
        sequence.run();
        frames += sequence.executed();
    }
    std::printf("%ld sequences, %ld frames compared\n", count, frames);
    CHECK(frames > 20 * count);
    return check::finish("random_calls");
}
