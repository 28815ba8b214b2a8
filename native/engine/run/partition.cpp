// Divides a graph into voices that can run on different threads. Nodes with many readers (a shared lfo), with
// everything they read, form the prologue; nodes that would join voices into one larger than a share of the work (a
// mix), with everything that reads them, form the epilogue; what remains falls apart into voices. Both thresholds are
// searched over the constants below.
#include "engine/run/partition.hpp"

#include <algorithm>
#include <numeric>

#include "engine/run/shard.hpp"

namespace amp {

namespace {

constexpr uint32_t kPrologueReaders[] = {2, 8, 32, UINT32_MAX};  // readers from which a node belongs to the prologue
// voices per thread: larger voices leave less for the epilogue, more voices balance better
constexpr uint32_t kVoicesPerThread[] = {1, 3};
// values per block that must run in parallel, about 8 us of work: below, waking threads costs more
constexpr uint64_t kLeastSaved = 16384;
constexpr double kLeastGain = 0.8;  // upper limit of the divided time relative to the undivided time

// Divides units into prologue, parts and epilogue for one pair of thresholds.
struct Divider {
    const Plan& plan;
    std::vector<uint32_t> unit;                          // per node: the first node of its unit
    std::vector<uint64_t> rows;                          // per unit: values per frame, all channels, batches and lanes
    std::vector<std::pair<uint32_t, uint32_t>> reads{};  // (reader, source) pairs of units, sorted by reader
    std::vector<uint32_t> readers{};                     // per unit: how many units read it
    uint64_t total = 0;                                  // values per frame of the whole shard

    // Collects which units read which.
    void join() {
        for (const PlanEdge& e : plan.edges)
            if (unit[e.src] != unit[e.dst]) reads.emplace_back(unit[e.dst], unit[e.src]);
        std::sort(reads.begin(), reads.end());
        reads.erase(std::unique(reads.begin(), reads.end()), reads.end());
        readers.resize(unit.size());
        for (const auto& [reader, source] : reads) ++readers[source];
        total = std::accumulate(rows.begin(), rows.end(), uint64_t{0});
    }

    // Per unit: it has `many` readers or more, or such a unit depends on it.
    std::vector<bool> prologue(uint32_t many) const {
        std::vector<bool> first(unit.size());
        for (uint32_t u = 0; u < unit.size(); ++u) first[u] = readers[u] >= many;
        for (auto it = reads.rbegin(); it != reads.rend(); ++it)
            if (first[it->first]) first[it->second] = true;
        return first;
    }

    // Merges units into voices, sources first. A unit whose voice would exceed `share` values per frame goes to the
    // epilogue.
    Parts divide(uint32_t threads, uint32_t many, uint64_t share) const {
        const std::vector<bool> first = prologue(many);
        std::vector<uint32_t> voice(unit.size());
        std::iota(voice.begin(), voice.end(), 0u);
        const auto find = [&](uint32_t u) {
            while (voice[u] != u) u = voice[u] = voice[voice[u]];
            return u;
        };
        std::vector<uint64_t> size = rows;
        std::vector<bool> last(unit.size());
        std::vector<uint32_t> met;
        auto read = reads.begin();
        for (uint32_t u = 0; u < unit.size(); ++u) {
            met.assign(1, u);
            for (; read != reads.end() && read->first == u; ++read) {
                if (last[read->second]) last[u] = true;
                if (!first[read->second] && !last[read->second]) met.push_back(find(read->second));
            }
            if (unit[u] != u || first[u] || last[u]) continue;
            std::sort(met.begin(), met.end());
            met.erase(std::unique(met.begin(), met.end()), met.end());
            uint64_t sum = 0;
            for (uint32_t v : met) sum += size[v];
            if (sum > share) {
                last[u] = true;
                continue;
            }
            for (uint32_t v : met) voice[v] = met.front();
            size[met.front()] = sum;
        }
        return spread(threads, first, last, size, find);
    }

    // Assigns voices to parts, largest first, each to the part with the least load.
    template <class Find>
    Parts spread(uint32_t threads, const std::vector<bool>& first, const std::vector<bool>& last,
                 const std::vector<uint64_t>& size, const Find& find) const {
        Parts p;
        p.count = threads;
        p.of.resize(unit.size());
        std::vector<uint32_t> voices, at(unit.size());
        std::vector<uint64_t> load(threads + 2);
        for (uint32_t u = 0; u < unit.size(); ++u)
            if (unit[u] == u && !first[u] && !last[u] && find(u) == u) voices.push_back(u);
        std::stable_sort(voices.begin(), voices.end(), [&](uint32_t a, uint32_t b) { return size[a] > size[b]; });
        for (uint32_t v : voices) {
            const auto least = std::min_element(load.begin() + 1, load.begin() + 1 + threads);
            at[v] = static_cast<uint32_t>(least - load.begin());
            *least += size[v];
        }
        for (uint32_t u = 0; u < unit.size(); ++u) {
            const uint32_t of = unit[u];
            p.of[u] = first[of] ? Parts::kPrologue : last[of] ? p.epilogue() : at[find(of)];
            if (first[of] || last[of]) load[p.of[u]] += rows[u];
        }
        p.saved_rows =
            total - load[Parts::kPrologue] - load[p.epilogue()] - *std::max_element(&load[1], &load[1] + threads);
        return p;
    }
};

}  // namespace

// Tries all thresholds and keeps the division that saves most, unless it saves too little.
void Shard::divide(uint32_t threads) {
    if (threads < 2) return;
    Divider d{plan_, std::vector<uint32_t>(work_.size()), std::vector<uint64_t>(work_.size())};
    for (uint32_t u = 0; u < work_.size(); ++u) {
        const int32_t c = plan_.nodes[u].component;
        d.unit[u] = c < 0 ? leader(u) : plan_.components[static_cast<size_t>(c)].nodes.front();
        if (!is_leader(u)) continue;
        d.rows[d.unit[u]] += static_cast<uint64_t>(plan_.nodes[u].channels) * static_cast<uint64_t>(env(u).groups) *
                             static_cast<uint64_t>(env(u).width);
    }
    d.join();
    for (const uint32_t many : kPrologueReaders)
        for (const uint32_t voices : kVoicesPerThread) {
            const uint64_t most = uint64_t{threads} * voices;
            if (Parts p = d.divide(threads, many, (d.total + most - 1) / most); p.saved_rows > parts_.saved_rows)
                parts_ = std::move(p);
        }
    const uint32_t block = common_.config.block_frames ? common_.config.block_frames : kLeastBlock;
    if (parts_.saved_rows * block < kLeastSaved ||
        static_cast<double>(d.total - parts_.saved_rows) > kLeastGain * static_cast<double>(d.total))
        parts_ = {};
}

// Lists the units of each group in firing order.
void Shard::list_units() {
    if (parts_.count == 0) return;
    units_.resize(parts_.groups());
    for (uint32_t u = 0; u < work_.size(); ++u) {
        const int32_t c = plan_.nodes[u].component;
        const bool inner = c >= 0 && plan_.components[static_cast<size_t>(c)].nodes.front() != u;
        if (!inner && is_leader(u) && !work_[u].is_constant()) units_[parts_(u)].push_back(u);
    }
}

bool Shard::goes_apart(const Firing& f) const { return common_.pool && parts_.saved_rows * f.frames >= kLeastSaved; }

// Runs a block on several threads; constant outputs have been written before.
void Shard::run_apart(const Firing& f, const std::vector<TapCopy>& taps, int64_t origin) {
    for (const TapCopy& t : taps)
        if (work_[t.node].is_constant()) copy_tap(t, f, origin);
    run_units(Parts::kPrologue, f, taps, origin);
    common_.pool->run([&](uint32_t k) { run_units(1 + k, f, taps, origin); });
    run_units(parts_.epilogue(), f, taps, origin);
}

// Runs the units of one group, and copies their tapped outputs.
void Shard::run_units(uint32_t group, const Firing& f, const std::vector<TapCopy>& taps, int64_t origin) {
    auto tap = taps.begin();
    for (uint32_t u : units_[group]) {
        const int32_t c = plan_.nodes[u].component;
        uint32_t end = u + fired_with(u);
        if (c >= 0) {
            const Component& component = plan_.components[static_cast<size_t>(c)];
            run_component(component, f, false);
            end = component.nodes.back() + 1;
        }
        run_ops<true>(first_op_[u], first_op_[u + 1], f);
        while (tap != taps.end() && tap->node < u) ++tap;
        for (; tap != taps.end() && tap->node < end; ++tap) copy_tap(*tap, f, origin);
    }
    table_->publish();
}

}  // namespace amp
