// Passes 10,000 mutated blobs of each kind through the whole interface: every call must return a status. Prints how
// many returned which. Fails if less than 30 % passed the reader, or if a blob took too long or the process became too
// large.
//
// mutate_blobs [COUNT] [FIRST]: number of blobs, and seed of the first.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <map>

#include "check.hpp"
#include "exercise.hpp"
#include "mutations.hpp"

#if defined(__linux__)
#include <sys/resource.h>
#endif

namespace {

using blob::Bytes;
using mutations::Dice;

constexpr double kLongest = 10.0;            // seconds for one blob, with sanitizers and on a loaded machine
constexpr long kLargest = 2L * 1024 * 1024;  // resident size of the process, kB

struct Tally {
    std::map<amp_status, long> of;
    long total = 0, reached = 0, executed = 0;
    double slowest = 0;
};

void report(const char* kind, const Tally& t) {
    std::printf("%s: %ld blobs, %.1f %% past the reader, %ld rendered, slowest %.0f ms\n", kind, t.total,
                100.0 * double(t.reached) / double(t.total), t.executed, 1e3 * t.slowest);
    for (const auto& [status, n] : t.of) std::printf("  %-18s %6ld\n", amp_status_name(status), n);
    CHECK(t.reached * 10 >= t.total * 3);
    CHECK(t.of.count(AMP_OK) && !t.of.count(AMP_E_INTERNAL));
    CHECK(t.slowest < kLongest);
}

// `one` makes the blob of a seed, uses it and returns the outcome.
void run(const char* kind, long first, long count, const std::function<exercise::Outcome(Dice&)>& one) {
    Tally t;
    for (long seed = first; seed < first + count; ++seed) {
        Dice dice(static_cast<uint64_t>(seed));
        const auto start = std::chrono::steady_clock::now();
        const exercise::Outcome o = one(dice);
        const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        if (seconds > 1.0) std::printf("%s %ld took %.1f s\n", kind, seed, seconds);
        t.slowest = std::max(t.slowest, seconds);
        ++t.total;
        ++t.of[o.last];
        t.reached += o.compiled != AMP_E_BLOB;
        t.executed += o.executed;
        CHECK(o.last <= AMP_OK && o.last >= AMP_E_FULL);
    }
    report(kind, t);
}

Bytes mutated(Dice& d, std::vector<blob::Graph> seeds) {
    blob::Graph& g = d.of(seeds);
    const bool structured = !d.one_in(4);
    for (size_t k = structured ? 1 + d.below(3) : 0; k > 0; --k) mutations::mutate(d, g);
    Bytes b = blob::descriptors(g);
    if (!structured) mutations::damage(d, b);
    return b;
}

struct Pair {
    Bytes descriptors, plan;
};

std::vector<Pair> compiled() {
    std::vector<Pair> list;
    for (const auto& g : graphs::all()) {
        Pair p{blob::descriptors(g), {}};
        amp_bytes plan{};
        CHECK(amp_plan_compile(p.descriptors.data(), p.descriptors.size(), &plan, nullptr) == AMP_OK);
        p.plan.assign(plan.data, plan.data + plan.size);
        amp_bytes_free(&plan);
        list.push_back(p);
    }
    return list;
}

void plans(long first, long count) {
    const auto seeds = compiled();
    run("plans", first, count, [&](Dice& d) {
        const Pair& of = d.of(seeds);
        Bytes plan = d.one_in(16) ? d.of(seeds).plan : of.plan;
        if (!d.one_in(64)) mutations::damage(d, plan);
        exercise::Outcome o = exercise::descriptors(of.descriptors, plan);
        o.compiled = o.last;
        return o;
    });
}

void histories(long first, long count) {
    rig::Runtime voice(graphs::voice());
    CHECK(voice.status == AMP_OK);
    run("histories", first, count, [&](Dice& d) {
        auto curves = graphs::voice_curves();
        for (size_t k = d.below(3); k > 0; --k) mutations::mutate(d, curves);
        Bytes b = blob::history(curves);
        if (d.one_in(3)) mutations::damage(d, b);
        const amp_status s = exercise::history(b, voice);
        return exercise::Outcome{s, s, s == AMP_OK};
    });
}

void schedules(long first, long count) {
    const exercise::Schedules of;
    run("schedules", first, count, [&](Dice& d) {
        const size_t k = d.below(of.stages.size());
        blob::Stages stages = of.stages[k];
        for (size_t n = d.below(3); n > 0; --n) mutations::mutate(d, stages);
        Bytes b = blob::schedule(stages);
        if (d.one_in(4)) mutations::damage(d, b);
        return exercise::schedule(b, of.descriptors[k]);
    });
}

void snapshots(long first, long count) {
    exercise::Snapshots of;
    run("snapshots", first, count, [&](Dice& d) {
        Bytes b = d.of(of.cuts);
        if (!d.one_in(64)) mutations::damage(d, b);
        const amp_status s = exercise::snapshot(b, of);
        return exercise::Outcome{s, s, s == AMP_OK};
    });
}

}  // namespace

int main(int argc, char** argv) {
    const long count = argc > 1 ? std::atol(argv[1]) : 10000, first = argc > 2 ? std::atol(argv[2]) : 1;
    run("descriptors", first, count, [](Dice& d) { return exercise::descriptors(mutated(d, graphs::all())); });
    plans(first, count);
    histories(first, count);
    schedules(first, count);
    snapshots(first, count);
#if defined(__linux__)
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    std::printf("largest size of the process: %ld MB\n", usage.ru_maxrss / 1024);
    CHECK(usage.ru_maxrss < kLargest);
#endif
    return check::finish("mutated blobs");
}
