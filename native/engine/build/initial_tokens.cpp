#include "engine/build/initial_tokens.hpp"

#include <algorithm>

namespace amp {

uint32_t before_first_token(Step& s, const Firing& f) {
    const View& out = s.out[0];
    const TokenStep& own = s.of_tokens;
    const int width = s.env->width, last = static_cast<int>(s.env->batches) - 1;
    for (int c = 0; c < s.channels; ++c)
        for (int g = 0; g < s.groups; ++g)
            for (uint32_t i = 0; i < f.frames; ++i) {
                double* y = out.data + c * out.channel_stride + g * out.group_stride + (f.offset + i) * width;
                const int64_t token = own.frames + f.frame + i;
                for (int j = 0; j < width; ++j)
                    y[j] = token < 0 || !own.tokens
                               ? 0.0
                               : own.tokens->data[c * own.tokens->channel_stride + token +
                                                  std::min(g * width + j, last) * own.tokens->group_stride];
            }
    return kFired;
}

Carried tick_before_first_token(Step& s, int64_t i, int64_t time, Carried) {
    before_first_token(s, {time - s.arrival, static_cast<uint32_t>(i), 1});
    return Carried{s.out[0].data[i * s.out[0].step]};
}

}  // namespace amp
