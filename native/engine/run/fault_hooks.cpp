// Deliberate faults, for tests of the worker process. Compiled only into the test-hooks flavour. The environment
// variable AMP_TEST_FAULT="node:frame:segv|fpe|abort|hang" selects one.
#include "engine/run/shard.hpp"

#ifdef AMP_TEST_HOOKS
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <cstring>
#endif

namespace amp {

#ifdef AMP_TEST_HOOKS
namespace {

struct Plot {
    std::string node, kind;
    int64_t frame = -1;
};

Plot read_plot() {
    Plot p;
    const char* s = std::getenv("AMP_TEST_FAULT");
    if (!s) return p;
    const std::string all = s;
    const size_t last = all.rfind(':'),
                 middle = last == std::string::npos || last == 0 ? std::string::npos : all.rfind(':', last - 1);
    if (middle == std::string::npos) return p;
    p.node = all.substr(0, middle);
    std::from_chars(all.data() + middle + 1, all.data() + last, p.frame);  // frame stays -1 if the text is not a number
    p.kind = all.substr(last + 1);
    return p;
}

}  // namespace

void Shard::test_hook(uint32_t u, const Firing& f) const {
    const Plot plot = read_plot();
    if (plot.frame < f.frame || plot.frame >= f.frame + f.frames || plot.node != plan_.nodes[u].name) return;
    if (plot.kind == "segv") std::raise(SIGSEGV);
    if (plot.kind == "fpe") std::raise(SIGFPE);
    if (plot.kind == "abort") std::abort();
    volatile bool forever = plot.kind == "hang";
    while (forever) {}
}
#endif

}  // namespace amp
