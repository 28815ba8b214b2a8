// Failures inside the library: thrown here, turned at the ABI into a status, an amp_error and the thread's report of
// violations (amp/violation.h). None crosses it.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "amp/violation.h"
#include "core/text.hpp"

namespace amp {

// One thing that is wrong. `sentence` says where and what, `cure` what to do.
struct Violation {
    amp_status code = AMP_E_INVALID_ARG;
    std::string node, port, sentence, cure;
    std::string src;     // of a link at fault, which leads to `node`: the node it comes from
    int64_t frames = 0;  // of delay that the link lacks

    std::string line() const { return cure.empty() ? sentence : sentence + ' ' + cure; }
};

struct Failure {
    amp_status code = AMP_E_INTERNAL;
    std::string stage, node, port, message;
    int64_t batch = -1, channel = -1, frame = -1;

    Failure(amp_status code, std::string stage, std::string message, std::string node = "", std::string port = "")
        : code(code),
          stage(std::move(stage)),
          node(std::move(node)),
          port(std::move(port)),
          message(std::move(message)) {}

    // One violation with its cure apart.
    Failure(std::string stage, Violation v) : Failure(v.code, std::move(stage), v.line(), v.node, v.port) {
        violations = std::make_shared<const std::vector<Violation>>(1, std::move(v));
    }

    std::shared_ptr<const std::vector<Violation>> violations;  // NULL: the failure itself is the only one
    size_t found = 1;                                          // more than `violations` has if some were not kept
};

// Everything that is wrong with a graph, a schedule or a history, so that a user mends it in one go.
class Violations {
public:
    // `lines`: how many of them the one text of amp_error lists; the records list all.
    explicit Violations(const char* stage = "plan", size_t lines = 20) : stage_(stage), lines_(lines) {}

    void add(std::string sentence, std::string cure, const std::string& node, const std::string& port = "",
             amp_status code = AMP_E_INVALID_ARG) {
        ++found_;
        const size_t text = sentence.size() + cure.size() + node.size() + port.size();
        if (list_.size() == AMP_MOST_VIOLATIONS || text > kMostText - text_) return;
        text_ += text;
        list_.push_back({code, node, port, std::move(sentence), std::move(cure), "", 0});
    }
    // Throws if there are any; `message` is the text of amp_error, that of the first `lines` if it is empty.
    void raise(std::string message = "") {
        if (found_ == 0) return;
        Failure f(list_.front().code, stage_, list_.front().line(), list_.front().node, list_.front().port);
        for (size_t i = 1; i < list_.size() && i < lines_; ++i) f.message += '\n' + list_[i].line();
        if (lines_ > 1 && found_ > lines_) f.message += text("\n... and %zu more.", found_ - lines_);
        if (!message.empty()) f.message = std::move(message);
        f.found = found_;
        f.violations = std::make_shared<const std::vector<Violation>>(std::move(list_));
        throw f;
    }

private:
    static constexpr size_t kMostText = size_t{64} << 20;  // bytes: a name may stand in very many sentences

    const char* stage_;
    size_t lines_, found_ = 0, text_ = 0;
    std::vector<Violation> list_;
};

// Fill the record, which may be NULL and keeps to its struct_size, and the report of the calling thread.
void write_error(const Failure& failure, amp_error* out);
void write_error(amp_status code, const char* stage, const char* message, amp_error* out);  // static text; no memory
void clear_error(amp_error* out);

// The report of the calling thread: what its last call with a status found wrong.
struct Report {
    const amp_violation* records;
    size_t count, found;
};
Report report_of_thread();

}  // namespace amp
