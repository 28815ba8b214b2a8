// What the gate of includes must refuse.
#include "dsp/lanes.hpp"
#include "engine/runtime.hpp"
