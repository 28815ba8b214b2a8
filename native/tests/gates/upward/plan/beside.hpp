// The include gate must reject this include.
#include "nodes/hash.hpp"
