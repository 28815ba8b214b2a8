// What the gate of includes must refuse.
#pragma once
