// libFuzzer target: sequences of calls on runtimes of a few graphs.
#include "calls.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    calls::Source source(data, size);
    calls::Sequence(source).run();
    return 0;
}
