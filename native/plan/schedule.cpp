// Makes a plan follow a schedule; schedules as bytes and as text.
#include "plan/schedule.hpp"

#include <algorithm>
#include <unordered_map>

#include "plan/fusible.hpp"

namespace amp {

namespace {

template <class F> void each_cohort(const Schedule& s, F&& f) {
    for (const auto& stage : s.stages)
        for (const auto& cohort : stage) f(cohort);
}

// Loops whose nodes are in the same cohorts become one component. Components are numbered by their first nodes.
std::vector<Component> merged(const Plan& p, const Schedule& s, const std::vector<uint32_t>& place,
                              std::vector<int32_t>& number) {
    std::vector<int32_t> of_loop(p.nodes.size(), -1);  // sized by nodes: there cannot be more loops
    std::vector<Component> list;
    each_cohort(s, [&](const std::vector<uint32_t>& cohort) {
        if (p.nodes[cohort.front()].loop < 0) return;
        int32_t& c = of_loop[static_cast<size_t>(p.nodes[cohort.front()].loop)];
        if (c < 0) {
            c = static_cast<int32_t>(list.size());
            list.push_back({{}, p.components[static_cast<size_t>(p.nodes[cohort.front()].component)].sub_block});
        }
        for (uint32_t u : cohort) {
            list[static_cast<size_t>(c)].nodes.push_back(place[u]);
            number[place[u]] = c;
        }
    });
    return list;
}

}  // namespace

void follow(Plan& p, const Schedule& s) {
    std::vector<uint32_t> place(p.nodes.size());
    std::vector<int32_t> component(p.nodes.size(), -1);
    std::vector<PlanNode> nodes;
    std::vector<Cohort> cohorts;
    nodes.reserve(p.nodes.size());
    uint32_t next = 0;
    each_cohort(s, [&](const std::vector<uint32_t>& cohort) {
        if (cohort.size() > 1) cohorts.push_back({next, static_cast<uint32_t>(cohort.size())});
        for (uint32_t u : cohort) place[u] = next++;
    });
    auto components = merged(p, s, place, component);
    each_cohort(s, [&](const std::vector<uint32_t>& cohort) {
        for (uint32_t u : cohort) nodes.push_back(std::move(p.nodes[u]));
    });
    for (uint32_t u = 0; u < nodes.size(); ++u) nodes[u].component = component[u], nodes[u].cohort = -1;
    for (uint32_t k = 0; k < cohorts.size(); ++k)
        for (uint32_t i = 0; i < cohorts[k].count; ++i) nodes[cohorts[k].first + i].cohort = static_cast<int32_t>(k);
    for (PlanEdge& e : p.edges) e.src = place[e.src], e.dst = place[e.dst];
    for (Gate& g : p.gates) {
        for (uint32_t& u : g.consumers) u = place[u];
        std::sort(g.consumers.begin(), g.consumers.end());
    }
    for (uint32_t& u : p.place) u = place[u];
    if (p.output >= 0) p.output = static_cast<int32_t>(place[static_cast<size_t>(p.output)]);
    p.nodes.swap(nodes), p.cohorts.swap(cohorts), p.components.swap(components);
}

uint64_t order_digest(const Plan& p) {
    uint64_t h = p.nodes.size();
    for (const PlanNode& n : p.nodes) h = join(join(h, n.rank), static_cast<uint64_t>(n.cohort));
    return h;
}

std::vector<uint8_t> encode(const Plan& p, const Schedule& s) {
    Writer w;
    w.put(static_cast<uint32_t>(s.stages.size()));
    for (const auto& stage : s.stages) {
        w.put(static_cast<uint32_t>(stage.size()));
        for (const auto& cohort : stage) {
            w.put(static_cast<uint32_t>(cohort.size()));
            for (uint32_t u : cohort) w.str(p.nodes[u].name);
        }
    }
    return w.seal("AMPI");
}

Schedule read_schedule(const Plan& p, const void* blob, size_t size) {
    std::unordered_map<std::string, uint32_t> places;
    for (uint32_t u = 0; u < p.nodes.size(); ++u) places.emplace(p.nodes[u].name, u);
    Reader r(blob, size, "AMPI", "schedule");
    Schedule s;
    s.stages.resize(r.count("number of stages", 4));
    for (auto& stage : s.stages) {
        stage.resize(r.count("number of cohorts", 4));
        for (auto& cohort : stage)
            for (uint32_t n = r.count("number of members", 2); n > 0; --n) {
                const std::string name = r.str("name of a node");
                const auto it = places.find(name);
                if (it == places.end())
                    throw Failure(AMP_E_INVALID_ARG, "schedule",
                                  text("%s: there is no such node in the graph (allowed %s).", name.c_str(),
                                       listed(p.nodes, [](const PlanNode& n) { return n.shown(); }).c_str()),
                                  "Take it out of the schedule.", name);
                cohort.push_back(it->second);
            }
    }
    r.end();
    check(p, s);
    return s;
}

std::string describe(const Plan& p, const Schedule& s) {
    std::string json = "{\"stages\": [";
    const auto list = [&json](const auto& items, const char* between, const auto& item) {
        json += "[";
        for (size_t i = 0; i < items.size(); ++i) json += i ? between : "", item(items[i]);
        json += "]";
    };
    for (size_t i = 0; i < s.stages.size(); ++i) {
        json += i ? ",\n  " : "\n  ";
        list(s.stages[i], ", ",
             [&](const auto& cohort) { list(cohort, ", ", [&](uint32_t u) { json += quoted(p.nodes[u].name); }); });
    }
    return json + text("],\n \"lanes\": %u}\n", kCohortLanes);
}

}  // namespace amp
