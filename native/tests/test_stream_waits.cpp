// Streams that wait: which node is named, which ring grows, which frames are skipped; all of it from several threads.
#include <atomic>
#include <thread>

#include "stream_rig.hpp"

namespace {

using rig::noise, rig::part, rig::same, rig::Samples, rig::Stream, rig::two_ways;

// A gate stalls its consumers and the nodes that read them, no others; the samples do not change.
void gates() {
    const Samples x = noise(300, 1), y = noise(300, 2);
    std::vector<Samples> sound[2];
    for (const bool gated : {false, true}) {
        Stream s(two_ways(gated), 1, 64);
        const uint32_t out = s.tap(), left = s.tap("left"), after = s.tap("after"), free = s.tap("free");
        CHECK(s.push("a", x) == AMP_OK && s.push("b", part(y, 1, 0, 100)) == AMP_OK);
        CHECK(s.pull(free, 300).size() == 300 && s.status == AMP_OK);
        Samples l = s.pull(left, 300), f = s.pull(after, 300);
        CHECK(s.status == (gated ? AMP_E_PENDING : AMP_OK));
        if (gated)
            CHECK(l.size() == 100 && f.size() == 100 &&
                  s.says("after: frame 100 waits for input \"b\" (pushed up to") && s.says("gate \"beat\"") &&
                  s.says("Stalled: after, left, right"));
        else
            CHECK(l.size() == 300 && f.size() == 300);
        CHECK(s.clock("free") == 300 && s.clock("left") == (gated ? 100 : 300) && s.clock("right") == 100);
        CHECK(s.pull(out, 101).size() == 100 && s.status == AMP_E_PENDING && !std::strcmp(s.error.node, "b"));
        CHECK(s.push("b", part(y, 1, 100, 200)) == AMP_OK);
        if (gated) {
            const Samples rest = s.pull(left, 200), more = s.pull(after, 200);
            l.insert(l.end(), rest.begin(), rest.end()), f.insert(f.end(), more.begin(), more.end());
        }
        sound[gated] = {l, f, s.pull(out, 200)};
        CHECK(s.info(out).position == 300);
    }
    for (size_t i = 0; i < 3; ++i) CHECK(same(sound[0][i], sound[1][i]));
}

// A ring grows for a reader that lags and keeps its tokens; at its limit the error names it.
void growth() {
    Stream s(two_ways(false), 1, 16, 0, 256);
    const uint32_t out = s.tap(), free = s.tap("free");
    const Samples x = noise(1000, 3);
    CHECK(s.push("a", x) == AMP_E_FULL && s.says("a.out: the ring is full (needs 1000 frames, allowed 256)"));
    CHECK(s.clock("a") == 0);
    CHECK(s.push("a", part(x, 1, 0, 200)) == AMP_OK && s.push("b", part(x, 1, 0, 200)) == AMP_OK);
    CHECK(same(s.pull(free, 200), part(x, 1, 0, 200)));
    CHECK(s.ring("a").grown > 0 && s.ring("a").most == 200 && s.ring("a").fill == 0);
    // `out` is not read, so the samples of b stay in its ring; the error names the reader that blocks
    CHECK(s.push("b", part(x, 1, 200, 200)) == AMP_E_FULL && s.says("b.out: the ring is full (needs "));
    CHECK(s.says(": right has read up to frame ") && s.says(", as out.out is full: its tap has read up to frame 0."));
    CHECK(s.pull(out, 200).size() == 200 && s.push("b", part(x, 1, 200, 200)) == AMP_OK);
    CHECK(s.push("a", part(x, 1, 200, 200)) == AMP_OK && s.pull(free, 200).size() == 200);
    CHECK(s.pull(out, 200).size() == 200 && s.status == AMP_OK && s.info(out).underruns == 0);
    CHECK(s.pull(out, 5).empty() && s.status == AMP_E_PENDING && s.info(out).underruns == 1);
    CHECK(s.pull(out, 5, AMP_PULL_READY).empty() && s.status == AMP_OK && s.info(out).underruns == 2);
}

// A lossless tap that is not read stops its node at the ring's limit; an AMP_TAP_LATEST tap skips frames and counts
// them.
void taps() {
    const blob::Graph g = graphs::chain();
    Stream s(g, 1, 32, 0, 500);
    const uint32_t out = s.tap(), idle = s.tap("level");
    Samples y = s.pull(out, 2000);
    CHECK(s.status == AMP_E_FULL && y.size() == 2 * 500 && s.says("level.out: the ring is full") && s.says("its tap"));
    const Samples held = s.pull(idle, 500);
    CHECK(same(held, y));
    CHECK(amp_stream_close_tap(s.raw, idle, nullptr) == AMP_OK && s.pull(out, 2000).size() == 4000);
    CHECK(s.pull(out, 1, 0).size() == 2 && amp_stream_close_tap(s.raw, idle, nullptr) == AMP_E_INVALID_ARG);

    Stream live(g, 1, 32);
    const uint32_t all = live.tap(), seen = live.tap("level", AMP_TAP_LATEST, 100);
    y = live.pull(all, 1000);
    CHECK(live.info(seen).skipped == 900 && live.info(seen).ready == 100 && live.info(seen).position == 900);
    CHECK(same(live.pull(seen, 60), part(y, 2, 940, 60)));
    CHECK(live.info(seen).skipped == 940 && live.pull(seen, 1).empty() && live.status == AMP_OK);
    y = live.pull(all, 50);
    CHECK(same(live.pull(seen, 100), y) && live.info(seen).underruns == 2);
    CHECK(live.ring("level").capacity <= 260);  // it did not block any node

    const uint32_t late = live.tap("tone");  // reads from the next frame on
    CHECK(live.info(late).position == live.clock("tone") && live.info(late).ready == 0);
}

// A ring that cannot grow for lack of memory is unchanged, and the stream continues.
void no_memory_to_grow() {
    Stream s(graphs::chain(), 9, 32, 0, int64_t{1} << 30);
    const uint32_t out = s.tap();
    const Samples first = s.pull(out, 100);
    for (int i = 0; i < 3; ++i) {
        uint32_t id = 0;
        CHECK(amp_stream_open_tap(s.raw, "level", nullptr, AMP_TAP_LATEST, int64_t{1} << 30, &id, &s.error) ==
              AMP_E_NOMEM);
        CHECK(s.says("the token arena is full") && s.ring("level").grown == 0);
    }
    Stream other(graphs::chain(), 9);
    const uint32_t all = other.tap();
    CHECK(same(first, other.pull(all, 100)) && same(s.pull(out, 500), other.pull(all, 500)));
}

// An artificial deadlock in one part of a graph (M. Geilen, T. Basten) while another part can run for ever: two paths
// with different delays meet after rings of one frame. Only a ring of the blocked part can resolve it, and it must
// grow.
void artificial_deadlocks() {
    blob::Graph g;
    g.nodes = {{"live", "sine"},  {"meter", "gain"},
               {"fork", "noise"}, {"long", "fir", {blob::integer("half_length", 300)}},
               {"meet", "mix"},   {"out", "output"}};
    g.edges = {
        {"live", "meter"}, {"fork", "long"}, {"fork", "meet", 0, "out", "in", 1}, {"long", "meet"}, {"meet", "out"}};
    g.output = "out";
    rig::Runtime whole(g);
    CHECK(whole.configure() == AMP_OK);
    const Samples want = whole.render(400);
    for (const uint32_t block : {1u, 64u}) {
        Stream s(g, 1, block, 1);
        const uint32_t meter = s.tap("meter", AMP_TAP_LATEST, 1), out = s.tap();
        CHECK(same(s.pull(out, 400), want) && s.status == AMP_OK);
        const amp_stream_ring fork = s.ring("fork");
        CHECK(fork.grown >= 8 && fork.most > 300 && fork.capacity < 1024);
        CHECK(s.clock("live") >= 400 && s.info(meter).skipped >= 399);
    }
    Stream tight(g, 1, 64, 1, 200);
    CHECK(tight.pull(tight.tap(), 400).empty() && tight.status == AMP_E_FULL &&
          tight.says("fork.out: the ring is full"));
    CHECK(tight.clock("live") > 0);
}

// Pushing, pulling, setting and querying from several threads: the only reader of a tap gets the bits of one render.
void threads() {
    blob::Graph g = two_ways(true);
    Stream s(g, 9, 64);
    constexpr int64_t kLong = 20000;
    const Samples x = noise(kLong, 8);
    rig::Runtime whole(g);
    CHECK(whole.configure(9) == AMP_OK);
    Samples copy = x;
    const amp_buffer b = rig::view(copy, 1, 1, kLong);
    for (const char* in : {"a", "b"}) CHECK(whole.note(amp_graph_runtime_bind_input(whole.raw, in, &b)) == AMP_OK);
    const Samples want = whole.render(kLong, 9);
    const uint32_t out = s.tap(), seen = s.tap("free", AMP_TAP_LATEST, 64);
    std::atomic<bool> done{false};
    std::atomic<int> refused{0};
    std::vector<std::thread> crowd;
    for (const char* in : {"a", "b"})
        crowd.emplace_back([&, in] {
            for (int64_t n = 0; n < kLong; n += 500) {
                Samples mine = part(x, 1, n, 500);
                const amp_buffer some = rig::view(mine, 1, 1, 500);
                // CHECK may be used by one thread only
                refused += amp_stream_push(s.raw, in, &some, nullptr) != AMP_OK;
            }
        });
    crowd.emplace_back([&] {  // makes output frames ahead of the reader
        while (!done) amp_stream_advance(s.raw, out, 3000, 300, nullptr, nullptr), std::this_thread::yield();
    });
    crowd.emplace_back([&] {  // reads a meter tap and counters, and sets parameters that do not affect the output
        Samples y(9 * 64);
        const amp_buffer some = rig::view(y, 9, 1, 64);
        double half = 0.5;
        const amp_buffer knob{sizeof knob, 1, 1, 0, 1, 1, 1, &half};
        for (uint32_t id = 0; !done; amp_stream_close_tap(s.raw, id, nullptr)) {
            amp_stream_pull(s.raw, seen, &some, 0, nullptr, nullptr);
            amp_stream_set_param(s.raw, "after", "gain", &knob, -1, nullptr, nullptr);
            amp_stream_open_tap(s.raw, "after", nullptr, AMP_TAP_LATEST, 100, &id, nullptr);
            amp_stream_tap t{};
            amp_stream_ring ring{};
            t.struct_size = sizeof t, ring.struct_size = sizeof ring;
            refused += amp_stream_tap_info(s.raw, seen, &t, nullptr) != AMP_OK;
            refused += amp_stream_ring_info(s.raw, 0, &ring, nullptr) != AMP_OK;
            refused += s.clock("out") > kLong;
        }
    });
    Samples got(want.size());
    int64_t heard = 0;
    while (heard < kLong) {
        amp_buffer some = rig::view(got, 9, 1, kLong);
        some.data += heard;
        some.frames = std::min<int64_t>(700, kLong - heard);
        int64_t n = 0;
        const amp_status status = amp_stream_pull(s.raw, out, &some, heard % 2 ? AMP_PULL_READY : 0, &n, nullptr);
        if (status != AMP_OK && status != AMP_E_PENDING) break;
        heard += n;
        if (n == 0) std::this_thread::yield();
    }
    done = true;
    for (auto& t : crowd) t.join();
    CHECK(refused == 0 && heard == kLong && same(got, want));
}

}  // namespace

int main() {
    gates();
    growth();
    taps();
    no_memory_to_grow();
    artificial_deadlocks();
    threads();
    return check::finish("stream waits");
}
