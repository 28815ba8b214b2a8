// The include gate must reject this include.
#include "dsp/lanes.hpp"
#include "engine/runtime.hpp"
