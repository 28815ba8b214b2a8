// How edges leave and enter ports. The functions are called in this order, with the edges in slot order.
#pragma once
#include "core/failure.hpp"
#include "plan/plan.hpp"

namespace amp {

void pick_channels(Plan& plan, Violations& v);  // sets the channel each edge carries, also for ports that split
void drop_unread(Plan& plan);  // moves edges after the first, of ports that take one edge, to plan.dead
void flow_channels(Plan& plan, Violations& v);  // sets the channels of every node and port

}  // namespace amp
