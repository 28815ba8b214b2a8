#include "engine/stream/shard_acts.hpp"

#include <algorithm>
#include <cstring>

namespace amp {

// Sorts the views into windows by node, so that point() finds those of one node.
void Share::prepare() {
    auto& list = s.patches_;
    std::stable_sort(list.begin(), list.end(), [](const Patch& a, const Patch& b) { return a.node < b.node; });
    s.first_patch_.clear();
    for (uint32_t u = 0, k = 0; u <= s.work_.size(); ++u) {
        while (k < list.size() && list[k].node < u) ++k;
        s.first_patch_.push_back(k);
    }
}

// Moves the views of a node to the tokens it reads and writes when its clock is `frame`.
void Share::point(uint32_t u, int64_t frame) {
    for (uint32_t k = s.first_patch_[u]; k < s.first_patch_[u + 1]; ++k) {
        const Patch& q = s.patches_[k];
        q.view->data = q.port->data + q.row + (q.port->pos + frame - q.delay) * q.port->width;
    }
    if (s.first_patch_[u] < s.first_patch_[u + 1]) s.bind_rows(u);
}

// Fires a node once its views are at its clock. `frame` is the node's logical frame.
void Share::fire(uint32_t u, int64_t frame, uint32_t frames) {
    point(u, frame);
    const Firing f{frame + s.plan_.nodes[u].arrival, 0, frames};
    const bool traced = !s.common_.events.empty();
    const int64_t start = traced ? s.common_.now() : 0;
    s.fire(u, f);
    if (traced) s.common_.record(u, f, start, s.common_.now());
}

void Share::loop(const Component& c, int64_t time, uint32_t frames) {
    for (uint32_t u : c.nodes) point(u, time - s.plan_.nodes[u].arrival);
    s.run_frames(c, {time, 0, frames});
}

// Fires an input node with pushed samples, which are read during the call only.
void Share::take(uint32_t u, int64_t frame, const amp_buffer& b) {
    point(u, frame);
    Work& w = s.work_[u];
    const View samples{b.data + (b.batches == 1 ? 0 : s.first_batch_ * b.batch_stride),
                       b.channels == 1 ? 0 : b.channel_stride, b.batches == 1 ? 0 : b.batch_stride, 1};
    const Firing f{0, 0, static_cast<uint32_t>(b.frames)};
    w.main->of_node.samples = &samples;
    w.main->of_node.sample_frames = b.frames;
    w.main->fire(*w.main, f);
    w.main->of_node.samples = nullptr;  // after its end the input reads silence
    for (Step* after : w.after) after->fire(*after, f);
    w.frames += b.frames;
    ++w.calls;
    const int64_t now = s.common_.now();
    if (!s.common_.events.empty()) s.common_.record(u, {frame, 0, f.frames}, now, now);
}

void Share::move(uint32_t ring, int64_t oldest, int64_t count) {
    Port& p = *s.windows_[ring];
    const int64_t width = s.env_.width, rows = int64_t{p.channels} * p.groups;
    double* to = p.data;
    for (int64_t k = 0; k < rows; ++k, to += p.row)
        std::memmove(to, to + (p.pos + oldest) * width, static_cast<size_t>(count * width) * sizeof(double));
    p.pos = -oldest;
}

double* Share::reserve(uint32_t ring, int64_t capacity) {
    const Port& p = *s.windows_[ring];
    return s.arena_.doubles(static_cast<uint64_t>(int64_t{p.channels} * p.groups * row(p, capacity)));
}

void Share::grow(uint32_t ring, int64_t oldest, int64_t count, int64_t capacity, double* memory) {
    Port& p = *s.windows_[ring];
    const int64_t width = s.env_.width, from = p.row, to = row(p, capacity);
    for (int64_t k = 0; k < int64_t{p.channels} * p.groups; ++k)
        std::copy_n(p.data + k * from + (p.pos + oldest) * width, count * width, memory + k * to);
    for (Patch& q : s.patches_) {
        if (q.port != &p) continue;
        q.row = q.row / from * to;
        q.view->channel_stride = q.view->channel_stride / from * to;
        q.view->group_stride = q.view->group_stride / from * to;
    }
    p.data = memory;
    p.row = to;
    p.capacity = capacity;
    p.pos = -oldest;
}

// Copies `frames` tokens from number `token` on to frame `at` of the caller's buffer.
void Share::give(uint32_t ring, int64_t token, uint32_t frames, const amp_buffer& out, int64_t at) const {
    s.copy_out(view_of(*s.windows_[ring], -token), frames, out, at);
    s.table_->publish();
}

// Whether node u samples this curve, as a parameter or as a signal.
bool Share::follows(uint32_t u, const CurveData& curve) const {
    const auto& steps = s.work_[u].before;
    return std::any_of(steps.begin(), steps.end(), [&](const Step* step) {
        const bool may = step->kind == StepKind::parameter || step->kind == StepKind::curve;
        return may && step->of_parameter.curve == &curve;
    });
}

}  // namespace amp
