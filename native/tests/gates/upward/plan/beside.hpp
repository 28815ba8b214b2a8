// What the gate of includes must refuse.
#include "nodes/hash.hpp"
