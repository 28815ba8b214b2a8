// Heat follows the edges of the graph. Per node v and frame n, in J and K:
//   q_v[n] = h_v[n] + sum over edges (u, v) of kappa_e q_u[n - d],  H_v[n] = H_v[n-1] + q_v[n],
//   T_v[n] = T_v[n-1] + (q_v[n] - G T_v[n-1] / fs) / C.
// Sums over frames use eight partial sums by n mod 8, added in a fixed order.
#include <algorithm>
#include <cmath>

#include "engine/run/shard.hpp"

namespace amp {

namespace {

double fold(const double* p) { return ((p[0] + p[1]) + (p[2] + p[3])) + ((p[4] + p[5]) + (p[6] + p[7])); }

}  // namespace

// Frames between frame n of the destination and frame n - d of the source, each counted in its own node's window.
int64_t Shard::heat_lag(const PlanEdge& e) const { return static_cast<int64_t>(e.lag) + plan_.nodes[e.src].latency; }

void Shard::build_heat() {
    heat_.assign(work_.size(), HeatTrack{});
    heat_records_.set_nodes(work_.size());
    for (uint32_t u = 0; u < work_.size(); ++u) {
        HeatTrack& t = heat_[u];
        t.history = plan_.latency - plan_.nodes[u].arrival;
        if (plan_.nodes[u].type->ops[layout(u)].heat) {
            t.own.groups = env_.groups;
            t.own.width = env_.width;
            t.own.row = (int64_t{block_} + kLanes) * env_.width;
            t.own.data = arena_.doubles(static_cast<uint64_t>(t.own.row) * static_cast<uint64_t>(env_.groups));
            work_[u].main->out[work_[u].out.size()] = view_of(t.own);
        }
    }
    for (const PlanEdge& e : plan_.edges)
        if (e.port >= 0 && e.kappa > 0.0) heat_[e.src].history = std::max(heat_[e.src].history, heat_lag(e));
    for (HeatTrack& t : heat_) {
        t.capacity = 2 * t.history + block_;
        t.pos = t.history;
        t.h = arena_.doubles(env_.batches * static_cast<uint64_t>(t.capacity));
        t.q = arena_.doubles(env_.batches * static_cast<uint64_t>(t.capacity));
        t.own_sum.assign(env_.batches * size_t{8}, 0.0);
        t.q_sum = t.own_sum;
        t.total.assign(env_.batches, 0.0);
        t.temperature = t.total;
    }
}

// Computes a node's own heat h over the block, directly after the node fired: the kernel's formula plus the constant
// given in the descriptor.
void Shard::add_heat(uint32_t u, const Firing& f) {
    HeatTrack& t = heat_[u];
    Step& s = *work_[u].main;
    if (t.own.data) plan_.nodes[u].type->ops[layout(u)].heat(s, f);
    const double given = plan_.nodes[u].heat_j_per_frame;
    const bool warms = started(u, f);
    const double constant = std::isnan(given) ? 0.0 : given;
    const auto width = static_cast<uint32_t>(env_.width);
    for (uint32_t b = 0; b < env_.batches; ++b)
        for (uint32_t i = 0; i < f.frames; ++i)
            t.h[t.place(b, i)] =
                !warms ? 0.0
                       : constant + (t.own.data ? t.own.data[b / width * t.own.row + i * width + b % width] : 0.0);
}

void Shard::advance_heat(uint32_t frames) {  // the same as advance_windows, for heat windows
    for (HeatTrack& t : heat_) {
        if (t.pos + frames <= t.capacity) continue;
        for (double* x : {t.h, t.q})
            for (uint32_t b = 0; b < env_.batches; ++b)
                std::copy_n(x + t.place(b, -t.history), t.history, x + b * t.capacity);
        t.pos = t.history;
    }
}

// Adds the heat that edges carry. q of a frame is computed in the block that fires the frame, frame by frame along the
// edges (so loops with kappa > 0 work); sums and temperatures are updated when the frame is delivered.
void Shard::transport_heat(const Firing& f) {
    const Descriptors& d = plan_.descriptors;
    const auto order = static_cast<uint32_t>(work_.size());
    for (uint32_t b = 0; b < env_.batches; ++b)
        for (uint32_t i = 0; i < f.frames; ++i)
            for (uint32_t u = 0; u < order; ++u) {
                HeatTrack& t = heat_[u];
                double q = t.h[t.place(b, i)];
                for (uint32_t k : plan_.nodes[u].in) {
                    const PlanEdge& e = plan_.edges[k];
                    if (e.port < 0 || e.kappa == 0.0) continue;
                    const HeatTrack& from = heat_[e.src];
                    q += e.kappa * from.q[from.place(b, i - heat_lag(e))];
                }
                t.q[t.place(b, i)] = q;
            }
    for (uint32_t i = 0; i < f.frames && f.frame >= plan_.latency; ++i) {
        const int64_t n = f.frame + i - plan_.latency;
        const auto lane = static_cast<size_t>(n % 8);
        for (uint32_t u = 0; u < order; ++u) {
            HeatTrack& t = heat_[u];
            const PlanNode& node = plan_.nodes[u];
            const int64_t at = i - (plan_.latency - plan_.nodes[u].arrival);
            const double conductance = std::isnan(node.conductance_w_per_k) ? 0.0 : node.conductance_w_per_k;
            for (uint32_t b = 0; b < env_.batches; ++b) {
                const double q = t.q[t.place(b, at)];
                t.own_sum[b * 8 + lane] += t.h[t.place(b, at)];
                t.q_sum[b * 8 + lane] += q;
                if (!std::isnan(node.capacity_j_per_k))
                    t.temperature[b] += (q - conductance * t.temperature[b] / d.sample_rate) / node.capacity_j_per_k;
            }
        }
        if ((n + 1) % AMP_HEAT_WINDOW == 0) close_heat_window();
    }
    for (HeatTrack& t : heat_) t.pos += f.frames;
}

void Shard::close_heat_window() {
    const uint64_t window = heat_records_.close();
    for (uint32_t u = 0; u < heat_.size(); ++u) {
        HeatTrack& t = heat_[u];
        const bool has_temperature = !std::isnan(plan_.nodes[u].capacity_j_per_k);
        double own = 0.0, total = 0.0, temperature = t.temperature.front();
        for (uint32_t b = 0; b < env_.batches; ++b) {
            own += fold(&t.own_sum[b * 8]);
            t.total[b] += fold(&t.q_sum[b * 8]);
            total += t.total[b];
            if (!(t.temperature[b] <= temperature || std::isnan(temperature))) temperature = t.temperature[b];
        }
        std::fill(t.own_sum.begin(), t.own_sum.end(), 0.0);
        std::fill(t.q_sum.begin(), t.q_sum.end(), 0.0);
        heat_records_.at(window, HeatValue::own, u) = own;
        heat_records_.at(window, HeatValue::total, u) = total;
        heat_records_.at(window, HeatValue::temperature, u) = has_temperature ? temperature : NAN;
    }
}

void HeatRecords::reserve(Arena& arena, uint64_t windows) {
    for (const uint64_t need = windows_ + windows; first_of(count_) < need; ++count_)
        pages_[count_] = arena.doubles((kFirst << count_) * 3 * nodes_);
}

double Shard::accumulated_heat(uint32_t u) const {
    double sum = 0.0;
    for (uint32_t b = 0; b < env_.batches; ++b) sum += heat_[u].total[b] + fold(&heat_[u].q_sum[b * 8]);
    return sum;
}

}  // namespace amp
