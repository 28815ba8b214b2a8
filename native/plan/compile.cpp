// Checks descriptors against contracts: names, ports, channels, heat shares. align() and order_nodes() then make the
// plan.
#include <algorithm>
#include <cmath>
#include <map>

#include "plan/components.hpp"
#include "plan/parameters.hpp"
#include "plan/routing.hpp"

namespace amp {

namespace {

constexpr uint64_t kLongestDelay = uint64_t{1} << 31;

struct Compiler {
    Plan plan;
    Violations v;

    const amp_node_contract& contract(uint32_t i) const { return *plan.nodes[i].type->contract; }
    const std::string& name(uint32_t i) const { return plan.nodes[i].name; }

    static int32_t port(const amp_port_contract* ports, uint32_t n, const std::string& key) {
        for (uint32_t i = 0; i < n; ++i)
            if (key == ports[i].key) return static_cast<int32_t>(i);
        return -1;
    }
    static std::string keys(const amp_port_contract* ports, uint32_t n) {
        std::string s;
        for (uint32_t i = 0; i < n; ++i) s += (i ? ", " : "") + std::string(ports[i].key);
        return s.empty() ? "none" : s;
    }

    static std::string modulable(const amp_node_contract& c) {
        std::string s;
        for (uint32_t k = 0; k < c.n_params; ++k)
            if (c.params[k].kind == AMP_PARAM_NUMBER && c.params[k].rate == AMP_RATE_FRAME)
                s += (s.empty() ? "" : " or ") + std::string(c.params[k].key);
        return s;
    }

    void nodes() {
        const Descriptors& d = plan.descriptors;
        if (!(d.sample_rate >= 1.0 && d.sample_rate <= 1e7))
            v.add(text("sample_rate: out of range (got %g Hz, allowed 1 to 1e7).", d.sample_rate), "Give a rate in Hz.",
                  "");
        if (d.heat_policy > 1)
            v.add(text("heat policy: unknown (got %u, allowed 0 report, 1 halt).", d.heat_policy),
                  "Choose one of them.", "");
        plan.nodes.resize(d.nodes.size());
        for (uint32_t i = 0; i < d.nodes.size(); ++i) {
            const NodeDescriptor& n = d.nodes[i];
            if (n.name.empty()) v.add("a node has no name.", "Give every node a name.", "");
            if (i > 0 && d.nodes[i - 1].name == n.name)  // nodes are sorted by name
                v.add(text("%s: two nodes have this name.", n.name.c_str()), "Rename one.", n.name);
            check_extensions(n.extensions, n.name, n.name, "", v);
            const NodeType* type = find_type(n.type);
            if (!type) {
                v.add(text("%s: unknown node type \"%s\".", n.name.c_str(), n.type.c_str()),
                      "`amp-lab nodes` lists the types.", n.name);
                continue;
            }
            plan.nodes[i].type = type;
            say(n, plan.nodes[i]);
            node(n, *type->contract, plan.nodes[i]);
        }
        v.raise();  // edges are checked against node types, so every node must have one
    }

    static void say(const NodeDescriptor& n, PlanNode& p) {
        p.descriptor = &n;
        p.name = n.name;
        p.oversample = n.oversample;
        p.heat_j_per_frame = n.heat_j_per_frame;
        p.capacity_j_per_k = n.capacity_j_per_k;
        p.conductance_w_per_k = n.conductance_w_per_k;
    }

    void node(const NodeDescriptor& n, const amp_node_contract& c, PlanNode& p) {
        if (n.revision != c.revision)
            v.add(text("%s: made for %s revision %u, this library has revision %u (contract %s).", n.name.c_str(), c.id,
                       n.revision, c.revision, hex(contract_digest(c)).c_str()),
                  "Rebuild the graph and bless its goldens anew.", n.name, "", AMP_E_DRIFT);
        if (n.oversample != 1)
            v.add(text("%s: oversample_ratio (got %u, allowed 1).", n.name.c_str(), n.oversample),
                  "This node runs at the sample rate.", n.name, "", AMP_E_UNSUPPORTED);
        for (double t : {n.heat_j_per_frame, n.capacity_j_per_k, n.conductance_w_per_k})
            if (std::isinf(t) || t < 0)
                v.add(text("%s: thermo constants are finite and not negative (got %g).", n.name.c_str(), t),
                      "Give a number from 0 on, or leave it out.", n.name);
        if (n.capacity_j_per_k == 0.0)
            v.add(text("%s: thermo capacity is above zero (got 0).", n.name.c_str()),
                  "Give J/K above zero, or leave it out.", n.name);
        // T[n] = (1 - G / (C fs)) T[n-1] + q[n] / C diverges if 1 - G / (C fs) < -1.
        if (const double g = n.conductance_w_per_k / (n.capacity_j_per_k * plan.descriptors.sample_rate); g >= 2.0)
            v.add(text("%s: thermo constants are unstable (got conductance / (capacity fs) = %g, allowed below 2).",
                       n.name.c_str(), g),
                  "Raise the capacity or lower the conductance.", n.name);
        check_parameters(n, c, plan.descriptors.sample_rate, p.parameter, v);
        for (uint32_t k = 0; k < c.n_params; ++k) {
            const Parameter* q = p.parameter[k] < 0 ? nullptr : &n.parameters[static_cast<size_t>(p.parameter[k])];
            const bool names_curve = k + 1 == c.curve_param;
            if (names_curve && (!q || q->text.empty()))
                v.add(text("%s.%s: no control curve is named.", n.name.c_str(), c.params[k].key),
                      "Give the name of a curve.", n.name, c.params[k].key);
            else if (q && (names_curve || q->kind == Parameter::kCurve))
                plan.curves.push_back(q->text);
        }
    }

    // Finds both ends of an edge or modulation. Returns false, and adds a violation, if either node is unknown.
    template <class Link> bool ends(const Link& d, PlanEdge& e) {
        for (const auto& [place, name] : {std::pair(d.from, &d.src), std::pair(d.to, &d.dst)})
            if (place == kNoNode) {
                v.add(text("%s: there is no node \"%s\" (allowed %s).", spelled(d).c_str(), name->c_str(),
                           listed(plan.descriptors.nodes, [](const auto& n) { return n.name; }).c_str()),
                      "Name one of these, or add it.", *name);
                return false;
            }
        e.src = d.from;
        e.dst = d.to;
        const auto& c = contract(e.src);
        const int32_t p = port(c.outputs, c.n_outputs, d.src_port);
        if (p < 0)
            v.add(text("%s: %s has no output \"%s\" (it has %s).", spelled(d).c_str(), d.src.c_str(),
                       d.src_port.c_str(), keys(c.outputs, c.n_outputs).c_str()),
                  c.n_outputs ? "Use one of these." : "Connect from another node.", d.src, d.src_port);
        if (e.delay > kLongestDelay)
            v.add(text("%s: delay_frames (got %llu, allowed 0 to %llu).", spelled(d).c_str(),
                       static_cast<unsigned long long>(e.delay), static_cast<unsigned long long>(kLongestDelay)),
                  "Use a shorter delay.", d.dst);
        e.src_port = static_cast<uint32_t>(std::max(p, 0));
        return p >= 0;
    }

    void edges() {
        const auto& all = plan.descriptors.edges;
        plan.edges.reserve(all.size() + plan.descriptors.modulations.size());
        const EdgeDescriptor* before = nullptr;  // edges are sorted by destination, port and slot
        for (uint32_t i = 0; i < all.size(); ++i) {
            const EdgeDescriptor& d = all[i];
            PlanEdge e{0, 0, 0, -1, -1, i, d.delay, 0, false, d.kappa};
            check_extensions(d.extensions, spelled(d), d.dst, d.dst_port, v);
            if (!ends(d, e)) continue;
            const auto& c = contract(e.dst);
            e.port = port(c.inputs, c.n_inputs, d.dst_port);
            if (e.port < 0) {
                v.add(text("%s: %s has no input \"%s\" (it has %s).", spelled(d).c_str(), d.dst.c_str(),
                           d.dst_port.c_str(), keys(c.inputs, c.n_inputs).c_str()),
                      c.n_inputs ? "Use one of these." : "Connect to another node.", d.dst, d.dst_port);
                continue;
            }
            if (before && before->to == d.to && before->dst_port == d.dst_port && before->slot == d.slot)
                v.add(text("%s: slot %d is taken.", spelled(d).c_str(), d.slot),
                      "Give each edge of a port its own slot.", d.dst, d.dst_port);
            before = &d;
            if (d.has_tokens && d.tokens.frames != d.delay)
                v.add(text("%s: initial tokens (got %llu frames, allowed exactly delay_frames = %llu).",
                           spelled(d).c_str(), static_cast<unsigned long long>(d.tokens.frames),
                           static_cast<unsigned long long>(d.delay)),
                      "Give one for each frame of delay.", d.dst, d.dst_port, AMP_E_SHAPE);
            for (double x : d.tokens.data)
                if (!std::isfinite(x)) {
                    v.add(text("%s: initial tokens must be finite.", spelled(d).c_str()),
                          "Give numbers without NaN and Inf.", d.dst, d.dst_port);
                    break;
                }
            if (d.kappa < 0 || d.kappa > 1)
                v.add(text("%s: kappa (got %g, allowed 0 to 1).", spelled(d).c_str(), d.kappa),
                      "Give the share of its heat that the edge carries.", d.src);
            check_gates(d);
            plan.edges.push_back(e);
        }
    }

    void check_gates(const EdgeDescriptor& d) {
        for (size_t i = 0; i < d.gates.size(); ++i) {
            if (d.gates[i].empty())
                v.add(spelled(d) + ": a gate has no name.", "Give every gate a name.", d.dst, d.dst_port);
            if (i > 0 && d.gates[i] == d.gates[i - 1])
                v.add(text("%s: gate \"%s\" is named twice.", spelled(d).c_str(), d.gates[i].c_str()), "Name it once.",
                      d.dst, d.dst_port);
        }
    }

    void modulations() {
        const auto& all = plan.descriptors.modulations;
        const ModulationDescriptor* before = nullptr;
        int meet = 0;  // modulations of the same parameter
        for (uint32_t i = 0; i < all.size(); ++i) {
            const ModulationDescriptor& d = all[i];
            PlanEdge e{0, 0, 0, -1, -1, i, d.delay, 0, false, 0.0};
            if (!ends(d, e)) continue;
            const auto& c = contract(e.dst);
            for (uint32_t k = 0; k < c.n_params; ++k)
                if (d.param == c.params[k].key) e.param = static_cast<int32_t>(k);
            if (e.param < 0 || c.params[e.param].kind != AMP_PARAM_NUMBER || c.params[e.param].rate != AMP_RATE_FRAME) {
                const std::string modulated = modulable(c);
                v.add(text("%s: %s", spelled(d).c_str(),
                           e.param < 0 ? "there is no such parameter." : "this parameter cannot be modulated."),
                      modulated.empty() ? "Modulate another node." : "Modulate " + modulated + ".", d.dst, d.param);
                continue;
            }
            const bool together = before && before->to == d.to && before->param == d.param;
            if (together && before->slot == d.slot)
                v.add(text("%s: slot %d is taken.", spelled(d).c_str(), d.slot),
                      "Give each modulation of a parameter its own slot.", d.dst, d.param);
            before = &d;
            meet = together ? meet + 1 : 1;
            if (meet == kMostModulations + 1)
                v.add(text("%s: more than %d modulations meet at one parameter.", spelled(d).c_str(), kMostModulations),
                      "Sum some of them in a mix node first.", d.dst, d.param);
            if (!std::isfinite(d.scale) || !std::isfinite(d.offset))
                v.add(text("%s: scale and offset are finite numbers.", spelled(d).c_str()),
                      "Give numbers without NaN and Inf.", d.dst, d.param);
            plan.edges.push_back(e);
        }
    }

    void latencies() {
        std::vector<double> fixed;
        for (PlanNode& n : plan.nodes) {
            fixed.clear();
            for (uint32_t k = 0; k < n.type->contract->n_params; ++k) fixed.push_back(fixed_value(n, k));
            n.latency = n.type->latency ? n.type->latency(fixed.data(), plan.descriptors.sample_rate)
                                        : n.type->contract->latency_frames;
        }
    }

    void connected() {
        for (uint32_t i = 0; i < plan.nodes.size(); ++i) {
            const auto& c = contract(i);
            for (uint32_t k = 0; k < c.n_inputs; ++k)
                if (!c.inputs[k].optional && plan.nodes[i].in_channels[k] == 0)
                    v.add(text("%s.%s: not connected.", name(i).c_str(), c.inputs[k].key), "Connect a signal to it.",
                          name(i), c.inputs[k].key);
            for (uint32_t k = 0; k < c.n_params; ++k) {
                const Parameter* given = plan.nodes[i].given(k);
                if (!given || c.params[k].kind == AMP_PARAM_MATRIX) continue;
                const Tensor& t = given->tensor;
                if (t.channels != 1 && t.channels != static_cast<uint32_t>(plan.nodes[i].channels))
                    v.add(text("%s.%s: channels of the value (got %u, allowed 1 or %d).", name(i).c_str(),
                               c.params[k].key, t.channels, plan.nodes[i].channels),
                          "Give one value for all, or one per channel.", name(i), c.params[k].key, AMP_E_SHAPE);
            }
        }
        const std::string& out = plan.descriptors.output;
        const bool heard = std::any_of(plan.nodes.begin(), plan.nodes.end(), [&](const PlanNode& n) {
            return n.name == out && n.type->contract->n_outputs > 0;
        });
        if (!out.empty() && !heard)
            v.add(text("output: there is no node \"%s\" with an output.", out.c_str()),
                  "Name one that has, or end the graph with an output node.", out);
    }

    // Finds nodes of a loop that pass on all their heat among themselves, so that it grows without end. Nodes that lose
    // some heat are removed, then nodes that feed those; what remains is such a trap.
    void heat_trap(const Component& c) {
        const auto inside = [&](const PlanEdge& e) {
            return e.port >= 0 && plan.nodes[e.src].component == plan.nodes[e.dst].component;
        };
        std::map<uint32_t, double> trap;  // per node: the share of its heat that stays among the nodes left
        for (uint32_t u : c.nodes) trap[u] = 0.0;
        for (uint32_t u : c.nodes)
            for (uint32_t k : plan.nodes[u].in)
                if (inside(plan.edges[k])) trap[plan.edges[k].src] += plan.edges[k].kappa;
        std::vector<uint32_t> leaves;
        const auto drain = [&](uint32_t u) {
            const auto it = trap.find(u);
            if (it == trap.end() || it->second >= 1.0 - 1e-12) return;
            trap.erase(it);
            leaves.push_back(u);
        };
        for (uint32_t u : c.nodes) drain(u);
        while (!leaves.empty()) {
            const uint32_t u = leaves.back();
            leaves.pop_back();
            for (uint32_t k : plan.nodes[u].in) {
                const PlanEdge& e = plan.edges[k];
                const auto it = inside(e) ? trap.find(e.src) : trap.end();
                if (it == trap.end()) continue;
                it->second -= e.kappa;
                drain(e.src);
            }
        }
        if (!trap.empty())
            v.add(text("%s: heat goes round a cycle undiminished (product of kappa 1, must be below 1).",
                       name(trap.begin()->first).c_str()),
                  "Lower kappa of an edge in the cycle.", name(trap.begin()->first));
    }

    // Sets the default shares of heat: 0 for edges that delay inside a loop, otherwise 1 / fan-out. Refuses nodes whose
    // shares add up to more than 1.
    void kappas() {
        std::vector<uint32_t> fan(plan.nodes.size());
        std::vector<double> leaving(plan.nodes.size());
        std::vector<bool> modulates(plan.nodes.size());  // nodes inserted into a modulation, which carries no heat
        for (const PlanEdge& e : plan.edges)
            if (e.port < 0 && !plan.nodes[e.src].descriptor) modulates[e.src] = true;
        for (PlanEdge& e : plan.edges) {
            if (e.descriptor == kInserted && modulates[e.dst]) e.kappa = 0.0;
            fan[e.src] += e.port >= 0 && !recurs(plan, e) && !(e.descriptor == kInserted && modulates[e.dst]);
        }
        for (PlanEdge& e : plan.edges)
            if (e.port >= 0 && std::isnan(e.kappa)) e.kappa = recurs(plan, e) ? 0.0 : 1.0 / fan[e.src];
        for (const PlanEdge& e : plan.edges) leaving[e.src] += e.port >= 0 ? e.kappa : 0.0;
        for (uint32_t i = 0; i < plan.nodes.size(); ++i)
            if (leaving[i] > 1.0 + 1e-12)
                v.add(text("%s: its edges carry away more heat than it has (sum of kappa %g, allowed at most 1).",
                           name(i).c_str(), leaving[i]),
                      "Lower their kappa.", name(i));
        for (const Component& c : plan.components) heat_trap(c);
    }
};

}  // namespace

Plan compile(Descriptors descriptors, Lowering lower) {
    if (!kernels())
        throw Failure(AMP_E_UNSUPPORTED, "load",
                      "AMP_ISA: this machine lacks that level, or the name is unknown (allowed v2, v3, v4).",
                      "Unset AMP_ISA.");
    Compiler c;
    c.plan.descriptors = std::move(descriptors);
    c.nodes();
    c.edges();
    c.modulations();
    pick_channels(c.plan, c.v);
    c.v.raise();
    drop_unread(c.plan);
    if (lower) lower(c.plan);
    flow_channels(c.plan, c.v);
    c.connected();
    c.v.raise();
    c.latencies();
    align(c.plan);
    order_nodes(c.plan);
    Plan& p = c.plan;
    p.into = entering(p.nodes.size(), p.edges);
    for (uint32_t u = 0; u < p.nodes.size(); ++u) p.nodes[u].in = p.into[u];
    for (const PlanEdge& e : p.edges) p.nodes[e.src].history = std::max(p.nodes[e.src].history, e.lag);
    c.kappas();
    c.v.raise();
    std::sort(p.curves.begin(), p.curves.end());
    p.curves.erase(std::unique(p.curves.begin(), p.curves.end()), p.curves.end());
    for (uint32_t i = 0; i < p.nodes.size(); ++i) {
        p.nodes[i].rank = i;
        p.nodes[i].loop = p.nodes[i].component;
        if (p.nodes[i].name == p.descriptors.output) p.output = static_cast<int32_t>(i);
        const amp_node_contract& type = *p.nodes[i].type->contract;
        p.together = p.together || std::any_of(type.outputs, type.outputs + type.n_outputs,
                                               [](const auto& port) { return port.map == AMP_MAP_BATCHES; });
    }
    digest(p);
    return std::move(c.plan);
}

}  // namespace amp
