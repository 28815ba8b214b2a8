// One list of everything that is wrong with a graph, so that a user mends it in one go.
#pragma once
#include <string>
#include <vector>

#include "core/failure.hpp"

namespace amp {

class Violations {
public:
    void add(std::string message, const std::string& node, const std::string& port = "",
             amp_status code = AMP_E_INVALID_ARG) {
        if (list_.empty()) first_ = {code, "plan", "", node, port};
        if (list_.size() < 20)
            list_.push_back(std::move(message));
        else
            ++more_;
    }
    void raise() const {
        if (list_.empty()) return;
        Failure f = first_;
        for (size_t i = 0; i < list_.size(); ++i) f.message += (i ? "\n" : "") + list_[i];
        if (more_) f.message += text("\n... and %zu more.", more_);
        throw f;
    }

private:
    std::vector<std::string> list_;
    size_t more_ = 0;
    Failure first_{AMP_OK, "", ""};
};

}  // namespace amp
