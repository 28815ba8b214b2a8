// How edges leave and enter ports: picked and split channels, edges that are not read, and the channels of every port.
#include "plan/routing.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <utility>

#include "plan/components.hpp"
#include "plan/parameters.hpp"

namespace amp {

namespace {

const amp_node_contract& contract_of(const Plan& plan, uint32_t i) { return *plan.nodes[i].type->contract; }

struct Channels {
    Plan& plan;
    Violations& v;

    const amp_node_contract& contract(uint32_t i) const { return contract_of(plan, i); }
    const std::string& name(uint32_t i) const { return plan.nodes[i].name; }

    void flow() {
        for (uint32_t i = 0; i < plan.nodes.size(); ++i) start(i);
        widen();
        std::map<std::pair<uint32_t, int32_t>, int32_t> stacked;
        for (PlanEdge& e : plan.edges) {
            if (e.port < 0) {
                modulation_channels(e);
                continue;
            }
            if (stacks(contract(e.dst).inputs[e.port])) {
                int32_t& end = stacked[{e.dst, e.port}];
                e.into = end;
                end += carried(plan, e);
            }
            audio_channels(e);
        }
        for (uint32_t i = 0; i < plan.nodes.size(); ++i) stacked_channels(i);
    }

    void start(uint32_t i) {
        PlanNode& n = plan.nodes[i];
        const auto& c = contract(i);
        if (c.channels_param) n.channels = static_cast<int32_t>(fixed_value(n, c.channels_param - 1));
        n.in_channels.assign(c.n_inputs, 0);
        outputs(i);
    }

    // Propagates channel counts from the sources: a node has as many channels as its widest audio input. Ports that
    // stack add their edges' channels, so a loop through such a port would widen without end: the propagation stops
    // above kMostChannels and the graph is refused.
    void widen() {
        const Lists out = leaving(plan.nodes.size(), plan.edges);
        std::vector<int32_t> seen(plan.edges.size());  // per edge: the channels it has added to its port so far
        std::deque<uint32_t> work;
        for (uint32_t i = 0; i < plan.nodes.size(); ++i) work.push_back(i);
        while (!work.empty()) {
            const uint32_t u = work.front();
            work.pop_front();
            for (uint32_t k : out[u]) {
                const PlanEdge& e = plan.edges[k];
                if (e.port < 0) continue;
                PlanNode& n = plan.nodes[e.dst];
                const int32_t c = carried(plan, e), more = c - std::exchange(seen[k], c);
                int32_t& port = n.in_channels[static_cast<size_t>(e.port)];
                port = stacks(contract(e.dst).inputs[e.port]) ? port + more : std::max(port, c);
                if (port <= n.channels || n.channels > kMostChannels || contract(e.dst).channels_param) continue;
                n.channels = port;
                outputs(e.dst);
                work.push_back(e.dst);
            }
        }
    }

    void outputs(uint32_t i) {
        const auto& c = contract(i);
        PlanNode& n = plan.nodes[i];
        n.out_channels.clear();
        for (uint32_t k = 0; k < c.n_outputs; ++k) {
            const auto& port = c.outputs[k];
            n.out_channels.push_back(port.gather == AMP_SCATTER_MATRIX      ? int32_t(matrix_shape(n).rows)
                                     : port.channels == AMP_CHANNELS_MONO   ? 1
                                     : port.channels == AMP_CHANNELS_STEREO ? 2
                                                                            : n.channels);
        }
    }

    void audio_channels(const PlanEdge& e) {
        const EdgeDescriptor& d = said_of(plan, e);
        const int32_t leave = plan.nodes[e.src].out_channels[e.src_port], got = carried(plan, e),
                      has = plan.nodes[e.dst].channels;
        const auto& input = contract(e.dst).inputs[e.port];
        const auto& output = contract(e.src).outputs[e.src_port];
        const std::string what = e.descriptor == kInserted ? plan.nodes[e.dst].origin : spelled(d);
        if (e.channel >= leave)
            v.add(text("%s: channel (got %d, allowed 0 to %d).", what.c_str(), e.channel, leave - 1),
                  text("%s.%s has %d%s.", name(e.src).c_str(), output.key, leave,
                       output.gather == AMP_SCATTER_SPLIT ? ", one for each of its edges; disconnect those too many"
                                                          : "; pick one of them"),
                  name(e.src), output.key);
        const char* allowed = nullptr;
        if (input.channels == AMP_CHANNELS_MONO && got != 1) allowed = "1";
        if (input.channels == AMP_CHANNELS_ANY && got > 2) allowed = "1 or 2";
        if (!stacks(input) && got != 1 && got != has) allowed = "1 or as many as the node's other inputs";
        if (allowed)
            v.add(text("%s.%s: channels from %s (got %d, allowed %s; the node has %d).", name(e.dst).c_str(), input.key,
                       name(e.src).c_str(), got, allowed, has),
                  "Pick one with channel=, or mix them before.", name(e.dst), input.key, AMP_E_SHAPE);
        if (d.has_tokens && d.tokens.channels != 1 && d.tokens.channels != static_cast<uint32_t>(got))
            v.add(text("%s: initial tokens (got %u channels, allowed 1 or %d).", what.c_str(), d.tokens.channels, got),
                  "Give one channel for all, or as many as the edge carries.", d.dst, d.dst_port, AMP_E_SHAPE);
    }

    // Checks the total channels of ports that stack their edges.
    void stacked_channels(uint32_t i) {
        const PlanNode& n = plan.nodes[i];
        const amp_node_contract& c = contract(i);
        for (uint32_t k = 0; k < c.n_inputs; ++k) {
            const int32_t got = n.in_channels[k];
            if (!stacks(c.inputs[k]) || got == 0) continue;
            if (got > kMostChannels) {
                v.add(
                    text("%s.%s: its edges stack to too many channels (got %d or more, allowed %d).", name(i).c_str(),
                         c.inputs[k].key, got, kMostChannels),
                    "A loop through a port that stacks widens for ever: pick one channel= on the edge that goes back.",
                    name(i), c.inputs[k].key, AMP_E_SHAPE);
            } else if (c.inputs[k].gather == AMP_GATHER_MATRIX) {
                const MatrixShape m = matrix_shape(n);
                if (m.columns != static_cast<uint32_t>(got))
                    v.add(text("%s.%s: its edges stack to %d channels (got a matrix of %u x %u, allowed %d columns).",
                               name(i).c_str(), c.inputs[k].key, got, m.rows, m.columns, got),
                          "Give the matrix one column per channel that comes in and one row per channel that goes out.",
                          name(i), c.inputs[k].key, AMP_E_SHAPE);
            } else if (got != 1 && got != n.channels) {
                v.add(text("%s.%s: its edges stack to %d channels (allowed 1 or %d, as many as the node's other "
                           "inputs).",
                           name(i).c_str(), c.inputs[k].key, got, n.channels),
                      "Connect as many, or pick some with channel=.", name(i), c.inputs[k].key, AMP_E_SHAPE);
            }
        }
    }

    void modulation_channels(const PlanEdge& e) {
        const ModulationDescriptor& d = plan.descriptors.modulations[e.descriptor];
        const int32_t got = plan.nodes[e.src].out_channels[e.src_port], has = plan.nodes[e.dst].channels;
        if (d.channel < -1 || d.channel >= got)
            v.add(text("modulation %s -> %s.%s: channel (got %d, allowed 0 to %d, or -1 for all).", d.src.c_str(),
                       d.dst.c_str(), d.param.c_str(), d.channel, got - 1),
                  "Pick a channel that the modulator has.", d.dst, d.param);
        else if (d.channel < 0 && got > has)
            v.add(text("modulation %s -> %s.%s: the modulator has more channels than the node (got %d, allowed at most "
                       "%d).",
                       d.src.c_str(), d.dst.c_str(), d.param.c_str(), got, has),
                  "Pick one with channel=.", d.dst, d.param, AMP_E_SHAPE);
    }
};

}  // namespace

// Assigns each edge of a splitting port its channel. The descriptor names the channel and edges are not counted, so
// renaming a node does not move any channel.
void pick_channels(Plan& plan, Violations& v) {
    std::map<std::tuple<uint32_t, uint32_t, int32_t>, uint32_t> taken;
    for (PlanEdge& e : plan.edges) {
        if (e.port < 0) continue;
        const EdgeDescriptor& d = plan.descriptors.edges[e.descriptor];
        e.channel = d.channel;
        if (contract_of(plan, e.src).outputs[e.src_port].gather != AMP_SCATTER_SPLIT) continue;
        const std::string what = spelled(d);
        if (d.channel < 0) {
            v.add(text("%s: %s.%s splits and the edge names no channel.", what.c_str(), d.src.c_str(),
                       d.src_port.c_str()),
                  "Give it channel=.", d.src, d.src_port);
            continue;
        }
        const auto [first, fresh] = taken.emplace(std::tuple{e.src, e.src_port, d.channel}, e.descriptor);
        if (!fresh)
            v.add(text("%s: channel %d of %s.%s leaves by the %s already.", what.c_str(), d.channel, d.src.c_str(),
                       d.src_port.c_str(), spelled(plan.descriptors.edges[first->second]).c_str()),
                  "Name another channel, or pick the channel from the signal before the split.", d.src, d.src_port);
    }
}

// Removes unread edges: all but the first of ports that take one edge. Edges are in slot order.
void drop_unread(Plan& plan) {
    std::set<std::pair<uint32_t, int32_t>> fed;
    std::vector<PlanEdge> live;
    live.reserve(plan.edges.size());
    for (const PlanEdge& e : plan.edges)
        if (e.port >= 0 && contract_of(plan, e.dst).inputs[e.port].gather == AMP_GATHER_FIRST &&
            !fed.emplace(e.dst, e.port).second)
            plan.dead.push_back(e.descriptor);
        else
            live.push_back(e);
    plan.edges = std::move(live);
}

void flow_channels(Plan& plan, Violations& v) { Channels{plan, v}.flow(); }

}  // namespace amp
