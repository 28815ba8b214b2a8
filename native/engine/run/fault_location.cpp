// Finds the fault that a block reports: the one at the earliest virtual time, and among those at one time that of the
// first node in the plan's own order. The result does not depend on the block size, because the whole block is run
// before its faults are compared.
#include <algorithm>
#include <cmath>

#include "engine/run/shard.hpp"
#include "plan/parameters.hpp"

namespace amp {

namespace {

struct Found {
    int64_t time = INT64_MAX;  // virtual time
    int64_t frame = 0;         // logical frame
    uint32_t batch = 0, channel = 0;
    double value = 0;
};

struct Lanes {  // The lanes of one node within a group's rows.
    uint32_t first, count, width;
};

// The earliest value in a window for which `wrong` is true. Virtual time `start` is frame 0 of the view.
template <class Wrong>
Found earliest(const View& v, int32_t channels, const Lanes& lanes, const Firing& f, int64_t start, Wrong wrong) {
    for (uint32_t i = 0; i < f.frames; ++i)
        for (uint32_t b = 0; b < lanes.count; ++b)
            for (int32_t c = 0; c < channels; ++c) {
                const uint32_t lane = lanes.first + b, width = lanes.width;
                const double x = v.data[c * v.channel_stride + lane / width * v.group_stride + lane % width +
                                        (f.offset + i) * v.step];
                if (wrong(x)) return {f.frame + i, f.frame + i - start, b, static_cast<uint32_t>(c), x};
            }
    return {};
}

}  // namespace

void Shard::note(uint32_t lead, Step& step, uint32_t verdict, const Firing& f) {
    const std::lock_guard lock(noting_);
    for (uint32_t u = lead; u < lead + fired_with(lead); ++u) note_node(u, step, verdict, f);
}

void Shard::note_node(uint32_t u, Step& step, uint32_t verdict, const Firing& f) {
    if (verdict & kFusedWrong) {  // the parameter's own step writes the values, so that the wrong one can be found
        Step& p = *step.fused;
        p.of_parameter.fuses = false;
        note_node(u, p, p.fire(p, {f.frame - p.arrival, f.offset, f.frames}), f);
        p.of_parameter.fuses = true;
    }
    const PlanNode& n = plan_.nodes[u];
    const amp_node_contract& c = *n.type->contract;
    const auto shown = [&n] { return n.shown(); };
    const Lanes lanes{first_lane(u), env_.batches, static_cast<uint32_t>(env(u).width)};
    const auto keep = [&](const Found& x, amp_status code, const std::string& port, const std::string& sentence,
                          const std::string& cure) {
        if (x.time > fault_.time || (x.time == fault_.time && n.rank >= fault_.node)) return;
        fault_.time = x.time;
        fault_.node = n.rank;
        fault_.failure = Failure(code, "execute", sentence, cure, n.name, port);
        fault_.failure.batch = first_batch_ + x.batch;
        fault_.failure.channel = x.channel;
        fault_.failure.frame = x.frame;
    };
    const auto where = [this](const Found& x) {
        return text("batch %u, channel %u, frame %lld", first_batch_ + x.batch, x.channel,
                    static_cast<long long>(x.frame));
    };
    const auto not_finite = [](double x) { return !std::isfinite(x); };
    const auto name_of = [](double x) { return std::isnan(x) ? "NaN" : "Inf"; };
    const bool stops = common_.config.flags & AMP_RUN_STOP_NONFINITE;
    if (!is_watched(step.kind)) return;  // steps that only copy: the fault was noted where the value was made
    if (step.kind == StepKind::port) {
        const Found x = stops ? earliest(step.out[0], step.channels, lanes, f, n.arrival, not_finite) : Found{};
        const char* port = c.inputs[step.of_port.index].key;
        if (x.time != INT64_MAX)
            keep(x, AMP_E_NONFINITE, port,
                 text("%s.%s: the edges that meet here sum to %s at %s.", shown().c_str(), port, name_of(x.value),
                      where(x).c_str()),
                 "Lower their levels, or render with nonfinite=\"allow\".");
        return;
    }
    if (step.kind != StepKind::node) {  // a parameter, or the curve that a node plays
        const ParameterStep& own = step.of_parameter;
        const amp_param_contract& p = c.params[own.index];
        const auto wrong = [&](double x) { return not_finite(x) || x < own.low || x > own.high; };
        const Found x = earliest(step.out[0], step.channels, lanes, f, n.arrival, wrong);
        if (x.time == INT64_MAX) return;
        if (step.kind == StepKind::curve) {
            keep(x, AMP_E_NONFINITE, p.key,
                 text("%s.%s: the control curve gives %s at %s.", shown().c_str(), p.key, name_of(x.value),
                      where(x).c_str()),
                 "Look at its points there.");
            return;
        }
        const Range allowed = range_of(p, plan_.descriptors.sample_rate);
        keep(x, not_finite(x.value) ? AMP_E_NONFINITE : AMP_E_INVALID_ARG, p.key,
             out_of_range(shown(), p, x.value, allowed) + " At " + where(x) + '.', kChooseInside);
        return;
    }
    if (verdict & kOutOfRange && c.limited_param) {  // the limit is another parameter of the node
        const amp_param_contract &p = c.params[c.limited_param - 1], &limit = c.params[c.limit_param - 1];
        const double most = step.fixed[c.limit_param - 1];
        const Found x = earliest(step.par[c.limited_param - 1], n.channels, lanes, f, n.arrival,
                                 [&](double v) { return v > most; });
        keep(x, AMP_E_INVALID_ARG, p.key,
             text("%s.%s: above %s (got %g, allowed at most %g). At %s.", shown().c_str(), p.key, limit.key, x.value,
                  most, where(x).c_str()),
             text("Raise %s or lower the value.", limit.key));
    }
    if (!(verdict & kNonfinite) || !stops || is_before_first(u, f)) return;
    for (uint32_t k = 0; k < c.n_outputs; ++k) {
        const Found x = earliest(step.out[k], n.out_channels[k], lanes, f, n.arrival + n.latency, not_finite);
        if (x.time != INT64_MAX)
            keep(x, AMP_E_NONFINITE, c.outputs[k].key,
                 text("%s.%s: %s at %s.", shown().c_str(), c.outputs[k].key, name_of(x.value), where(x).c_str()),
                 "Look at what this node is fed there, or render with nonfinite=\"allow\".");
    }
}

}  // namespace amp
