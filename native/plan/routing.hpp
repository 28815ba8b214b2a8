// How edges leave and meet. In this order, on edges in slot order.
#pragma once
#include "core/failure.hpp"
#include "plan/plan.hpp"

namespace amp {

void pick_channels(Plan& plan, Violations& v);  // the channel each edge carries; what a split port gives to whom
void drop_unread(Plan& plan);                   // edges behind the first of a port that takes one: into plan.dead
void flow_channels(Plan& plan, Violations& v);  // channels of every node and port

}  // namespace amp
