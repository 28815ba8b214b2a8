// Checks whether a schedule may be followed; its errors name two nodes, the rule they break and the cure.
#include <algorithm>

#include "plan/fusible.hpp"
#include "plan/schedule.hpp"

namespace amp {

namespace {

struct Place {
    uint32_t stage = UINT32_MAX, cohort = UINT32_MAX, lane = 0;  // `cohort` is numbered through all stages
};

struct Checker {
    const Plan& p;
    const Schedule& s;
    std::vector<Place> place{};
    std::vector<const std::vector<uint32_t>*> cohorts{};
    Violations v{"schedule", 1};

    const char* name(uint32_t u) const { return p.nodes[u].name.c_str(); }

    void refuse(const char* rule, uint32_t a, uint32_t b, const std::string& what, const char* cure) {
        v.add(text("%s, %s: rule %s: %s", name(a), name(b), rule, what.c_str()), cure, name(a));
    }
    void refuse(uint32_t u, const std::string& what, const char* cure) {
        v.add(text("%s: %s", name(u), what.c_str()), cure, name(u));
    }

    void every_node_once() {
        place.resize(p.nodes.size());
        for (uint32_t i = 0; i < s.stages.size(); ++i) {
            if (s.stages[i].empty()) v.add(text("stage %u: has no cohorts.", i), "Take it out.", "");
            for (const auto& cohort : s.stages[i]) {
                if (cohort.empty()) v.add(text("stage %u: a cohort has no members.", i), "Take it out.", "");
                for (uint32_t lane = 0; lane < cohort.size(); ++lane) {
                    Place& at = place[cohort[lane]];
                    if (at.stage != UINT32_MAX)
                        refuse(cohort[lane], text("stands in the schedule twice (stages %u and %u).", at.stage, i),
                               "Name it once.");
                    at = {i, static_cast<uint32_t>(cohorts.size()), lane};
                }
                cohorts.push_back(&cohort);
            }
        }
        for (uint32_t u = 0; u < place.size(); ++u)
            if (place[u].stage == UINT32_MAX) refuse(u, "is not in the schedule.", "Give it a place.");
    }

    bool one_loop(uint32_t a, uint32_t b) const { return p.nodes[a].loop >= 0 && p.nodes[a].loop == p.nodes[b].loop; }

    void dependencies() {
        for (const PlanEdge& e : p.edges) {
            const Place &src = place[e.src], &dst = place[e.dst];
            if (!one_loop(e.src, e.dst)) {
                if (src.stage >= dst.stage)
                    refuse("dependency", e.dst, e.src,
                           text("%s reads %s, which stands in stage %u (got stage %u, allowed %u and later).",
                                name(e.dst), name(e.src), src.stage, dst.stage, src.stage + 1),
                           "Move it to a later stage.");
            } else if (e.src != e.dst && src.cohort == dst.cohort) {
                refuse("loop", e.dst, e.src, "two nodes of one loop stand in one cohort.", "Give each its own.");
            } else if (src.stage != dst.stage) {
                refuse("loop", e.dst, e.src,
                       text("the nodes of a loop fire together (got stages %u and %u, allowed one).", dst.stage,
                            src.stage),
                       "Move them into one stage.");
            } else if (e.lag == 0 && src.cohort > dst.cohort) {
                refuse(
                    "dependency", e.dst, e.src,
                    text("%s reads %s in the same frame and stands before it in its loop.", name(e.dst), name(e.src)),
                    "Move it behind.");
            }
        }
    }

    std::vector<Trait> traits_of(uint32_t u, uint64_t gates) const {
        std::vector<Trait> list;
        traits(p, u, gates, [&](const Trait& t) { list.push_back(t); });
        return list;
    }

    void members() {
        const auto alone = reasons_alone(p);
        const auto gates = gate_sets(p);
        for (const auto* cohort : cohorts) {
            if (cohort->size() < 2) continue;
            const uint32_t first = cohort->front();
            const auto model = traits_of(first, gates[first]);
            for (uint32_t u : *cohort) {
                if (alone[u]) {
                    refuse("type", u, u == first ? (*cohort)[1] : first,
                           text("%s %s, so it fires alone.", name(u), alone[u]), "Give it a cohort of its own.");
                } else if (p.nodes[u].type != p.nodes[first].type) {
                    refuse("type", u, first,
                           text("one cohort has one type (got %s, allowed %s).", p.nodes[u].type->contract->id,
                                p.nodes[first].type->contract->id),
                           "Give each its own cohort.");
                } else {
                    compare(u, first, traits_of(u, gates[u]), model);
                }
            }
        }
    }

    void compare(uint32_t u, uint32_t first, const std::vector<Trait>& mine, const std::vector<Trait>& model) {
        for (size_t i = 0; i < mine.size(); ++i) {
            // if the lists differ in length, they also differ in an earlier entry
            const Trait &a = mine[i], &b = model[i];
            if (a.bits == b.bits) continue;
            const auto spelled = [](const Trait& t) {
                return t.real ? text("%g", std::bit_cast<double>(t.bits))
                              : text("%lld", static_cast<long long>(t.bits));
            };
            const std::string values = std::strcmp(a.rule, "gate") == 0
                                           ? ""
                                           : text(" (got %s, allowed %s)", spelled(a).c_str(), spelled(b).c_str());
            refuse(a.rule, u, first, text("members of a cohort agree in %s%s.", a.what, values.c_str()),
                   "Give each its own cohort.");
            return;
        }
    }

    // Nodes of feedback loops form cohorts only if whole loops do: member i of each cohort belongs to loop i, the loops
    // have equal edges, and their cohorts follow each other directly.
    void loops() {
        std::vector<uint32_t> before(p.nodes.size(), UINT32_MAX);  // per loop: the cohort of its node that fired last
        for (uint32_t c = 0; c < cohorts.size(); ++c) {
            for (uint32_t lane = 0; lane < cohorts[c]->size(); ++lane) {
                const uint32_t u = (*cohorts[c])[lane];
                if (p.nodes[u].loop < 0) continue;
                uint32_t& last = before[static_cast<size_t>(p.nodes[u].loop)];
                if (last == c)
                    refuse("loop", u, cohorts[c]->front(), "two nodes of one loop stand in one cohort.",
                           "Give each its own.");
                else if (last != UINT32_MAX && fused_lane_by_lane(u, *cohorts[c], *cohorts[last]) && last + 1 != c)
                    refuse("loop", u, (*cohorts[last])[lane], "the cohorts of a loop stand side by side.",
                           "Move what stands between them elsewhere.");
                last = c;
            }
        }
        for (const auto* cohort : cohorts)
            for (uint32_t u : *cohort)
                if (p.nodes[u].loop >= 0) wired_alike(u, cohort->front());
    }

    bool fused_lane_by_lane(uint32_t u, const std::vector<uint32_t>& now, const std::vector<uint32_t>& before) {
        const uint32_t lane = place[u].lane, there = std::min<uint32_t>(lane, uint32_t(before.size()) - 1);
        if (now.size() == before.size() && p.nodes[before[lane]].loop == p.nodes[u].loop) return true;
        refuse("loop", u, before[there], "loops are fused whole and lane by lane, or not at all.",
               "Put the nodes of each into the same lane of every cohort.");
        return false;
    }

    void wired_alike(uint32_t u, uint32_t first) {
        for (size_t k = 0; k < p.nodes[u].in.size(); ++k) {
            const uint32_t a = p.edges[p.nodes[u].in[k]].src, b = p.edges[p.nodes[first].in[k]].src;
            const bool inner = one_loop(a, u);
            if (inner != one_loop(b, first) || (inner && place[a].cohort != place[b].cohort))
                refuse("loop", u, first,
                       text("loops that are fused are wired alike, but these read %s and %s.", name(a), name(b)),
                       "Give each its own cohort.");
        }
    }
};

}  // namespace

void check(const Plan& p, const Schedule& s) {
    Checker c{p, s};
    c.every_node_once();
    c.v.raise();  // the rules below need the place of every node
    c.dependencies();
    c.members();
    c.v.raise();  // loops in cohorts are compared edge by edge
    c.loops();
    c.v.raise();
}

}  // namespace amp
